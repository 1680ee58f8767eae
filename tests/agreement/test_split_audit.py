import json
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance
from skimage import data as photographs

from iqa.agreement import audit_split, left_out, read_sides
from iqa.datasets import Split, load, write_split
from iqa.errors import UserError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve images of noise in 6 contents; copy.png is 1.png, dark.png a darker cat.png."""
    folder = tmp_path_factory.mktemp("images")
    for n in range(8):
        pixels = np.random.default_rng(n).integers(0, 255, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
    (folder / "copy.png").write_bytes((folder / "1.png").read_bytes())
    cat = Image.fromarray(photographs.chelsea())
    cat.save(folder / "cat.png")
    ImageEnhance.Brightness(cat).enhance(0.6).save(folder / "dark.png")
    names = [*(f"{n}.png" for n in range(8)), "copy.png", "cat.png", "dark.png"]
    groups = ["a", "a", "b", "b", "c", "c", "d", "d", "e", "f", "g"]
    table = pd.DataFrame({"image": names, "mos": range(11), "scene": groups})
    table.to_csv(folder / "ratings.csv", index=False)
    return load(f"csv:{folder / 'ratings.csv'}")


def test_a_clean_split_shares_nothing(data):
    assert (
        audit_split({"train": ["0.png", "1.png", "2.png"], "test": ["4.png", "5.png"]}, data) == ()
    )


def test_everything_shared_is_found_and_said_once(data):
    train = ["0.png", "1.png", "2.png", "4.png", "cat.png"]
    test = ["2.png", "5.png", "6.png", "copy.png", "dark.png"]
    found = audit_split({"train": train, "test": test}, data)
    assert [(leak.kind, leak.count, leak.images, leak.of) for leak in found] == [
        ("ids", 1, 1, 5),
        ("contents", 1, 1, 5),
        ("files with the same bytes", 1, 1, 5),
        ("near-duplicates", 1, 1, 5),
    ]
    assert str(found[1]) == (
        "contents shared by train and test: 1, such as 4.png and 5.png; "
        "this affects 1 of 5 test images"
    )
    assert found[2].example == "1.png and copy.png"
    assert found[3].example.startswith("cat.png and dark.png (")


def test_ids_in_other_folders_are_found_by_file_name_and_their_leaks_are_told(data):
    sides = {"train": ["Images/0.png", "Images/2.png"], "test": ["Images/2.png", "Images/4.png"]}
    (leak,) = audit_split(sides, data)
    assert (leak.kind, leak.count, leak.example) == ("ids", 1, "2.png")


def test_ids_of_a_mac_are_found(tmp_path):
    names = [normalize("NFD", f"é{n}.png") for n in range(3)]
    for n, name in enumerate(names):
        Image.new("RGB", (32, 32), (80 * n, 0, 0)).save(tmp_path / name)
    pd.DataFrame({"image": names, "mos": range(3)}).to_csv(tmp_path / "r.csv", index=False)
    (tmp_path / "s.json").write_text(json.dumps({"train": names[:2], "test": names[1:]}))
    leaks = audit_split(read_sides(tmp_path / "s.json"), load(f"csv:{tmp_path / 'r.csv'}"))
    assert (leaks[0].kind, leaks[0].example) == ("ids", names[1])


def test_each_two_sides_are_compared_and_ids_need_no_data():
    sides = {"train": ["a", "b"], "val": ["b", "c"], "test": ["c", "d", "a"]}
    pairs = [(leak.first, leak.second, leak.example) for leak in audit_split(sides)]
    assert pairs == [("train", "val", "b"), ("train", "test", "a"), ("val", "test", "c")]


def test_a_split_is_read_from_a_manifest_from_json_and_from_tables(tmp_path, write):
    sides = {"train": ["a", "b"], "val": ["c"], "test": ["d"]}
    write_split(tmp_path / "s.json", Split("random", 0, 0, ("a", "b"), ("c",), ("d",)), "0" * 16)
    (tmp_path / "p.json").write_text(
        json.dumps({"Training": ["a", "b"], "val": ["c"], "test": ["d"]})
    )
    table = pd.DataFrame({"file": list("abcd"), "set": ["training", "train", "valid", "TEST"]})
    paths = [
        tmp_path / "s.json",
        tmp_path / "p.json",
        write("s.csv", table),
        write("s.parquet", table),
    ]
    assert [read_sides(path) for path in paths] == [sides] * 4


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.json", "{", "cannot be read as JSON"),
        ("s.json", "[" * 200_000, "cannot be read as JSON"),
        ("s.json", '{"train": ["a"], "Training": ["b"], "test": ["c"]}', "two lists for train"),
        ("s.json", "[1]", "sides found: none; expected test and one of train and val"),
        ("s.json", '{"train": "a", "test": ["b"]}', "expected a list of ids for each of train"),
        ("s.json", '{"test": ["b"]}', "sides found: test; expected test and one of train and val"),
        ("s.csv", "image,mos\na,1\n", "expected a column `image` and a column `split`"),
        ("s.csv", "image,split\na,left\n", "split is 'left', expected one of train"),
        ("s.csv", "image,split\na,train\nb,\n", "row 2 (b): split is empty, expected one of"),
        ("s.csv", "image,split\na,train\n,test\n", "s.csv, row 2: no image is named"),
        ("s.csv", "image,split,split\na,train,x\n", "two columns are called `split`"),
        ("s.csv", "image,image,split\na,1,train\n", "two columns are called `image`"),
    ],
)
def test_a_bad_split_is_one_line(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=r"split|s\.csv") as caught:
        read_sides(tmp_path / name)
    assert said in str(caught.value)


def test_json_with_a_mark_of_its_encoding_and_a_side_that_is_null_is_read(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{"train": ["a"], "val": null, "test": ["b"]}', encoding="utf-8-sig")
    assert read_sides(path) == {"train": ["a"], "test": ["b"]}


def test_images_that_cannot_be_decoded_are_not_called_clean(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"no picture")
    (tmp_path / "r.csv").write_text("image,mos\na.png,1\nb.png,2\n")
    data = load(f"csv:{tmp_path / 'r.csv'}")
    with pytest.raises(UserError, match=r"2 images cannot be decoded, .* the first: .*a\.png"):
        audit_split({"train": ["a.png"], "test": ["b.png"]}, data)


def test_a_split_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"split .*no.json not found; give a JSON file or a table"):
        read_sides(tmp_path / "no.json")


def test_ids_of_another_set_are_refused(data):
    with pytest.raises(UserError, match=r"1 of 2 ids are not in .*, the first is 'x.png'"):
        audit_split({"train": ["x.png"], "test": ["0.png"]}, data)
    sides = {"train": ["x.png", "1.png"], "test": ["0.png"]}
    assert [leak.kind for leak in audit_split(sides, data, common=True)] == ["contents"]


def test_each_side_is_spelt_by_itself_and_what_is_left_out_is_said(data):
    sides = {"train": ["train/1.png", "train/x.png"], "test": ["0.png", "4.png"]}
    with pytest.raises(UserError, match=r"1 of 4 ids are not in .*, the first is 'train/x.png'"):
        audit_split(sides, data)
    assert [leak.kind for leak in audit_split(sides, data, common=True)] == ["contents"]
    assert left_out(sides, data) == [
        "split: 1 of 2 train ids are not in ratings, so nothing is known of them"
    ]


def test_a_side_of_which_nothing_is_known_is_not_called_clean(data):
    sides = {"train": ["x.png", "y.png"], "test": ["0.png", "4.png"]}
    with pytest.raises(UserError, match=r"no id of the side train is in csv:.*ratings\.csv"):
        audit_split(sides, data, common=True)
