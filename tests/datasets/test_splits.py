import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqa.datasets import FOLDS, Split, grouped_folds, random_folds, shared_groups
from iqa.errors import UserError

IDS = [f"{group}-{i}" for group in "abcdefg" for i in range(3)]
GROUPS = [name[0] for name in IDS]


def images(ids, groups):
    return pd.DataFrame({"id": ids, "group": groups})


TABLE = images(IDS, GROUPS)


@settings(deadline=None)
@given(
    groups=st.lists(st.sampled_from("abcdefghij"), min_size=3, max_size=60).filter(
        lambda drawn: len(set(drawn)) >= 3
    ),
    seed=st.integers(0, 2**31 - 1),
    data=st.data(),
)
def test_each_image_is_tested_once_and_no_group_is_shared(groups, seed, data):
    folds = data.draw(st.integers(3, len(set(groups))))
    ids = [f"i{n}" for n in range(len(groups))]
    for kind, fold in FOLDS.items():
        splits = fold(images(ids, groups), folds, seed)
        assert sorted(name for split in splits for name in split.test) == sorted(ids)
        for i, split in enumerate(splits):
            assert split.kind == f"{kind} {folds}-fold"
            assert split.val == splits[(i + 1) % folds].test
            assert sorted(split.train + split.val + split.test) == sorted(ids)
            assert split.train
            if kind == "grouped":
                assert shared_groups(split, dict(zip(ids, groups, strict=True))) == []


@pytest.mark.parametrize("fold", FOLDS.values())
def test_order_of_rows_does_not_matter_but_the_seed_does(fold):
    forward = fold(TABLE, 5, seed=8)
    assert fold(TABLE[::-1], 5, seed=8) == forward
    assert fold(TABLE, 5, seed=19) != forward


def test_random_folds_are_of_equal_size_and_share_groups():
    splits = random_folds(TABLE, 3, seed=8)
    assert [len(split.test) for split in splits] == [7, 7, 7]
    assert all(shared_groups(split, dict(zip(IDS, GROUPS, strict=True))) for split in splits)


def test_hash_ignores_order_within_a_side_and_sees_everything_else():
    split = Split("random", 0, 0, ("a", "b"), ("c",), ("d",))
    assert split.hash == Split("random", 1, 2, ("b", "a"), ("c",), ("d",)).hash
    others = [
        Split("grouped", 0, 0, ("a", "b"), ("c",), ("d",)),
        Split("random", 0, 0, ("a",), ("b", "c"), ("d",)),
        Split("random", 0, 0, ("a", "b"), ("d",), ("c",)),
    ]
    assert len({split.hash, *(other.hash for other in others)}) == 4
    assert len(split.hash) == 16


@pytest.mark.parametrize(
    ("fold", "ids", "groups", "folds", "message"),
    [
        (grouped_folds, IDS, GROUPS, 8, "7 content groups cannot fill 8 folds"),
        (grouped_folds, IDS, GROUPS, 2, "at least 3"),
        (grouped_folds, ["a", "a", "b", "c"], ["a", "x", "b", "c"], 3, "id 'a' is in"),
        (grouped_folds, ["a", "a", "b", "c"], ["a", "a", "b", "c"], 3, "id 'a' is in"),
        (grouped_folds, [], [], 3, "0 content groups"),
        (random_folds, IDS, GROUPS, 22, "21 images cannot fill 22 folds"),
        (random_folds, ["a", "a", "b", "c"], list("abcd"), 3, "id 'a' is in"),
    ],
)
def test_what_cannot_be_split_is_one_line(fold, ids, groups, folds, message):
    with pytest.raises(UserError, match=message) as caught:
        fold(images(ids, groups), folds, seed=0)
    assert "\n" not in str(caught.value)


def test_an_id_on_two_sides_is_refused():
    with pytest.raises(UserError, match="id 'a' is in train and in test"):
        Split("random", 0, 0, ("a", "b"), ("c",), ("a",))
