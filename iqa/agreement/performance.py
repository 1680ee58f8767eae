"""The field's metrics with intervals over contents, and differences between models with a verdict.

Intervals cover the choice of contents: what other contents, rated by the same people, might have
shown. They do not cover other trainings of a model, of which a table of predictions knows nothing.
Models are compared in the same draws of contents, so what makes a content hard for all of them goes
out of their difference.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from iqa.agreement.draws import drawn_krcc, drawn_plcc, drawn_rmse
from iqa.agreement.matching import Matched
from iqa.errors import UserError, unknown
from iqa.evaluation import (
    FEWEST_CONTENTS,
    MARGIN,
    Estimates,
    OverContents,
    fit_logistic,
    krcc,
    logistic,
    plcc,
    rmse,
    srcc,
    within_contents,
)
from iqa.evaluation.bootstrap import bootstrap_srcc, resample_counts

RESAMPLES = 2000


@dataclass(frozen=True)
class Metric:
    """A number that says how well predictions agree with ratings.

    Attributes:
        title: for tables.
        value: (preds, target) -> float.
        drawn: (preds, target, counts) -> (R,), in draws of `iqa.agreement.draws`; None for SRCC,
            which `bootstrap_srcc` draws.
        fitted: whether predictions are first mapped by the logistic fitted on these images.
    """

    title: str
    value: Callable[[ArrayLike, ArrayLike], float]
    drawn: Callable[[NDArray, NDArray, NDArray], NDArray] | None = None
    fitted: bool = False


METRICS = {
    "srcc": Metric("SRCC", srcc),
    "krcc": Metric("KRCC", krcc, drawn_krcc),
    "plcc_raw": Metric("PLCC raw", plcc, drawn_plcc),
    "plcc_test_fit": Metric("PLCC fitted", plcc, drawn_plcc, fitted=True),
    "rmse_raw": Metric("RMSE raw", rmse, drawn_rmse),
    "rmse_test_fit": Metric("RMSE fitted", rmse, drawn_rmse, fitted=True),
}
"""Name -> metric. `test_fit` says that the logistic is fitted on the very images it is used on."""

COMPARABLE = tuple(name for name in METRICS if not name.startswith("rmse"))
"""The metrics of which higher is better, in units that a margin can be given in."""


def estimates(
    matched: Matched, metric: str = "srcc", resamples: int = RESAMPLES, seed: int = 0
) -> Estimates:
    """A metric of each model, with its value in draws of contents that all models share.

    The fitted curve is held in the draws. It is the least-squares one, so to first order a change
    of its parameters changes neither PLCC nor RMSE, and the intervals with it fitted in each draw
    are the same (a test compares them).

    Args:
        matched: K models.
        metric: a key of `METRICS`.
        resamples: draws of contents (cluster bootstrap).
        seed: of the draws.

    Returns:
        Estimates with the label model.

    Raises:
        UserError: the metric is unknown.
    """
    if metric not in METRICS:
        raise unknown("metric", metric, list(METRICS))
    chosen, images = METRICS[metric], matched.ratings.images
    target, groups = images["rating"].to_numpy(), list(images["group"])
    preds = np.array(
        [
            fitted(matched, model) if chosen.fitted else matched.predictions[model]
            for model in matched.predictions
        ]
    )
    observed = np.array([_value(chosen, row, target) for row in preds])
    if matched.contents < FEWEST_CONTENTS:  # no interval will be given
        values = np.full((len(preds), 1), np.nan)
    elif chosen.drawn is None:
        values = bootstrap_srcc(preds, target, groups, resamples, seed)
    else:
        counts = resample_counts(groups, resamples, seed)
        values = np.array([chosen.drawn(row, target, counts) for row in preds])
    labels = pd.DataFrame({"model": list(matched.predictions)})
    return Estimates(labels, observed, values, OverContents(matched.contents))


def _value(metric: Metric, preds: NDArray, target: NDArray) -> float:
    """The metric; NaN where no curve could be fitted."""
    return metric.value(preds, target) if np.isfinite(preds).all() else float("nan")


def fitted(matched: Matched, model: str) -> NDArray[np.float64]:
    """A model's predictions on the scale of the ratings, by a 4-parameter logistic; (N,).

    It is fitted by least squares on these images. NaN where `fit_logistic` fails.
    """
    preds = matched.predictions[model].to_numpy(dtype=float)
    return logistic(preds, fit_logistic(preds, matched.ratings.images["rating"]))


def performance(matched: Matched, model: str, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Every metric of one model.

    Returns:
        Columns metric (its title), value, low, high (95 %; NaN under 20 contents). Where contents
        have 3 images or more, the last row is the mean of SRCC within them.
    """
    one = Matched(matched.ratings, matched.predictions[[model]])
    tables = [
        estimates(one, name, resamples).table("value").assign(metric=metric.title)
        for name, metric in METRICS.items()
    ]
    if matched.ratings.images["group"].value_counts().max() >= 3:
        found = within_contents(_long(one, model), ["model"], resamples)
        tables.append(found.table("value").assign(metric="SRCC within contents"))
    return pd.concat(tables, ignore_index=True)[["metric", "value", "low", "high"]]


def compare(
    matched: Matched, baseline: str, metric: str = "srcc", margin: float = MARGIN
) -> pd.DataFrame:
    """Each other model minus the baseline, in the same draws of contents.

    Args:
        matched: 2 models or more.
        baseline: the model that is subtracted.
        metric: one of `COMPARABLE`.
        margin: of equivalence, in units of the metric; fix it before you look.

    Returns:
        Columns model, difference, low, high (95 %), p, p_holm (Holm's correction over the models)
        and verdict.

    Raises:
        UserError: fewer than 2 models, an unknown baseline or metric.
    """
    if metric not in COMPARABLE:
        raise unknown("metric to compare by", metric, list(COMPARABLE))
    if matched.predictions.shape[1] < 2:
        raise UserError("a comparison needs 2 models or more: give another table")
    return estimates(matched, metric).minus(model=baseline).verdicts(margin)


def per_content(matched: Matched, model: str) -> pd.DataFrame:
    """How a model does within each content of 3 images or more, the worst first.

    Returns:
        Columns group, images, srcc (NaN where a model or the ratings are constant), bias (the mean
        of fitted prediction minus rating, in the ratings' unit).
    """
    table = _long(matched, model)
    table["error"] = fitted(matched, model) - table["target"]
    rows = [
        (group, len(part), srcc(part["prediction"], part["target"]), part["error"].mean())
        for group, part in table.groupby("group")
        if len(part) >= 3
    ]
    found = pd.DataFrame(rows, columns=["group", "images", "srcc", "bias"])
    return found.sort_values("srcc", ignore_index=True)


def outliers(matched: Matched, model: str, count: int = 10) -> pd.DataFrame:
    """The images on which a model and the raters differ most.

    Returns:
        At most `count` rows id, group, rating, fitted (prediction on the ratings' scale) and error
        (their difference), the largest first.
    """
    images = matched.ratings.images[["id", "group", "rating"]].assign(fitted=fitted(matched, model))
    images["error"] = images["fitted"] - images["rating"]
    largest = images["error"].abs().sort_values(ascending=False).index[:count]
    return images.loc[largest].reset_index(drop=True)


def _long(matched: Matched, model: str) -> pd.DataFrame:
    """A row for each image, as `iqa.evaluation.estimators` take them."""
    return matched.ratings.images.rename(columns={"rating": "target"}).assign(
        model=model, prediction=matched.predictions[model], split=0, fold=0, seed=0
    )
