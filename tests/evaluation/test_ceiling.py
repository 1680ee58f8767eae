import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iqa.datasets import load
from iqa.errors import UserError
from iqa.evaluation import srcc, srcc_ceilings

RNG = np.random.default_rng(7)
TRUTH = RNG.normal(50, 20, 20_000)


@pytest.mark.parametrize("error", [2.0, 10.0, 20.0])
def test_for_normal_scores_it_is_the_known_function_of_their_reliability(error):
    """The population value of Spearman's correlation of normal variables (Pearson, 1907)."""
    scores = TRUTH + RNG.normal(0, error, TRUTH.size)
    found = srcc_ceilings(scores, np.full(TRUTH.size, 3 * error), 9, draws=5).mean()
    rho = np.sqrt(20**2 / (20**2 + error**2))
    assert found == pytest.approx(6 / np.pi * np.arcsin(rho / 2), abs=0.004)


def test_a_model_that_knows_the_truth_reaches_it_whatever_the_distribution():
    """Skewed scores, and errors that differ from image to image."""
    truth = RNG.gamma(2, 10, 20_000)
    deviations = RNG.uniform(5, 40, truth.size)
    ratings = RNG.integers(5, 60, truth.size)
    scores = truth + RNG.normal(0, deviations / np.sqrt(ratings))
    found = srcc_ceilings(scores, deviations, ratings, draws=5).mean()
    # Drawing to the mean keeps the shape of the scores, which is not quite that of the truth.
    assert found == pytest.approx(srcc(truth, scores), abs=0.01)


def test_more_ratings_raise_it_to_one():
    few, many, exact = (
        srcc_ceilings(TRUTH[:500], np.full(500, 20.0), n, draws=20).mean() for n in (2, 20, 1e12)
    )
    assert few < many < exact
    assert exact == pytest.approx(1)


@given(scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
def test_the_unit_of_the_scores_does_not_matter(scale, shift):
    scores, deviations = TRUTH[:50], np.linspace(5, 30, 50)
    plain = srcc_ceilings(scores, deviations, 10, draws=2)
    other = srcc_ceilings(scale * scores + shift, scale * deviations, 10, draws=2)
    np.testing.assert_allclose(other, plain, atol=1e-3)


def test_the_same_seed_gives_the_same_draws():
    arguments = (TRUTH[:50], np.full(50, 9.0), 5)
    first, again = (srcc_ceilings(*arguments, draws=3, seed=1) for _ in range(2))
    assert (first == again).all()
    assert (first != srcc_ceilings(*arguments, draws=3, seed=2)).any()


@pytest.mark.parametrize(
    ("deviations", "ratings", "said"),
    [
        ([1.0, 1.0], 5, "a standard deviation for each score"),
        ([1.0, -1.0, 1.0], 5, "0 or more"),
        ([1.0, np.nan, 1.0], 5, "leave out images"),
        ([1.0, 1.0, 1.0], 0, "positive number of ratings"),
        ([90.0, 90.0, 90.0], 5, "in one unit"),
    ],
)
def test_what_cannot_be_is_refused(deviations, ratings, said):
    with pytest.raises(UserError, match=said):
        srcc_ceilings([1.0, 2.0, 4.0], deviations, ratings)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "low", "high"), [("clive", 0.99, 1), ("agiqa3k", 0.98, 0.995)])
def test_published_models_stay_below_it(name, low, high):
    data = load(name)
    found = srcc_ceilings(data.table["score"], *data.ratings())
    assert low < found.mean() < high
