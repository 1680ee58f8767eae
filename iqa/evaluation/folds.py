"""Figures that only a whole fold has, such as a silhouette: means and differences over folds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from iqa.evaluation.correction import holm


def mean_over_folds(values: ArrayLike, test_to_train: float) -> dict[str, float]:
    """The mean over folds with its 95 % interval, and the p-value that it is 0.

    Folds share most of their training images, so their spread is too small a measure of how sure
    their mean is. Nadeau & Bengio (Machine Learning 52, 2003, section 3.2) put 1/K + r in the place
    of 1/K in the variance of the mean, r the test images for each training image:
    t = mean / (sd sqrt(1/K + r)), with K - 1 degrees of freedom.

    Args:
        values: a figure, or a difference of two on the same images, of each of K folds; folds
            without it (NaN) are left out.
        test_to_train: r.

    Returns:
        mean, low, high, sd (over folds), p; NaN where there are too few folds.
    """
    kept = np.asarray(values, dtype=float)
    kept = kept[~np.isnan(kept)]
    if len(kept) < 2:
        mean = float(kept.mean()) if len(kept) else np.nan
        return {"mean": mean, "low": np.nan, "high": np.nan, "sd": np.nan, "p": np.nan}
    mean, sd = float(kept.mean()), float(kept.std(ddof=1))
    error, df = sd * np.sqrt(1 / len(kept) + test_to_train), len(kept) - 1
    reach = float(student.ppf(0.975, df)) * error
    p = float(2 * student.sf(abs(mean) / error, df)) if error else float(mean == 0)
    return {"mean": mean, "low": mean - reach, "high": mean + reach, "sd": sd, "p": p}


def summarize_folds(
    by_fold: pd.DataFrame, pairs: Mapping[str, Sequence[str]], test_to_train: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every measure of every head over folds, and differences on the same folds.

    Args:
        by_fold: columns head, seed, fold and one column a measure; seeds are averaged first.
        pairs: name of a baseline to the heads that are compared with it.
        test_to_train: as of `mean_over_folds`.

    Returns:
        Heads: head, measure, mean, low, high, sd, p. Differences: the same of head minus against,
        with the columns against and p_holm (Holm within a measure and baseline).
    """
    measures = [name for name in by_fold.columns if name not in ("head", "seed", "fold")]
    heads = list(dict.fromkeys(by_fold["head"]))
    means = by_fold.groupby(["head", "fold"], sort=False)[measures].mean()
    rows, gaps = [], []
    for measure in measures:
        wide = means[measure].unstack("fold").loc[heads]
        for head in heads:
            mean = mean_over_folds(wide.loc[head], test_to_train)
            rows.append({"head": head, "measure": measure, **mean})
        for against, others in pairs.items():
            found = [
                mean_over_folds(wide.loc[h] - wide.loc[against], test_to_train) for h in others
            ]
            part = pd.DataFrame(found).assign(head=list(others), against=against, measure=measure)
            gaps.append(part.assign(p_holm=holm(part["p"])))
    return pd.DataFrame(rows), pd.concat(gaps, ignore_index=True)
