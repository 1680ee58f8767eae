"""Is one head better than another, on the same images?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.errors import unknown
from iqa.evaluation.bootstrap import percentile_interval


def compare_with(
    baseline: str, names: Sequence[str], observed: NDArray, samples: NDArray
) -> pd.DataFrame:
    """Differences to a baseline with paired bootstrap intervals and Holm-corrected p-values.

    The p-value is twice the smaller share of resamples in which the difference is not positive,
    or not negative, each with one added, so that it is never 0 (Davison & Hinkley 1997, 4.2.5).
    Holm (1979) keeps the chance of any false alarm among all comparisons at the level tested.

    Args:
        baseline: one of `names`.
        names: H names.
        observed: figure of each name on the whole test set, (H,).
        samples: the same figure in each resample, (H, R), the same draws for all names.

    Returns:
        A row per other name: head, difference, low, high (95 %), p, p_holm.
    """
    from statsmodels.stats.multitest import multipletests

    if baseline not in names:
        raise unknown("baseline", baseline, list(names))
    base = list(names).index(baseline)
    others = [i for i in range(len(names)) if i != base]
    gaps = samples[others] - samples[base]
    counted = np.sum(~np.isnan(gaps), axis=1)
    tails = np.stack([np.sum(gaps <= 0, axis=1), np.sum(gaps >= 0, axis=1)])
    p = np.minimum(1.0, 2 * (tails.min(axis=0) + 1) / (counted + 1))
    low, high = percentile_interval(gaps).T
    return pd.DataFrame(
        {
            "head": [names[i] for i in others],
            "difference": observed[others] - observed[base],
            "low": low,
            "high": high,
            "p": p,
            "p_holm": multipletests(p, method="holm")[1] if others else p,
        }
    )
