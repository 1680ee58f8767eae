import numpy as np
import pytest

from iqa.errors import UserError
from iqa.evaluation import fisher_interval, srcc


def test_the_interval_of_the_example_in_the_authors_own_package():
    """`ci.spear` of R's statpsych, by Bonett: estimate .8699639 of 15 pairs, its printed limits."""
    low, high = fisher_interval(0.8699639, 15)
    assert low == pytest.approx(0.5840951, abs=1e-6)
    assert high == pytest.approx(0.9638297, abs=1e-6)


def test_it_shrinks_with_the_images_and_mirrors_the_sign():
    ends = fisher_interval([0.8, 0.8, -0.8], [100, 1000, 100])
    assert ends.shape == (3, 2)
    assert np.diff(ends[0]) > 3 * np.diff(ends[1]) > 0
    assert ends[2] == pytest.approx(-ends[0][::-1])


@pytest.mark.parametrize(("value", "n"), [(1.0, 50), (-1.0, 50), (0.5, 3)])
def test_where_there_is_no_interval_it_is_told(value, n):
    with pytest.raises(UserError, match="4 images or more"):
        fisher_interval(value, n)


def test_it_covers_the_truth_as_often_as_it_says():
    """Of normal pairs, Spearman's correlation is 6/pi asin(rho/2)."""
    rng, rho, draws = np.random.default_rng(0), 0.85, 400
    truth = 6 / np.pi * np.arcsin(rho / 2)
    pairs = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=(draws, 100))
    found = fisher_interval([srcc(*pair.T) for pair in pairs], 100)
    covered = np.mean((found[:, 0] <= truth) & (truth <= found[:, 1]))
    assert 0.92 <= covered <= 0.98
