import numpy as np
import pandas as pd
import pytest
from scipy import stats

from iqa.agreement import (
    METRICS,
    Matched,
    Ratings,
    compare,
    estimates,
    fitted,
    outliers,
    per_content,
    performance,
)
from iqa.agreement.draws import drawn_krcc, drawn_plcc, drawn_rmse
from iqa.errors import UserError
from iqa.evaluation import evaluate, fit_logistic, logistic, plcc, rmse
from iqa.evaluation.bootstrap import resample_counts

SCIPY = {
    "srcc": lambda x, y: stats.spearmanr(x, y).statistic,
    "krcc": lambda x, y: stats.kendalltau(x, y).statistic,
    "plcc_raw": lambda x, y: stats.pearsonr(x, y).statistic,
    "rmse_raw": lambda x, y: np.sqrt(np.mean((x - y) ** 2)),
}


def matched(rating, group=None, **predictions):
    ids = [f"{n:04d}" for n in range(len(rating))]
    groups = ids if group is None else [str(one) for one in group]
    images = pd.DataFrame({"id": ids, "rating": np.asarray(rating, float), "group": groups})
    table = pd.DataFrame(predictions).astype(float)
    return Matched(Ratings(images, "made", "MOS", True), table)


def noisy(contents=40, each=3, **errors):
    rng = np.random.default_rng(0)
    rating = rng.uniform(1, 5, contents * each)
    preds = {name: rating + size * rng.normal(size=len(rating)) for name, size in errors.items()}
    return matched(rating, np.repeat(np.arange(contents), each), **preds)


@pytest.mark.parametrize("ties", [False, True])
def test_every_metric_is_scipys(ties):
    made = noisy(a=1.0)
    if ties:
        made = matched(made.ratings.images["rating"].round(), a=made.predictions["a"].round())
    x, y = made.predictions["a"].to_numpy(), made.ratings.images["rating"].to_numpy()
    for name, reference in SCIPY.items():
        assert estimates(made, name).observed[0] == pytest.approx(reference(x, y), abs=1e-12)
    project = evaluate(x, y)
    assert estimates(made, "plcc_test_fit").observed[0] == pytest.approx(
        project["plcc_test_fit"], abs=1e-6
    )


