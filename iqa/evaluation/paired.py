"""Is one head better than another, on the same images?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from iqa.errors import unknown
from iqa.evaluation.bootstrap import bootstrap_interval, shift
from iqa.evaluation.correction import holm


def compare_with(
    baseline: str, names: Sequence[str], observed: NDArray, samples: NDArray
) -> pd.DataFrame:
    """Differences to a baseline with paired bootstrap intervals and Holm-corrected p-values.

    A p-value is one minus the level at which the bias-corrected interval just reaches 0: with F the
    share of resamples in which the difference is below 0, twice the smaller tail of
    Phi(Phi^-1(F) - 2 z0) (see `iqa.evaluation.bootstrap_interval`). Holm (1979) keeps the chance
    of any false alarm among all comparisons at the level tested.

    Args:
        baseline: one of `names`.
        names: H names.
        observed: figure of each name on the whole test set, (H,).
        samples: the same figure in each resample, (H, R), the same draws for all names.

    Returns:
        A row per other name: head, difference, low, high (95 %), p, p_holm.
    """
    if baseline not in names:
        raise unknown("baseline", baseline, list(names))
    base = list(names).index(baseline)
    others = [i for i in range(len(names)) if i != base]
    difference, gaps = observed[others] - observed[base], samples[others] - samples[base]
    z0, z = shift(difference, gaps), shift(np.zeros(len(others)), gaps)
    p = 2 * np.minimum(ndtr(z - 2 * z0), ndtr(2 * z0 - z))
    low, high = bootstrap_interval(difference, gaps).T
    return pd.DataFrame(
        {
            "head": [names[i] for i in others],
            "difference": difference,
            "low": low,
            "high": high,
            "p": p,
            "p_holm": holm(p),
        }
    )
