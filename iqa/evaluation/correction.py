"""Correction of p-values for the number of comparisons."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """P-values corrected so that the chance of any false alarm among them stays at their level.

    The k-th smallest of m is multiplied by m - k + 1, then raised to the largest before it (Holm,
    Scandinavian Journal of Statistics 6, 1979). Written here because statsmodels collects all
    garbage of the process at each call, which takes longer than a study's bootstrap.

    Args:
        p: m p-values.

    Returns:
        m corrected p-values, at most 1; all NaN where one of `p` is.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    given = np.asarray(p, dtype=float)
    if np.isnan(given).any():
        return np.full(len(given), np.nan)
    order = np.argsort(given)
    raised = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    corrected = np.empty_like(given)
    corrected[order] = raised.clip(max=1)
    return corrected
