import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqa.datasets import Split, check_groups, read_split, write_split
from iqa.errors import UserError

SPLIT = Split("grouped", 8, 2, ("a-1", "a-2", "b-1"), ("c-1",), ("d-1", "d-2"))
IDS = st.lists(st.text(min_size=1), min_size=3, unique=True)


@settings(deadline=None)
@given(names=IDS, seed=st.integers(), kind=st.text())
def test_what_is_written_is_read(names, seed, kind, tmp_path_factory):
    path = tmp_path_factory.mktemp("split") / "split.json"
    split = Split(kind, seed, 0, tuple(names[2:]), (names[1],), (names[0],))
    write_split(path, split, "f00d")
    assert read_split(path, "f00d") == split


def test_the_file_is_plain_json(tmp_path):
    path = tmp_path / "split.json"
    write_split(path, SPLIT, "f00d")
    found = json.loads(path.read_text())
    assert found.pop("checksum")
    assert found == {
        "format": "iqa-split-1", "dataset": "f00d", "kind": "grouped", "seed": 8, "fold": 2,
        "hash": SPLIT.hash, "train": ["a-1", "a-2", "b-1"], "val": ["c-1"], "test": ["d-1", "d-2"],
    }  # fmt: skip
    assert read_split(path) == SPLIT


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("train", ["a-1", "b-1"], "altered or damaged"),
        ("test", ["d-1", "a-3"], "altered or damaged"),
        ("kind", "official", "altered or damaged"),
        ("seed", 9, "altered or damaged"),
        ("fold", 1, "altered or damaged"),
        ("dataset", "beef", "altered or damaged"),
        ("hash", "0" * 16, "altered or damaged"),
        ("checksum", "", "altered or damaged"),
        ("test", ["d-1", "a-1"], "'a-1' is in train and in test"),
        ("val", [], "no image is in val"),
        ("train", [1, 2], "train.0: Input should be a valid string"),
        ("format", "iqa-split-9", "format: Input should be 'iqa-split-1'"),
        ("note", "mine", "note: Extra inputs"),
    ],
)
def test_an_altered_file_is_refused(tmp_path, key, value, message):
    path = tmp_path / "split.json"
    write_split(path, SPLIT, "f00d")
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(UserError, match=message) as caught:
        read_split(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b"", lambda b: b"\xff" + b])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = tmp_path / "split.json"
    write_split(path, SPLIT, "f00d")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"split\.json: file: Invalid JSON.* again") as caught:
        read_split(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_another_data_set_are_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.json: No such file"):
        read_split(tmp_path / "none.json")
    write_split(tmp_path / "split.json", SPLIT, "f00d")
    with pytest.raises(UserError, match="drawn from data f00d, not from beef"):
        read_split(tmp_path / "split.json", "beef")


def test_groups_on_two_sides_are_an_error():
    group_of = {name: name[0] for name in SPLIT.train + SPLIT.val + SPLIT.test}
    check_groups(SPLIT, group_of)
    with pytest.raises(UserError, match=r"1 content group\(s\).* the first is 'a'"):
        check_groups(SPLIT, group_of | {"c-1": "a"})
    with pytest.raises(UserError, match="'d-2' has no content group"):
        check_groups(SPLIT, {name: group for name, group in group_of.items() if name != "d-2"})


@pytest.mark.parametrize("side", ["train", "val", "test"])
def test_only_the_published_kind_may_lack_validation(side):
    full = {"train": ("a",), "val": ("b",), "test": ("c",)}
    with pytest.raises(UserError, match=f"no image is in {side}"):
        Split("random", 0, 0, **(full | {side: ()}))
    if side == "val":
        assert Split("published", 0, 0, **(full | {side: ()})).val == ()
    else:
        with pytest.raises(UserError, match=f"no image is in {side}"):
            Split("published", 0, 0, **(full | {side: ()}))
