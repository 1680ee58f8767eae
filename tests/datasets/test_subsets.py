import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iqa.datasets import Split, grouped_folds, training_shares
from iqa.errors import UserError

SHARES = [0.05, 0.1, 0.25, 0.5, 0.9, 1.0]


def images(sizes):
    """A table with groups of these sizes."""
    groups = [f"g{g}" for g, size in enumerate(sizes) for _ in range(size)]
    return pd.DataFrame({"id": [f"i{n}" for n in range(len(groups))], "group": groups})


sets = st.lists(st.integers(1, 9), min_size=3, max_size=30).map(images)


@settings(deadline=None)
@given(table=sets, seed=st.integers(0, 2**31 - 1), fold=st.integers(0, 2))
def test_shares_are_nested_whole_groups_of_the_size_asked_for(table, seed, fold):
    split = grouped_folds(table, 3, 0)[fold]
    group_of = table.set_index("id")["group"]
    sizes = group_of[list(split.train)].value_counts()
    parts = training_shares(split, table, SHARES, seed)
    for share, part, larger in zip(SHARES, parts, [*parts[1:], split], strict=True):
        assert set(part.train) <= set(larger.train)
        assert (part.val, part.test, part.fold) == (split.val, split.test, split.fold)
        taken = group_of[list(part.train)].value_counts()
        assert len(taken) >= 1
        assert (taken == sizes[taken.index]).all()
        assert abs(len(part.train) - share * len(split.train)) <= sizes.max()
    assert parts[-1] == split


@settings(deadline=None)
@given(table=sets, seed=st.integers(0, 99))
def test_the_same_seed_gives_the_same_share_whatever_the_order_and_the_other_shares(table, seed):
    split = grouped_folds(table, 3, 0)[0]
    turned = Split(split.kind, split.seed, split.fold, split.train[::-1], split.val, split.test)
    (alone,) = training_shares(turned, table[::-1], [0.25], seed)
    assert alone == training_shares(split, table, SHARES, seed)[2]
    assert alone.kind == "grouped 3-fold, 25 % of train"


def test_seeds_draw_others_and_single_images_are_counted_exactly():
    table = images([1] * 300)
    split = grouped_folds(table, 3, 0)[0]
    parts = [training_shares(split, table, SHARES, seed) for seed in (8, 19)]
    assert [len(part.train) for part in parts[0]] == [5, 10, 25, 50, 90, 100]
    assert all(a.train != b.train for a, b in zip(*parts, strict=True) if a.train != split.train)
    drawn = np.mean([len(set(a.train) & set(b.train)) for a, b in [(parts[0][3], parts[1][3])]])
    assert 10 < drawn < 40  # two independent halves of 100 share about 25


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan")])
def test_what_is_no_share_is_one_line(share):
    table = images([1] * 9)
    with pytest.raises(UserError, match="each is a part of the training images") as caught:
        training_shares(grouped_folds(table, 3, 0)[0], table, [0.5, share], 8)
    assert "\n" not in str(caught.value)
