"""The interval of a published SRCC of which nothing but the number of test images is known."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from iqa.errors import UserError
from iqa.evaluation.estimators import RESAMPLES, pooled_folds


def fisher_interval(value: ArrayLike, n: ArrayLike, level: float = 0.95) -> NDArray[np.float64]:
    r"""Confidence interval of Spearman's correlation by Fisher's z, low and high (..., 2).

    .. math::
        \tanh\Bigl(\operatorname{artanh} r \pm z_{1-(1-level)/2}
            \sqrt{\tfrac{1 + r^2/2}{n - 3}}\Bigr)

    Source: Bonett and Wright, Psychometrika 65(1), 2000, 10.1007/BF02294183. It takes the images
    for independent: where several share a content, the true interval is wider.

    Args:
        value: r, in (-1, 1).
        n: number of test images, at least 4.
        level: of confidence.

    Raises:
        UserError: r or n is out of range.

    >>> fisher_interval(0.875, 232).round(3)
    array([0.834, 0.906])
    """
    r, count = np.asarray(value, dtype=float), np.asarray(n, dtype=float)
    if (np.abs(r) >= 1).any() or (count < 4).any():
        raise UserError("an interval of an SRCC needs it between -1 and 1, of 4 images or more")
    half = ndtri((1 + level) / 2) * np.sqrt((1 + r**2 / 2) / (count - 3))
    return np.stack([np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)], axis=-1)


def compare_intervals(
    predictions: pd.DataFrame, parts: int = 5, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Intervals by the formula and by the bootstrap over contents, on test sets like the papers'.

    The images are dealt at random, one by one, into `parts` test sets: five give the usual 20 %.

    Args:
        predictions: as of `pooled_folds`, with the column head.
        parts: number of test sets.
        resamples: bootstrap draws.
        seed: of the deal and of the draws.

    Returns:
        A row a head and test set: head, part, images, contents, srcc, low, high (bootstrap),
        formula_low, formula_high.
    """
    ids = np.array(sorted(predictions["id"].unique()))
    order = np.random.default_rng(seed).permutation(len(ids))
    part_of = dict(zip(ids[order], np.arange(len(ids)) % parts, strict=True))
    found = []
    for part, rows in predictions.groupby(predictions["id"].map(part_of)):
        table = pooled_folds(rows, ["head"], resamples=resamples, seed=seed).table("srcc")
        images = rows["id"].nunique()
        formula = fisher_interval(table["srcc"], images)
        about = {"part": part, "images": images, "contents": rows["group"].nunique()}
        found.append(table.assign(**about, formula_low=formula[:, 0], formula_high=formula[:, 1]))
    return pd.concat(found, ignore_index=True)
