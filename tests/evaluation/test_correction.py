import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from iqa.evaluation import holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize("comparisons", [1, 2, 9, 200])
def test_it_is_the_correction_of_statsmodels(comparisons):
    # Rounded, so that some of them are equal.
    p = (np.random.default_rng(0).random(comparisons) ** 3).round(2)
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-15)


@given(P_VALUES, st.randoms())
def test_the_order_of_the_comparisons_does_not_matter(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    np.testing.assert_array_equal(holm(np.array(p)[order]), holm(p)[order])


@pytest.mark.parametrize("p", [[], [0.2]])
def test_fewer_than_two_comparisons_need_no_correction(p):
    assert list(holm(p)) == p


def test_one_unknown_leaves_none_corrected():
    assert np.isnan(holm([0.01, np.nan])).all()
