"""The field's four metrics: SRCC, KRCC, PLCC and RMSE, one formula each.

All take `preds` and `target` of shape (N,), in any units, and return a float. A correlation with
constant predictions is undefined and returned as NaN, never as 0.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from iqa.errors import UserError

Array = NDArray[np.float64]


def _pair(preds: ArrayLike, target: ArrayLike) -> tuple[Array, Array]:
    x, y = np.asarray(preds, dtype=float), np.asarray(target, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or x.size < 3:
        raise UserError(
            f"metrics need two vectors of one length, at least 3: got {x.shape} and {y.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UserError("metrics need finite numbers: remove NaN and infinite scores first")
    return x, y


def srcc(preds: ArrayLike, target: ArrayLike) -> float:
    """Spearman's rank correlation, in [-1, 1], ties at their mean rank.

    >>> round(srcc([1, 2, 3, 4], [10, 20, 40, 30]), 4)
    0.8
    """
    x, y = _pair(preds, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return float(stats.spearmanr(x, y).statistic)


def krcc(preds: ArrayLike, target: ArrayLike) -> float:
    """Kendall's tau-b, in [-1, 1].

    >>> round(krcc([1, 2, 3, 4], [10, 20, 40, 30]), 4)
    0.6667
    """
    return float(stats.kendalltau(*_pair(preds, target)).statistic)


def plcc(preds: ArrayLike, target: ArrayLike) -> float:
    """Pearson's correlation of the raw predictions, in [-1, 1]."""
    x, y = _pair(preds, target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return float(stats.pearsonr(x, y).statistic)


def rmse(preds: ArrayLike, target: ArrayLike) -> float:
    """Root mean squared error, in the units of `target`."""
    x, y = _pair(preds, target)
    return float(np.sqrt(np.mean((x - y) ** 2)))


def logistic(preds: ArrayLike, params: ArrayLike) -> Array:
    """The monotonic 4-parameter logistic of VQEG's FR-TV report (2000).

    f(x) = b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|)), `params` = (b1, b2, b3, b4).
    """
    b1, b2, b3, b4 = np.asarray(params, dtype=float)
    return b2 + (b1 - b2) * special.expit((np.asarray(preds, dtype=float) - b3) / np.abs(b4))


def fit_logistic(preds: ArrayLike, target: ArrayLike) -> Array:
    """Least-squares `params` (4,) of `logistic` that map `preds` onto `target`.

    NaN where there are fewer than four images, the predictions are constant, or the fit does not
    converge.
    """
    x, y = _pair(preds, target)
    spread = float(np.std(x))
    if spread == 0 or len(x) < 4:
        return np.full(4, np.nan)
    start = (y.max(), y.min(), float(np.mean(x)), spread)
    try:
        with warnings.catch_warnings():
            # The covariance of the parameters is not used.
            warnings.simplefilter("ignore", optimize.OptimizeWarning)
            params, _ = optimize.curve_fit(
                lambda s, *b: logistic(s, b), x, y, p0=start, jac=_slopes, maxfev=20_000
            )
    except RuntimeError:
        return np.full(4, np.nan)
    return np.asarray(params)


def _slopes(x: Array, b1: float, b2: float, b3: float, b4: float) -> Array:
    """Derivatives of `logistic` at `x` (N,) by its parameters, (N, 4).

    Differences in their place would be taken in steps relative to b3, and would all be 0 where the
    predictions have a mean near 0.
    """
    z = (x - b3) / np.abs(b4)
    rise = special.expit(z)
    slope = (b1 - b2) * rise * (1 - rise)
    return np.stack([rise, 1 - rise, -slope / np.abs(b4), -slope * z / b4], axis=1)


def plcc_fitted(preds: ArrayLike, target: ArrayLike, params: ArrayLike) -> float:
    """Pearson's correlation after `logistic` with `params`; say on what these were fitted."""
    mapped = logistic(preds, params)
    return plcc(mapped, target) if np.isfinite(mapped).all() else float("nan")


def evaluate(
    preds: ArrayLike, target: ArrayLike, val_preds: ArrayLike = (), val_target: ArrayLike = ()
) -> dict[str, float]:
    """Every metric of one model on one test set.

    `plcc_val_fit` maps the predictions by a logistic fitted on validation, the one to report, and
    is NaN without validation images; `plcc_test_fit` by one fitted on the test set itself, as much
    of the literature does.
    """
    on_val = fit_logistic(val_preds, val_target) if np.size(val_preds) else np.full(4, np.nan)
    return {
        "srcc": srcc(preds, target),
        "krcc": krcc(preds, target),
        "plcc_raw": plcc(preds, target),
        "plcc_val_fit": plcc_fitted(preds, target, on_val),
        "plcc_test_fit": plcc_fitted(preds, target, fit_logistic(preds, target)),
        "rmse": rmse(preds, target),
    }


def evaluate_splits(predictions: pd.DataFrame, by: Sequence[str] = ("head",)) -> pd.DataFrame:
    """Every metric of `evaluate` on each split: a row for each of `by`, split, fold and seed.

    Args:
        predictions: columns `by`, split, fold, seed, side, target, prediction; with the test and
            the validation rows of every split. Without the latter, plcc_val_fit is NaN.
        by: columns of what is compared.
    """
    keys, rows = [*by, "split", "fold", "seed"], []
    for key, part in predictions.groupby(keys, sort=False):
        test, val = (part[part["side"] == side] for side in ("test", "val"))
        found = evaluate(test["prediction"], test["target"], val["prediction"], val["target"])
        rows.append(dict(zip(keys, key, strict=True)) | found)
    return pd.DataFrame(rows)
