"""What a figure becomes when it is reported in other ways, on other images or of other heads."""

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.errors import UserError, unknown
from iqa.evaluation.bootstrap import bootstrap_plcc, bootstrap_srcc
from iqa.evaluation.metrics import plcc, srcc
from iqa.evaluation.paired import compare_with

FIGURES: dict[str, tuple[Callable[..., float], Callable[..., NDArray]]] = {
    "srcc": (srcc, bootstrap_srcc),
    "plcc": (plcc, bootstrap_plcc),
}
"""Name to the figure and its bootstrap."""


def compare_reports(
    reports: Mapping[str, pd.DataFrame],
    baseline: str,
    figure: str = "srcc",
    by: Sequence[str] = ("seed",),
    resamples: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """One figure as several ways of reporting give it, with the difference to one of them.

    Other than in `summarize_variants`, reports need not be of the same images. The bootstrap draws
    from the contents of all, the same draw for each, so that what they share is paired.

    Args:
        reports: name to the predictions reported: id, group, target, prediction, and the columns
            `by`, which take the same values in each report.
        baseline: the report that the others are compared with.
        figure: one of `FIGURES`.
        by: the figure is taken for each value of these columns and averaged: "seed" pools the
            folds, "seed" and "fold" do not. Where it is undefined in one report (constant
            predictions), that value is left out of all.
        resamples: bootstrap draws.
        seed: of the draws.

    Returns:
        A row for each other report: report, baseline and value (the figure as reported by both),
        difference, low, high (95 %), p.

    Raises:
        UserError: an unknown figure or baseline, or the reports differ in the values of `by`.
    """
    if figure not in FIGURES:
        raise unknown("figure", figure, list(FIGURES))
    parts = [dict(list(rows.groupby(list(by)))) for rows in reports.values()]
    if any(part.keys() != parts[0].keys() for part in parts):
        raise UserError(f"reports of one study must have the same values of {', '.join(by)}")
    contents = sorted(set().union(*(rows["group"] for rows in reports.values())))
    value, resampled = FIGURES[figure]
    observed, samples = [], []
    for key in parts[0]:
        rows = [(p[key]["prediction"], p[key]["target"], list(p[key]["group"])) for p in parts]
        observed.append([value(x, y) for x, y, _ in rows])
        samples.append([resampled(x, y, g, resamples, seed, contents) for x, y, g in rows])
    means = _mean_of_defined(np.array(observed))
    drawn = _mean_of_defined(np.array(samples))
    table = compare_with(baseline, list(reports), means, drawn).drop(columns="p_holm")
    value_of = dict(zip(reports, means, strict=True))
    table.insert(1, "value", table["head"].map(value_of))
    table.insert(1, "baseline", value_of[baseline])
    return table.rename(columns={"head": "report"})


def _mean_of_defined(values: NDArray) -> NDArray:
    """Mean over the first axis of (U, V, ...), over those U where all of V are defined."""
    holes = np.isnan(values).any(axis=1, keepdims=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing is defined: NaN
        return np.nanmean(np.where(holes, np.nan, values), axis=0)
