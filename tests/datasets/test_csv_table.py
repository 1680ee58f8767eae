import numpy as np
import pytest
from PIL import Image

from iqa import datasets
from iqa.errors import UserError

NAMES = ["a b (1).jpg", "c,d [2].JPG", "sub/e.png"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    for seed, name in enumerate(NAMES):
        pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    return tmp_path


def write(folder, text):
    path = folder / "ratings.csv"
    path.write_text(text, encoding="utf-8")
    return f"csv:{path}"


WHOLE = """\ufeffFile , MOS,scene,set,,
"a b (1).JPG",1.5,x,training,,
"c,d [2].jpg",2.5,x,Valid,,
"sub/e.png",4.5,y,test,,
,,,,,
"""


def test_columns_are_guessed_and_said_and_odd_names_are_found(folder):
    name = write(folder, WHOLE)
    data = datasets.load(name)
    assert data.table["path"].tolist() == [str(folder / n) for n in NAMES]
    assert data.table["group"].tolist() == ["x", "x", "y"]
    assert data.table["split"].tolist() == ["train", "val", "test"]
    assert data.table["target"].tolist() == pytest.approx([0, 1 / 3, 1])
    said = datasets.info(name).where
    assert "image `File`, score `MOS`, group `scene`, split `set`" in said
    assert "scale 1.5 to 4.5 taken from the data" in said
    assert datasets.check(name).faults == ()


def test_what_is_named_wins_over_what_is_usual(folder):
    name = write(folder, "path;score;votes;alt\n")
    rows = "".join(f"gone.png;9;{i + 1};{n}\n" for i, n in enumerate(NAMES))
    write(folder, "path;score;votes;alt\n" + rows)
    data = datasets.load(f"{name}?image=alt&score=votes&low=1&high=5&better=lower")
    assert data.table["target"].tolist() == [1.0, 0.75, 0.5]
    assert data.table["group"].tolist() == NAMES
    assert "scale 1 to 5 given, lower is better" in data.info.where
    assert "split" not in data.table


def test_paths_are_relative_to_the_table_or_to_a_root_or_absolute(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    text = "image\tmos\ne.png\t1\n" + f"{folder / NAMES[0]}\t2\n"
    data = datasets.load(f"{write(elsewhere, text)}?root={folder / 'sub'}")
    assert data.table["path"].tolist() == [str(folder / "sub/e.png"), str(folder / NAMES[0])]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("a,b\n1,2\n", "", "no column of images recognised .found: a, b"),
        ("image,b\nx.png,2\n", "", r"no column of scores recognised .*\?score=COLUMN"),
        ("image,mos\nx.png,2\n", "?score=moss", "column `moss` not found .found: image, mos"),
        ("image,mos\nx.png,2\n", "?scale=5", "unknown option of csv: 'scale': choose one of image"),
        ("image,mos\nx.png,2\n", "?better=up", "unknown value of better 'up'"),
        ("image,mos\nx.png,2\n", "?low=one", "low is 'one', expected a number"),
        ("image,mos\nx.png,2\n", "", "scale 2 to 2 is empty"),
        ("image,mos\nx.png,2\ny.png,\n", "", r"row 2 \(y.png\): score is 'nan'"),
        (
            "image,mos\nx.png,2\ny.png,7\n",
            "?high=5",
            "score 7 is outside the scale, expected 2 to 5",
        ),
        (
            "image,mos\nx.png,2\nx.png,3\n",
            "",
            r"row 2 \(x.png\): is in row 1 too, expected one row",
        ),
        ("image,mos\nx.png,2\n,\nx.png,3\n", "", r"row 3 \(x.png\): is in row 1 too"),
        ("image,mos\nx.png,2\n,3\n", "", "row 2 .*no image is named"),
        ("image,mos,set\nx.png,2,train\ny.png,3,dev\n", "", "row 2 .*split is 'dev', expected"),
        ("image,mos,scene\nx.png,2,a\ny.png,3,\n", "", "row 2 .*content group is empty"),
        ("image,mos\nx.png,2\nsub/e.png,3\n", "", r"1 of 2 images are not in .*first 'x\.png'"),
        ("", "", "cannot be read"),
    ],
)
def test_a_fault_is_one_line(text, options, said, folder):
    with pytest.raises(UserError, match=said) as caught:
        datasets.load(write(folder, text) + options)
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_one_line():
    with pytest.raises(UserError, match=r"table nosuch\.csv not found; give its path"):
        datasets.load("csv:nosuch.csv")
