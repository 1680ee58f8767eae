"""From an interval and a p-value to one of four words, the same in the whole project."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from iqa.errors import UserError

Verdict = Literal["better", "worse", "equivalent", "undecided"]

MARGIN = 0.01
"""Differences in SRCC that are smaller than this do not matter; fixed before the comparisons."""


def verdict(low: float, high: float, p_holm: float, margin: float = MARGIN) -> Verdict:
    """What a difference (higher is better) amounts to.

    Args:
        low: of the 95 % interval of the difference; NaN where it was withheld.
        high: of the interval.
        p_holm: p-value that there is no difference, corrected for its family.
        margin: of equivalence, fixed beforehand; at least 0, where 0 allows no equivalence.

    Returns:
        "equivalent" where the whole interval lies inside the margin, even if it excludes 0;
        else "better" or "worse" where it excludes 0 and the corrected p-value is below .05; else
        "undecided".

    Raises:
        UserError: `margin` is negative.

    >>> verdict(0.02, 0.04, 0.001), verdict(-0.004, 0.006, 0.6), verdict(-0.03, 0.05, 0.6)
    ('better', 'equivalent', 'undecided')
    """
    if margin < 0:
        raise UserError(f"`margin` is {margin}: expected 0 or more, in units of SRCC")
    if np.isnan(low) or np.isnan(high):
        return "undecided"
    if -margin < low and high < margin:
        return "equivalent"
    if p_holm < 0.05 and low > 0:
        return "better"
    return "worse" if p_holm < 0.05 and high < 0 else "undecided"


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """P-values corrected so that the chance of any false alarm among them stays at their level.

    The k-th smallest of m is multiplied by m - k + 1, then raised to the largest before it (Holm,
    Scandinavian Journal of Statistics 6, 1979). Written here because statsmodels collects all
    garbage of the process at each call, which takes longer than a study's bootstrap.

    Args:
        p: m p-values.

    Returns:
        m corrected p-values, at most 1. Where `p` is NaN so is the result, and it counts as a
        comparison with p = 1, so that no other gains by it.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    given = np.asarray(p, dtype=float)
    filled = np.nan_to_num(given, nan=1.0)
    order = np.argsort(filled)
    raised = np.maximum.accumulate(filled[order] * np.arange(len(given), 0, -1))
    corrected = np.empty_like(given)
    corrected[order] = raised.clip(max=1)
    return np.where(np.isnan(given), np.nan, corrected)
