"""Means of a figure over contents, with intervals, and heads compared on the same contents."""

import numpy as np
import pandas as pd

from iqa.evaluation.bootstrap import bootstrap_interval, resample_counts
from iqa.evaluation.paired import compare_with


def summarize_means(
    values: pd.DataFrame, baseline: str, resamples: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """The mean of each measure of each head, and its difference to the baseline.

    First the mean of each content, then that of the contents; the bootstrap draws contents, the
    same for all heads. A content where a head lacks the measure (NaN) is left out of it for all.

    Args:
        values: columns head, group and one column a measure; any number of rows a content.
        baseline: the head that the others are compared with.
        resamples: bootstrap draws.
        seed: of the draws.

    Returns:
        A row a head and measure: head, measure, value, low, high, contents, and for all but the
        baseline difference, low_gap, high_gap, p, p_holm (Holm within the measure).
    """
    heads = list(dict.fromkeys(values["head"]))
    measures = [name for name in values.columns if name not in ("head", "group")]
    means = values.groupby(["head", "group"], sort=False)[measures].mean()
    parts = [
        _measure(means[name].unstack("group").loc[heads], baseline, resamples, seed).assign(
            measure=name
        )
        for name in measures
    ]
    return pd.concat(parts, ignore_index=True)


def _measure(wide: pd.DataFrame, baseline: str, resamples: int, seed: int) -> pd.DataFrame:
    """Of one measure, from its means by head (rows) and content (columns)."""
    kept = wide.dropna(axis=1)
    observed = kept.to_numpy().mean(axis=1) if kept.size else np.full(len(kept), np.nan)
    rows = pd.DataFrame({"head": wide.index, "value": observed, "contents": kept.shape[1]})
    if kept.shape[1] < 2:
        return rows.assign(low=np.nan, high=np.nan)
    counts = resample_counts(list(kept.columns), resamples, seed)
    samples = kept.to_numpy() @ counts / kept.shape[1]
    rows["low"], rows["high"] = bootstrap_interval(observed, samples).T
    gaps = compare_with(baseline, list(wide.index), observed, samples)
    return rows.merge(gaps, on="head", how="left", suffixes=("", "_gap"))
