import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import random_split as torch_random_split

from iqa.datasets import (
    SPLITS,
    grouped_split,
    official_apart_split,
    official_split,
    published_split,
    random_split,
    shared_groups,
)
from iqa.errors import UserError

SHARES = st.tuples(*[st.integers(2, 8)] * 3).map(lambda n: tuple(part / sum(n) for part in n))
SEEDS = st.integers(0, 2**31 - 1)


def images(groups, **columns):
    return pd.DataFrame({"id": [f"i{n:03}" for n in range(len(groups))], "group": groups} | columns)


def group_of(table):
    return dict(zip(table["id"], table["group"], strict=True))


def sides(split):
    return split.train, split.val, split.test


TABLE = images(["abcdefghij"[n % 10] for n in range(100)])
OWNERS = images(
    [f"g{n // 4}" for n in range(100)],
    split=["test" if n < 20 else "train" for n in range(100)],
)


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=12, max_size=30), fractions=SHARES, seed=SEEDS)
def test_drawn_sides_are_disjoint_complete_and_as_large_as_asked(sizes, fractions, seed):
    table = images([f"g{n}" for n, size in enumerate(sizes) for _ in range(size)])
    drawn = {
        1: random_split(table, seed, fractions),
        max(sizes): grouped_split(table, seed, fractions),
    }
    for tolerance, split in drawn.items():
        assert sorted(sum(sides(split), ())) == sorted(table["id"])
        for side, share in zip(sides(split), fractions, strict=True):
            assert abs(len(side) - share * len(table)) <= tolerance
    assert shared_groups(drawn[max(sizes)], group_of(table)) == []


@settings(deadline=None)
@given(seed=SEEDS, shuffle=st.integers(0, 1000), kind=st.sampled_from(["random", "grouped"]))
def test_rows_may_come_in_any_order(seed, shuffle, kind):
    shuffled = TABLE.sample(frac=1, random_state=shuffle)
    assert SPLITS[kind](shuffled, seed) == SPLITS[kind](TABLE, seed)


@settings(deadline=None)
@given(seed=SEEDS, shuffle=st.integers(0, 1000))
def test_official_without_validation_gets_one_out_of_train(seed, shuffle):
    split = official_split(OWNERS.sample(frac=1, random_state=shuffle), seed)
    assert split == official_split(OWNERS, seed)
    assert split.test == tuple(OWNERS["id"][:20])
    assert sorted(split.train + split.val) == list(OWNERS["id"][20:])
    assert abs(len(split.val) - 80 * 0.1 / 0.8) <= 4
    assert shared_groups(split, group_of(OWNERS)) == []


def test_official_with_validation_is_taken_as_it_is():
    table = OWNERS.assign(split=["test"] * 20 + ["val"] * 8 + ["train"] * 72)
    split = official_split(table, seed=8)
    assert sides(split) == tuple(tuple(table["id"][a:b]) for a, b in [(28, 100), (20, 28), (0, 20)])
    assert official_split(table, seed=19).hash == split.hash


# Image i019 of the test side and i020 of train show one picture.
SHARED = OWNERS.assign(group=OWNERS["group"].replace("g5", "g4"))


def test_official_keeps_contents_that_its_owner_put_on_two_sides_and_says_so():
    with pytest.warns(UserWarning, match="1 content groups .* two sides, with 4 of 20 test images"):
        split = official_split(SHARED, 8)
    assert sorted(sum(sides(split), ())) == list(SHARED["id"])
    assert split.test == tuple(SHARED["id"][:20])
    assert "g4" in shared_groups(split, group_of(SHARED))


def test_official_apart_leaves_shared_contents_out_of_train_and_keeps_the_test_side():
    split = official_apart_split(SHARED, 8)
    assert split.test == tuple(SHARED["id"][:20])
    assert sorted(split.train + split.val) == list(SHARED["id"][24:])
    assert shared_groups(split, group_of(SHARED)) == []


def test_official_apart_is_official_where_no_content_is_shared():
    assert sides(official_apart_split(OWNERS, 8)) == sides(official_split(OWNERS, 8))


@pytest.mark.parametrize("kind", SPLITS)
def test_a_seed_is_a_split_and_another_seed_another(kind):
    hashes = [SPLITS[kind](OWNERS, seed).hash for seed in (8, 8, 19, 25)]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3
    assert SPLITS[kind](OWNERS, 8).kind == kind


def test_hashes_are_those_of_every_other_machine():
    # Noted when the format was fixed: a change here makes every published split another.
    assert {kind: SPLITS[kind](OWNERS, 8).hash for kind in SPLITS} == {
        "random": "ef0401d3a3e99cbf",
        "grouped": "bbf70d91f438c6a1",
        "official": "c102b29e038367d0",
        "official_apart": "934ce0608225a39c",
        "published": "0eb4fce3ba39e734",
    }


def test_a_random_split_shares_groups_which_is_why_there_is_the_other():
    assert shared_groups(random_split(TABLE, 8), group_of(TABLE)) == list("abcdefghij")


@pytest.mark.parametrize("seed", [8, 19, 25])
@pytest.mark.parametrize("n", [100, 101, 1169])
def test_published_is_pytorchs_random_split_in_its_order(seed, n):
    table = images(["g"] * n)
    size = int(0.8 * n)
    train, test = torch_random_split(
        list(table["id"]), [size, n - size], generator=torch.Generator().manual_seed(seed)
    )
    assert sides(published_split(table, seed)) == (tuple(train), (), tuple(test))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: random_split(TABLE, 8, (0.7, 0.1, 0.1)), "together 1"),
        (lambda: grouped_split(TABLE, 8, (0.8, 0.0, 0.2)), "above 0"),
        (lambda: random_split(TABLE, 8, (0.8, 0.2)), "train, validation and test"),
        (lambda: random_split(images([]), 8), "no image is in train"),
        (lambda: grouped_split(images(["a"] * 9), 8), "no image is in .*content groups"),
        (lambda: published_split(images(["a"]), 8), "no image is in train"),
        (lambda: random_split(pd.concat([TABLE, TABLE]), 8), "id '.*' is in"),
        (lambda: published_split(pd.concat([TABLE, TABLE]), 8), "id '.*' is in"),
        (lambda: grouped_split(TABLE[["id"]], 8), "no column `group`"),
        (lambda: official_split(TABLE, 8), "`official`: this data set has none; choose"),
        (lambda: official_split(OWNERS.assign(split="training"), 8), "'i000' has 'training'"),
        (lambda: official_split(OWNERS.assign(split=None), 8), "'i000' has None"),
        (lambda: official_split(OWNERS.assign(split="train"), 8), "no image is in test"),
        (lambda: official_split(OWNERS.assign(split="test"), 8), "no image is in train"),
        (lambda: official_split(OWNERS.assign(group="g"), 8), "no image is in val|two sides"),
        (lambda: official_apart_split(TABLE, 8), "no column `split`"),
        (lambda: official_apart_split(OWNERS.assign(group="g"), 8), "no image is in train"),
        (
            lambda: official_apart_split(
                images(["g0", "g0", "g1"], split=["train", "val", "test"]), 8
            ),
            r"1 content group\(s\) have images on two sides, the first is 'g0'",
        ),
    ],
)
def test_what_cannot_be_split_is_one_line(draw, message):
    with pytest.raises(UserError, match=message) as caught:
        draw()
    assert "\n" not in str(caught.value)
