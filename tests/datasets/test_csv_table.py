from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from iqa import datasets
from iqa.datasets.csv_table import absolute
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


@pytest.mark.parametrize(("better", "target"), [("lower", [1, 0]), ("higher", [0, 1])])
def test_dmos_goes_in_the_direction_that_is_said(better, target, folder):
    name = write(folder, f"image,dmos\n{NAMES[0]},10\n{NAMES[2]},80\n")
    data = datasets.load(f"{name}?better={better}")
    assert data.table["target"].tolist() == target
    assert data.info.score_kind == "DMOS"


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
        (
            "image,mos\nx.png,2\n",
            "?scale=5",
            r"unknown option of csv: .* 'scale': choose one of image",
        ),
        ("image,mos\nx.png,2\n", "?better=up", "unknown value of better 'up'"),
        ("image,DMOS\nx.png,2\n", "", r"in column `DMOS` .* say which by the option better=higher"),
        ("image,mos\nx.png,2\n", "?low=one", "low is 'one', expected a finite number"),
        ("image,mos\nx.png,2\n", "?high=inf", "high is 'inf', expected a finite number"),
        ("image,mos\nx.png,2\n", "?root=a&b", r"unknown option .* & is written %26.* 'b'"),
        ("image,mos\nx.png,2\n", "?low", "option low has no value; write low=VALUE"),
        ("image,mos\nx.png,2\n", "?split=set&test=t.csv", "`val` and `test`, not both"),
        ("image,mos\nx.png,2\n", "?root=~no-such-user/a", "give the whole path"),
        ("image,mos\nx.png,NA\ny.png,2\n", "", r"row 1 \(x.png\): score is 'NA', expected"),
        ("image,mos\nx.png,1" + "0" * 400 + "\n", "", r"row 1 \(x.png\): score is"),
        ("image,mos\nx.png,2,7\n", "", "row 1: 3 cells, expected 2 as in the header; put cells"),
        ("image,mos\n", "", "has no rows"),
        ("image,mos,mos\nx.png,2,3\n", "", "two columns are called `mos`; rename one"),
        ("image,mos,mos\nx.png,2,3\n", "?score=mos", "two columns are called `mos`"),
        (
            "image,mos\nsub/e.png,2\n./sub/e.png,3\n",
            "",
            "'sub/e.png' and './sub/e.png' are the same",
        ),
        ("image,mos\n\0,2\nsub/e.png,3\n", "", "1 of 2 images are not in"),
        ("image,mos\n" + "f" * 300 + "/a.png,2\nsub/e.png,3\n", "", "1 of 2 images are not in"),
        ("image,mos\n" + "f/" * 3000 + "a.png,2\nsub/e.png,3\n", "", "1 of 2 images are not in"),
        ('image,mos\n"x.png,2\n', "", "cannot be read .unexpected end of data"),
        ("image,mos\n" + "x" * 200_000 + ",2\n", "", "cannot be read .field larger than"),
        ("image,mos\nx.png,2\n", "", "scale 2 to 2 is empty"),
        ("image,mos\nx.png,2\ny.png,\n", "", r"row 2 \(y.png\): score is empty"),
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
        ("", "", "ratings.csv is empty"),
    ],
)
def test_a_fault_is_one_line(text, options, said, folder):
    with pytest.raises(UserError, match=said) as caught:
        datasets.load(write(folder, text) + options)
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_one_line():
    with pytest.raises(UserError, match=r"table nosuch\.csv not found; give its path"):
        datasets.load("csv:nosuch.csv")


@pytest.mark.parametrize(
    "path", ["x" * 300 + "/a.csv", "a\0.csv", "x/" * 3000 + "a.csv", "~no-one/a"]
)
def test_a_table_that_cannot_be_there_is_one_line(path):
    with pytest.raises(UserError, match=r"cannot be read|not found|give the whole path") as caught:
        datasets.load(f"csv:{path}")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_one_line(folder):
    (folder / "t.csv").write_bytes("image,mos\nx.png,é\n".encode("utf-16"))
    with pytest.raises(UserError, match=r"cannot be read .* save it as UTF-8"):
        datasets.load(f"csv:{folder / 't.csv'}")


def test_words_that_elsewhere_mean_nothing_are_names(folder):
    name = write(folder, f"image,mos,scene\n{NAMES[0]},1,NA\n{NAMES[2]},2,None\n")
    assert datasets.load(name).table["group"].tolist() == ["NA", "None"]


def test_rows_may_end_in_more_commas_than_the_header_or_fewer(folder):
    name = write(folder, f"image,mos,scene,note\n{NAMES[0]},1,A,,,\n{NAMES[2]},2,B\n")
    table = datasets.load(name).table
    assert table["id"].tolist() == [NAMES[0], NAMES[2]]
    assert table["group"].tolist() == ["A", "B"]