@pytest.mark.parametrize(
    ("drawn", "name"), [(drawn_krcc, "krcc"), (drawn_plcc, "plcc_raw"), (drawn_rmse, "rmse_raw")]
)
@pytest.mark.parametrize("digits", [0, 6])
def test_draws_at_once_are_scipys_of_repeated_images(drawn, name, digits, monkeypatch):
    monkeypatch.setattr("iqa.agreement.draws._ROWS", 17)  # several blocks, the last one shorter
    rng = np.random.default_rng(0)
    x, y = rng.normal(3, 1, 50).round(digits), rng.normal(3, 1, 50).round(digits)
    counts = resample_counts([str(n // 2) for n in range(50)], 20, 0)
    expected = [SCIPY[name](np.repeat(x, n), np.repeat(y, n)) for n in counts.T]
    np.testing.assert_allclose(drawn(x, y, counts), expected, rtol=0, atol=1e-12)


def test_a_draw_without_variety_is_undefined():
    counts = np.array([[3], [0], [0]])
    x, y = np.arange(3.0), np.array([0.0, 2.0, 1.0])
    assert np.isnan([drawn_krcc(x, y, counts), drawn_plcc(x, y, counts)]).all()


@pytest.mark.parametrize("constant", [0.1, 7.3, 1e6 + 0.1])
def test_constant_predictions_in_a_draw_have_no_correlation(constant):
    rng = np.random.default_rng(0)
    for others in (2, 40):  # the constant is most of the predictions, or few of them
        x = np.full(60, constant)
        x[:others] = rng.normal(3, 1, others)
        counts = rng.integers(1, 4, (60, 200))
        counts[:others, ::2] = 0
        for drawn in (drawn_plcc, drawn_krcc):
            for found in (drawn(x, rng.normal(50, 15, 60), counts), drawn(-x, x, counts)):
                assert np.isnan(found[::2]).all()
                assert (np.abs(found[1::2]) <= 1 + 1e-12).all()


def test_one_outlier_leaves_the_other_draws_exact():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 50))
    x[0] = 1e12
    counts = resample_counts([str(n) for n in range(50)], 20, 0)
    counts[0] = 0
    expected = [SCIPY["plcc_raw"](np.repeat(x, n), np.repeat(y, n)) for n in counts.T]
    np.testing.assert_allclose(drawn_plcc(x, y, counts), expected, rtol=0, atol=1e-12)


def test_published_case_tuna():
    """Hollander and Wolfe (1973), pages 185 to 194: the lightness of canned tuna and its panel's
    score. They give K = 16, so tau = 16 / 36; R's manual of cor.test repeats the case (T = 26)."""
    lightness = [44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1]
    panel = [2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8]
    made = matched(panel, lightness=lightness)
    assert estimates(made, "krcc").observed[0] == pytest.approx(16 / 36, abs=1e-12)
    assert estimates(made, "srcc").observed[0] == pytest.approx(0.6, abs=1e-12)


def test_published_case_anscombe():
    """Anscombe, The American Statistician 27(1), 1973: four data sets of one correlation, .816."""
    x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    assert round(estimates(matched(y, x=x), "plcc_raw").observed[0], 3) == 0.816


def test_published_case_of_the_bootstrap_law_schools():
    """Efron and Tibshirani, An Introduction to the Bootstrap, 1993, table 6.1: the bootstrap's
    standard error of the correlation .776 is .132 with 3,200 draws."""
    lsat = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
    gpa = [3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96]
    x, y = np.array(lsat, float), np.array(gpa)
    assert round(plcc(x, y), 3) == 0.776
    counts = resample_counts([str(n) for n in range(15)], 20_000, 0)
    assert drawn_plcc(x, y, counts).std() == pytest.approx(0.132, abs=0.003)


def test_the_interval_with_the_fitted_curve_held_is_that_with_it_fitted_in_each_draw():
    rng = np.random.default_rng(2)
    x = rng.normal(size=150)
    y = np.tanh(1.5 * x) + rng.normal(0, 0.3, 150)
    counts = resample_counts([str(n) for n in range(150)], 200, 0)
    held = logistic(x, fit_logistic(x, y))
    for drawn, value in ((drawn_plcc, plcc), (drawn_rmse, rmse)):
        refitted = []
        for n in counts.T:
            a, b = np.repeat(x, n), np.repeat(y, n)
            refitted.append(value(logistic(a, fit_logistic(a, b)), b))
        ends = np.quantile(drawn(held, y, counts), [0.025, 0.975])
        expected = np.quantile(refitted, [0.025, 0.975])
        np.testing.assert_allclose(ends, expected, atol=0.1 * np.ptp(expected))


def test_intervals_are_wider_where_images_share_contents():
    rating, content = np.random.default_rng(0).normal(size=(2, 30))
    alike = matched(np.repeat(rating, 4), np.repeat(range(30), 4), a=np.repeat(rating + content, 4))
    apart = matched(np.repeat(rating, 4), None, a=np.repeat(rating + content, 4))
    for metric in METRICS:
        low, high = (
            [e.table("v")[end][0] for e in (estimates(alike, metric), estimates(apart, metric))]
            for end in ("low", "high")
        )
        assert high[0] - low[0] > 1.5 * (high[1] - low[1])


def test_verdicts_of_known_answer():
    rng = np.random.default_rng(1)
    rating = rng.uniform(1, 5, 400)
    error, other = rng.normal(size=(2, 400))
    made = matched(
        rating,
        base=rating + error,
        same=2 * (rating + error) + 7,
        near=rating + error + 0.03 * other,
        better=rating + 0.5 * error,
        worse=rating + 2 * error,
        unsure=rating + other,
    )
    verdicts = compare(made, "base").set_index("model")["verdict"].to_dict()
    assert verdicts == {
        "same": "equivalent",
        "near": "equivalent",
        "better": "better",
        "worse": "worse",
        "unsure": "undecided",
    }
    strict = compare(made, "base", margin=0).set_index("model")
    assert strict.loc["near", "verdict"] == "undecided"
    assert strict.loc["same", "difference"] == 0
    assert (strict["p_holm"] >= strict["p"]).all()


def test_under_20_contents_no_interval_is_given_and_nothing_decided():
    made = noisy(contents=19, good=0.1, bad=3.0)
    assert performance(made, "good")[["low", "high"]].isna().all(axis=None)
    assert compare(made, "bad")["verdict"].tolist() == ["undecided"]


def test_three_images_have_correlations_and_no_fit():
    found = performance(matched([1, 2, 3], a=[1, 3, 2]), "a").set_index("metric")["value"]
    assert found["SRCC"] == pytest.approx(0.5)
    assert np.isnan(found["PLCC fitted"])


def test_contents_and_outliers_are_named_worst_first():
    made = noisy(contents=25, each=4, a=0.1)
    made.predictions.loc[:3, "a"] = made.ratings.images["rating"][:4].to_numpy()[::-1]
    made.predictions.loc[50, "a"] += 2
    assert per_content(made, "a")["group"][0] == "0"
    far = outliers(made, "a", 4)
    assert "0050" in far["id"].tolist()
    assert far["error"].abs().is_monotonic_decreasing
    np.testing.assert_allclose(far["error"], far["fitted"] - far["rating"])


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_fit_takes_predictions_of_any_scale(scale):
    made = noisy(a=0.3)
    scaled = Matched(made.ratings, made.predictions * scale + 5 * scale)
    np.testing.assert_allclose(fitted(scaled, "a"), fitted(made, "a"), atol=1e-3)


def test_faults_are_one_line():
    made = noisy(a=1.0)
    with pytest.raises(UserError, match="a comparison needs 2 models"):
        compare(made, "a")
    with pytest.raises(UserError, match="unknown metric to compare by 'rmse_raw': choose one of"):
        compare(made, "a", "rmse_raw")
