import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from iqa.errors import UserError
from iqa.evaluation import holm, verdict

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize("comparisons", [1, 2, 9, 200])
def test_holm_is_the_correction_of_statsmodels(comparisons):
    # Rounded, so that some of them are equal.
    p = (np.random.default_rng(0).random(comparisons) ** 3).round(2)
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-15)


@given(P_VALUES, st.randoms())
def test_the_order_of_the_comparisons_does_not_matter(p, random):
    order = list(range(len(p)))
    random.shuffle(order)
    np.testing.assert_array_equal(holm(np.array(p)[order]), holm(p)[order])


def test_an_unknown_p_value_counts_as_a_comparison_and_stays_unknown():
    np.testing.assert_allclose(holm([0.01, np.nan, 0.02]), [0.03, np.nan, 0.04])
    assert np.isnan(holm([np.nan, np.nan])).all()


@pytest.mark.parametrize(
    ("low", "high", "p", "expected"),
    [
        (0.02, 0.04, 0.001, "better"),
        (-0.04, -0.02, 0.001, "worse"),
        (-0.02, 0.04, 0.6, "undecided"),
        (0.005, 0.04, 0.06, "undecided"),  # the interval alone excludes 0, not after correction
        (-0.009, 0.009, 0.9, "equivalent"),
        (0.002, 0.009, 0.001, "equivalent"),  # sure, and too small to matter
        (-0.01, 0.009, 0.9, "undecided"),  # touches the margin
        (np.nan, np.nan, np.nan, "undecided"),  # withheld
    ],
)
def test_verdicts(low, high, p, expected):
    assert verdict(low, high, p, margin=0.01) == expected


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.2))
def test_the_opposite_difference_has_the_opposite_verdict(low, width, p, margin):
    opposite = {"better": "worse", "worse": "better"}
    found = verdict(low, low + width, p, margin)
    assert verdict(-low - width, -low, p, margin) == opposite.get(found, found)


def test_without_a_margin_nothing_is_equivalent():
    assert verdict(-1e-9, 1e-9, 1.0, margin=0) == "undecided"
    with pytest.raises(UserError, match=r"`margin` is -0.1: expected 0 or more"):
        verdict(0, 0, 0, margin=-0.1)
