"""The highest SRCC that any model can reach: scores are means of few ratings, and so are noisy.

Let m_i be the published score of image i, s_i the standard deviation of its ratings and n_i their
number. We assume

    m_i = q_i + e_i,    e_i ~ N(0, s_i^2 / n_i) independent,

where q_i is the mean that endlessly many raters would give. A perfect model predicts q_i, and its
SRCC with m_i is below 1 by e_i alone. Published scores spread more than q_i does, by that error:

    var(q) = var(m) - mean(s_i^2 / n_i) = r var(m).

So q_i is taken as m_i drawn to the mean by sqrt(r), which keeps the order, and scores are drawn
around it. sqrt(r) is also the highest Pearson correlation (Pieper and Voran, 2026, arXiv
2603.13204); where q is normal, the highest SRCC is 6/pi arcsin(sqrt(r) / 2).

Not in the assumption: raters who share a taste, or who saw an image beside others. Such errors are
common to the ratings of an image, the standard deviation does not show them, and they would raise
no ceiling for other raters.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from iqa.errors import UserError
from iqa.evaluation.metrics import srcc

Array = NDArray[np.float64]


def srcc_ceilings(
    scores: ArrayLike, deviations: ArrayLike, ratings: ArrayLike, draws: int = 1000, seed: int = 0
) -> Array:
    """SRCC of a perfect model on `draws` repetitions of the rating experiment, each in [-1, 1].

    Their mean is the ceiling; their quantiles say how far chance moves it on these images.

    Args:
        scores: m, published means of ratings, (N,), in any unit.
        deviations: s, standard deviations of single ratings in that unit, (N,).
        ratings: n, how many ratings a score is the mean of: (N,), or one number for all.
        draws: repetitions.
        seed: of the draws.

    Returns:
        (draws,).

    Raises:
        UserError: a deviation is negative, a number of ratings is no positive number, shapes
            differ, or the ratings' error explains all of the scores' variance.

    >>> scores = np.random.default_rng(0).normal(50, 20, 2000)
    >>> round(float(srcc_ceilings(scores, np.full(2000, 20.0), 25, draws=20).mean()), 2)
    0.98
    """
    m, s = np.asarray(scores, dtype=float), np.asarray(deviations, dtype=float)
    n = np.broadcast_to(np.asarray(ratings, dtype=float), m.shape)
    if m.ndim != 1 or m.shape != s.shape:
        raise UserError(
            f"ceiling: expected a standard deviation for each score: got {s.shape} and {m.shape}"
        )
    if not (np.isfinite(m).all() and np.isfinite(s).all() and (s >= 0).all() and (n > 0).all()):
        raise UserError(
            "ceiling: expected finite scores, standard deviations of 0 or more and a positive "
            "number of ratings; leave out images without them"
        )
    reliability = 1 - np.mean(s**2 / n) / np.var(m)
    if not reliability > 0:
        raise UserError(
            "ceiling: the ratings' error explains all variance of the scores; check that scores "
            "and standard deviations are in one unit"
        )
    truth = m.mean() + np.sqrt(reliability) * (m - m.mean())
    rng = np.random.default_rng(seed)
    return np.array([srcc(truth, rng.normal(truth, s / np.sqrt(n))) for _ in range(draws)])
