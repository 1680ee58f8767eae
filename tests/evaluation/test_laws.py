import numpy as np
import pytest
from scipy import stats

from iqa.evaluation import OverContents, OverSplits, srcc
from iqa.evaluation.bootstrap import bootstrap_srcc


def test_with_many_contents_the_ends_are_percentiles():
    samples = np.random.default_rng(0).normal(size=(3, 5000))
    found = OverContents(100_000).interval(np.zeros(3), samples)
    np.testing.assert_allclose(found, np.quantile(samples, [0.025, 0.975], axis=1).T, atol=1e-3)


def test_few_contents_widen_it_as_students_t_does():
    samples = np.random.default_rng(0).normal(size=(1, 400_000))
    low, high = OverContents(20).interval(np.zeros(1), samples)[0]
    # Hesterberg (2015): the standard error of a bootstrap is too small by sqrt((n - 1) / n).
    expected = stats.t.ppf(0.975, 19) * np.sqrt(20 / 19)
    assert (-low, high) == pytest.approx((expected, expected), rel=0.02)


@pytest.mark.parametrize("contents", [20, 35, 2000])
def test_the_p_value_is_where_the_interval_reaches_0(contents):
    law = OverContents(contents)
    samples = np.random.default_rng(1).normal(1.9, 1, size=(1, 100_000))
    p = law.p_value(np.array([1.9]), samples)[0]
    low, _ = law.interval(np.array([1.9]), samples, level=1 - p)[0]
    assert low == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("law", [OverContents(19), OverSplits(0.1, 19)])
def test_fewer_than_20_contents_have_no_interval(law):
    values = np.random.default_rng(0).normal(size=(2, 50))
    assert np.isnan(law.interval(values.mean(axis=1), values, 0.95)).all()
    assert np.isnan(law.p_value(values.mean(axis=1), values)).all()


def test_splits_without_shared_images_have_the_plain_t_test():
    values = np.random.default_rng(2).normal(0.3, 1, size=(1, 12))
    law = OverSplits(0.0, contents=100)
    expected = stats.ttest_1samp(values[0], 0)
    assert law.p_value(values.mean(axis=1), values)[0] == pytest.approx(expected.pvalue)
    found = law.interval(values.mean(axis=1), values, 0.95)[0]
    assert found == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_shared_images_widen_it_by_nadeau_and_bengios_factor():
    values = np.random.default_rng(2).normal(size=(1, 10))
    mean = values.mean(axis=1)
    plain, corrected = (
        np.diff(OverSplits(r, 100).interval(mean, values, 0.95)[0])[0] for r in (0.0, 0.25)
    )
    assert corrected / plain == pytest.approx(np.sqrt((0.1 + 0.25) / 0.1))


def test_one_split_says_nothing_of_its_error():
    assert np.isnan(OverSplits(0.2, 100).interval(np.zeros(1), np.zeros((1, 1)), 0.95)).all()


def test_both_variances_add_up():
    rng = np.random.default_rng(0)
    drawn, replicates = rng.normal(0, 0.3, size=(1, 200_000)), np.array([[1.0, 2, 3, 4, 5]])
    law = OverSplits(0.25, contents=100, resamples=drawn.shape[1])
    low, high = law.interval(np.array([3.0]), np.concatenate([drawn, replicates], axis=1), 0.95)[0]
    error = np.sqrt(0.3**2 + replicates.var(ddof=1) * (1 / 5 + 0.25))
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 4) * error, rel=0.01)


def test_without_spread_only_a_difference_of_0_is_0():
    law, values = OverSplits(0.2, 100), np.array([[0.0] * 4, [0.1] * 4])
    np.testing.assert_array_equal(law.p_value(np.array([0.0, 0.1]), values), [1.0, 0.0])


def test_the_interval_agrees_with_fishers_z():
    rng = np.random.default_rng(3)
    n, r = 1000, 0.6
    x, y = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], n).T
    rho = srcc(x, y)
    samples = bootstrap_srcc(x[None], y, [str(i) for i in range(n)], 4000)
    found = OverContents(n).interval(np.array([rho]), samples)[0]
    # Bonett & Wright (2000): variance of Fisher's z of an SRCC is (1 + rho^2 / 2) / (n - 3).
    half = 1.96 * np.sqrt((1 + rho**2 / 2) / (n - 3))
    np.testing.assert_allclose(
        found, np.tanh(np.arctanh(rho) + np.array([-half, half])), atol=0.012
    )
