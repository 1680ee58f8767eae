import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from iqa.errors import UserError
from iqa.evaluation.bootstrap import bootstrap_srcc, resample_counts


def samples_naively(preds, target, groups, resamples, seed):
    """scipy's SRCC on the repeated images themselves."""
    counts = resample_counts(groups, resamples, seed)
    return [
        stats.spearmanr(np.repeat(preds, counts[:, r]), np.repeat(target, counts[:, r])).statistic
        for r in range(resamples)
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_equals_scipy_on_each_resample(seed, ties):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 8, 30).astype(float) if ties else rng.normal(size=30)
    preds = target + rng.integers(-3, 4, 30)
    groups = [str(g) for g in rng.integers(0, 10, 30)] + ["last"]
    target, preds = np.append(target, 3.3), np.append(preds, 0.1)
    found = bootstrap_srcc(preds, target, groups, 25, seed)
    np.testing.assert_allclose(found, samples_naively(preds, target, groups, 25, seed), atol=2e-6)


def test_rows_see_the_same_draws():
    rng = np.random.default_rng(0)
    target = rng.normal(size=50)
    groups = [str(i) for i in range(50)]
    rows = np.stack([target + rng.normal(size=50), target, -target])
    both = bootstrap_srcc(rows, target, groups, 300)
    np.testing.assert_allclose(both[0], bootstrap_srcc(rows[0], target, groups, 300))
    np.testing.assert_allclose(both[1], 1, atol=1e-6)
    np.testing.assert_allclose(both[2], -1, atol=1e-6)


def test_images_of_a_group_are_drawn_together():
    counts = resample_counts(["a", "b", "a", "c", "b"], 200, seed=0)
    np.testing.assert_array_equal(counts[0], counts[2])
    np.testing.assert_array_equal(counts[1], counts[4])
    np.testing.assert_array_equal(counts[[0, 1, 3]].sum(axis=0), 3)


def test_groups_of_alike_images_widen_the_samples():
    rng = np.random.default_rng(0)
    content = np.repeat(rng.normal(size=20), 10)
    target = content + rng.normal(0, 0.1, 200)
    preds = content + np.repeat(rng.normal(size=20), 10)
    single = bootstrap_srcc(preds, target, [str(i) for i in range(200)], 2000)
    grouped = bootstrap_srcc(preds, target, [str(i // 10) for i in range(200)], 2000)
    assert grouped.std() > 2 * single.std()


def test_no_resample_is_an_error():
    with pytest.raises(UserError, match="`resamples` is 0: expected 1 or more"):
        bootstrap_srcc([1, 2, 3], [1, 2, 3], ["a", "b", "c"], 0)


def test_one_group_is_an_error():
    with pytest.raises(UserError, match="at least 2 content groups"):
        bootstrap_srcc([1, 2, 3], [1, 2, 3], ["a"] * 3, 10)


def test_unequal_lengths_are_an_error():
    with pytest.raises(UserError, match="one prediction, target and group an image"):
        bootstrap_srcc([1, 2, 3], [1, 2, 3], ["a", "b"], 10)


def test_draws_can_be_shared_by_images_of_different_groups():
    everything = ["a", "b", "c", "d"]
    whole = resample_counts(everything, 100, seed=1)
    part = resample_counts(["d", "b", "b"], 100, seed=1, drawn_from=[*everything, "a"])
    np.testing.assert_array_equal(part, whole[[3, 1, 1]])
    with pytest.raises(UserError, match="lacks content group 'x'"):
        resample_counts(["a", "x"], 10, seed=1, drawn_from=everything)


def test_a_draw_without_any_of_the_images_is_undefined():
    groups = ["a", "a", "a", "b"]
    found = bootstrap_srcc([1, 2, 3, 4], [1, 3, 2, 4], groups, 200, drawn_from=list("abcd"))
    counts = resample_counts(groups, 200, 0, list("abcd"))
    # Without group a there is one image at most, or the same one again.
    np.testing.assert_array_equal(np.isnan(found), counts[0] == 0)
