"""The interval of a published SRCC of which nothing but the number of test images is known."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from iqa.errors import UserError


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