def test_a_table_with_an_index_column_or_other_line_ends_is_read(folder):
    name = write(folder, f",image,mos\r\n0,{NAMES[0]},1\r\n\r\n1,{NAMES[2]},2\r\n")
    assert datasets.load(name).table["score"].tolist() == [1, 2]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_letters_are_the_same_however_unicode_spells_them(form, tmp_path):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    place = tmp_path / normalize(form, "été")
    place.mkdir()
    for name in ("café.png", "ö.png"):
        Image.new("RGB", (8, 8), (len(name), 0, 0)).save(place / normalize(form, name))
    rows = "image,Qualität,scene\nété/café.png,1,é\nété/ö.png,2,é\n"
    (tmp_path / "t.csv").write_text(normalize(other, rows), encoding="utf-8")
    table = datasets.load(normalize(form, f"csv:{tmp_path}/t.csv?score=Qualität")).table
    assert table["path"].map(lambda path: path.rsplit("/", 1)[1]).tolist() == [
        normalize(form, "café.png"),
        normalize(form, "ö.png"),
    ]
    assert table["group"].tolist() == ["é", "é"]


@pytest.mark.parametrize("header", ["Image Name,MOS", "imageName,Mos_zscore", "IMG-PATH,Quality"])
def test_usual_names_are_recognised_however_they_are_written(header, folder):
    name = write(folder, f"{header}\n{NAMES[0]},1\n{NAMES[2]},2\n")
    assert len(datasets.load(name)) == 2


@pytest.mark.parametrize("name", ["C++", "a b", "100%25", "Tom %26 Jerry", "é"])
def test_a_root_may_have_any_name(name, folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    real = name.replace("%25", "%").replace("%26", "&")
    folder.rename(folder.with_name(real))
    root = folder.with_name(name)
    table = write(elsewhere, f"image,mos\n{NAMES[0]},1\n{NAMES[2]},2\n")
    expected = [str(folder.with_name(real) / NAMES[i]) for i in (0, 2)]
    assert datasets.load(f"{table}?root={root}").table["path"].tolist() == expected
    assert datasets.load(absolute(f"{table}?root={root}")).table["path"].tolist() == expected


def test_sides_with_tables_of_their_own(folder):
    train = write(folder, f"image,mos,set\n{NAMES[0]},1,x\n'{NAMES[1]}',5,y\n".replace("'", '"'))
    (folder / "sub" / "test.csv").write_text("image,mos\ne.png,3\n")
    data = datasets.load(f"{train}?test={folder}/sub/test.csv")
    assert data.table["split"].tolist() == ["train", "train", "test"]
    assert data.table["id"].tolist() == [*NAMES[:2], "sub/e.png"]
    assert data.table["path"].tolist() == [str(folder / name) for name in NAMES]
    assert data.table["group"].tolist() == data.table["id"].tolist()
    assert data.table["target"].tolist() == [0, 1, 0.5]
    assert f"test in {folder}/sub/test.csv" in data.info.where
    (folder / "test.csv").write_text(f"image,mos\n'{NAMES[1]}',3\n".replace("'", '"'))
    with pytest.raises(UserError, match=r"'c,d .* is on two sides; leave one out"):
        datasets.load(f"{train}?test={folder}/test.csv")
    (folder / "test.csv").write_text("image,score\nsub/e.png,3\n")
    with pytest.raises(UserError, match=r"test.csv: column `mos` not found"):
        datasets.load(f"{train}?test={folder}/test.csv")


def test_images_of_one_name_on_two_sides_are_two_contents(tmp_path):
    for side in ("train", "test"):
        (tmp_path / side).mkdir()
        Image.new("RGB", (8, 8), (len(side), 0, 0)).save(tmp_path / side / "0.png")
        (tmp_path / side / "t.csv").write_text(f"image,mos\n0.png,{len(side)}\n")
    table = datasets.load(f"csv:{tmp_path}/train/t.csv?test={tmp_path}/test/t.csv").table
    assert table["group"].tolist() == ["0.png", "../test/0.png"]


def test_other_images_of_the_same_names_and_sizes_are_another_set(tmp_path):
    for place, colour in (("one", "red"), ("two", "blue"), ("copy", "red")):
        (tmp_path / place).mkdir()
        for name in ("0.bmp", "1.bmp"):
            Image.new("RGB", (8, 8), colour).save(tmp_path / place / name)
        (tmp_path / place / "t.csv").write_text("image,mos\n0.bmp,1\n1.bmp,2\n")
    one, two, copy = (datasets.load(f"csv:{tmp_path / n}/t.csv") for n in ("one", "two", "copy"))
    assert one.table["size"].tolist() == two.table["size"].tolist()
    assert one.images_fingerprint != two.images_fingerprint
    assert one.fingerprint != two.fingerprint
    assert one.images_fingerprint == copy.images_fingerprint
    assert one.fingerprint == copy.fingerprint


def test_check_refuses_what_features_refuse(folder):
    Image.new("F", (8, 8)).save(folder / "float.tiff")
    (folder / "sub" / "text.png").write_text("no image")
    name = write(folder, f"image,mos\nfloat.tiff,1\nsub/text.png,2\n{NAMES[2]},3\n")
    faults = datasets.check(name).faults
    assert len(faults) == 2
    assert "float.tiff: floating-point pixels have no known range" in faults[0]
    assert "text.png: not a readable image" in faults[1]
