import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from iqa.errors import UserError
from iqa.evaluation import evaluate, fit_logistic, krcc, logistic, plcc, plcc_fitted, rmse, srcc


def ranks_naively(values):
    return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]


def test_srcc_is_pearson_of_naive_midranks():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 40), rng.integers(0, 6, 40)
    expected = np.corrcoef(ranks_naively(x), ranks_naively(y))[0, 1]
    assert srcc(x, y) == pytest.approx(expected, abs=1e-12)


def test_krcc_counts_pairs():
    x, y = [1, 2, 3, 4, 5], [3, 1, 2, 5, 4]
    signs = [np.sign((x[j] - x[i]) * (y[j] - y[i])) for i in range(5) for j in range(i)]
    assert krcc(x, y) == pytest.approx(sum(signs) / 10)


def test_rmse_known_value():
    assert rmse([0, 0, 0], [3, 4, 0]) == pytest.approx(np.sqrt(25 / 3))


@given(arrays(float, 20, elements=st.integers(-50, 50).map(float), unique=True))
def test_srcc_ignores_monotone_maps_and_flips_with_sign(x):
    y = np.arange(20.0)
    assert srcc(np.exp(x / 50), y) == pytest.approx(srcc(x, y))
    assert srcc(-x, y) == pytest.approx(-srcc(x, y))


def test_constant_predictions_are_undefined_not_zero():
    constant, target = np.ones(5), np.arange(5.0)
    assert np.isnan(srcc(constant, target))
    assert np.isnan(plcc(constant, target))
    assert np.isnan(plcc_fitted(constant, target, fit_logistic(constant, target)))


def test_three_images_are_too_few_for_four_parameters():
    assert np.isnan(fit_logistic([1, 2, 3], [1, 2, 4])).all()


def test_fit_recovers_a_logistic():
    x = np.linspace(-3, 3, 200)
    truth = (4.5, 1.2, 0.3, 0.8)
    found = fit_logistic(x, logistic(x, truth))
    np.testing.assert_allclose(logistic(x, found), logistic(x, truth), atol=1e-6)


@pytest.mark.parametrize("mean", [1e-16, 0.0, 1e3])
def test_the_fit_does_not_depend_on_where_the_predictions_lie(mean):
    rng = np.random.default_rng(0)
    y = rng.uniform(1, 5, 120)
    x = stats.zscore(y + rng.normal(size=120))
    curve = logistic(x + 3, fit_logistic(x + 3, y))
    np.testing.assert_allclose(logistic(x + mean, fit_logistic(x + mean, y)), curve, atol=1e-4)


def test_fitting_straightens_a_saturating_scale():
    x = np.linspace(-3, 3, 100)
    y = logistic(x, (1, 0, 0, 0.3))
    assert plcc(x, y) < 0.95
    assert plcc_fitted(x, y, fit_logistic(x, y)) == pytest.approx(1, abs=1e-6)


def test_fit_also_finds_a_falling_scale():
    x = np.linspace(-3, 3, 100)
    y = logistic(x, (0, 1, 0, 0.5))
    assert plcc_fitted(x, y, fit_logistic(x, y)) == pytest.approx(1, abs=1e-6)


def test_the_three_plccs_differ_and_test_fit_is_the_most_flattering():
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    y = np.tanh(2 * x) + rng.normal(0, 0.2, 300)
    figures = evaluate(x[:150], y[:150], x[150:], y[150:])
    assert figures["plcc_raw"] < figures["plcc_val_fit"] <= figures["plcc_test_fit"] + 1e-3
    assert set(figures) == {"srcc", "krcc", "plcc_raw", "plcc_val_fit", "plcc_test_fit", "rmse"}


@pytest.mark.parametrize(
    ("x", "y"), [([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([1, np.nan, 3], [1, 2, 3])]
)
def test_unusable_input_is_named(x, y):
    with pytest.raises(UserError, match="metrics need"):
        srcc(x, y)
