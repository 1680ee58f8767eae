"""How sure an estimate is: laws that turn resampled values into intervals and p-values.

A law says which source of chance the columns of `values` (K, M) hold, for K estimates `observed`
(K,): resamples of contents, single splits, or both. Differences of estimates have the same law, so
it is chosen once, where the estimates are made (`iqa.evaluation.estimates`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from scipy.stats import t as student

from iqa.errors import UserError

Array = NDArray[np.float64]

FEWEST_CONTENTS = 20
"""With fewer contents than this, intervals and p-values are withheld (NaN): they mislead."""


@dataclass(frozen=True)
class OverContents:
    r"""Other contents might have been rated: percentiles of resamples, expanded for few contents.

    The tails of the percentile interval are taken at :math:`\Phi(-\sqrt{G/(G-1)}\,
    t_{(1+level)/2,\,G-1})` for G contents (Hesterberg, The American Statistician 69(4), 2015,
    section 5.3); the p-value inverts that. `values` are the estimates in each resample. A resample
    in which an estimate is undefined (NaN) is left out.

    Attributes:
        contents: G.
    """

    contents: int

    def interval(self, observed: Array, values: Array, level: float = 0.95) -> Array:
        """Low and high, (K, 2)."""
        if self.contents < FEWEST_CONTENTS:
            return np.full((len(observed), 2), np.nan)
        wide = np.sqrt(self.contents / (self.contents - 1))
        tail = norm.cdf(wide * student.ppf((1 - level) / 2, self.contents - 1))
        ends = [
            np.nanquantile(row, [tail, 1 - tail]) if np.isfinite(row).any() else [np.nan, np.nan]
            for row in values
        ]
        return np.array(ends).reshape(-1, 2)

    def p_value(self, observed: Array, values: Array) -> Array:
        """The two-sided p-value that the estimate is 0, (K,)."""
        counted = np.sum(~np.isnan(values), axis=1)
        if self.contents < FEWEST_CONTENTS:
            return np.full(len(observed), np.nan)
        below = np.sum(values < 0, axis=1) + np.sum(values == 0, axis=1) / 2
        share = (np.minimum(below, counted - below) + 0.5) / (counted + 1)
        wide = np.sqrt(self.contents / (self.contents - 1))
        p = 2 * student.cdf(norm.ppf(share) / wide, self.contents - 1)
        return np.where(np.isnan(observed), np.nan, p)


@dataclass(frozen=True)
class OverSplits:
    r"""Other images, splits and seeds: the corrected resampled t-test of Nadeau and Bengio.

    `values` are the estimates of J single splits, of which `observed` is the mean. Splits share
    training images, so their spread alone is too small a measure: in the variance of the mean,
    :math:`1/J + r` stands in the place of :math:`1/J`, r the test images for each training image
    (Machine Learning 52, 2003, section 3.2):

    .. math:: t = \bar d \,/\, (s_d \sqrt{1/J + r}), \qquad J - 1 \text{ degrees of freedom}

    Where the models of all splits are tested on the same images of another set, the choice of these
    images adds to the variance: the first `resamples` columns of `values` are then the estimates in
    resamples of that set's contents, and their variance is added.

    Attributes:
        test_to_train: r; the source images left out for each training image.
        contents: that are tested on.
        resamples: how many columns are resamples, not splits.
    """

    test_to_train: float
    contents: int
    resamples: int = 0

    def interval(self, observed: Array, values: Array, level: float = 0.95) -> Array:
        """Low and high, (K, 2)."""
        error, df = self._error(values)
        reach = student.ppf((1 + level) / 2, df) * error
        return np.stack([observed - reach, observed + reach], axis=1)

    def p_value(self, observed: Array, values: Array) -> Array:
        """The two-sided p-value that the estimate is 0, (K,)."""
        error, df = self._error(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            p = 2 * student.sf(np.abs(observed) / error, df)
        # Without any spread, an estimate of 0 is certain, and so is any other.
        return np.where(error == 0, (observed == 0).astype(float), p)

    def _error(self, values: Array) -> tuple[Array, int]:
        drawn, splits = values[:, : self.resamples], values[:, self.resamples :]
        count = splits.shape[1]
        if count < 2 or self.contents < FEWEST_CONTENTS:
            return np.full(len(values), np.nan), 1
        variance = splits.var(axis=1, ddof=1) * (1 / count + self.test_to_train)
        return np.sqrt(variance + (np.nanvar(drawn, axis=1) if self.resamples else 0)), count - 1


Law = OverContents | OverSplits


def fisher_interval(value: ArrayLike, n: ArrayLike) -> Array:
    r"""95 % interval of an SRCC of which only the number of images is known, low and high (..., 2).

    By Fisher's z:

    .. math::
        \tanh\Bigl(\operatorname{artanh} r \pm z_{.975}
            \sqrt{\tfrac{1 + r^2/2}{n - 3}}\Bigr)

    Source: Bonett and Wright, Psychometrika 65(1), 2000, 10.1007/BF02294183. It takes the images
    for independent: where several share a content, the true interval is wider.

    Args:
        value: r, in (-1, 1).
        n: number of test images, at least 4.

    Raises:
        UserError: r or n is out of range.

    >>> fisher_interval(0.875, 232).round(3)
    array([0.834, 0.906])
    """
    r, count = np.asarray(value, dtype=float), np.asarray(n, dtype=float)
    if (np.abs(r) >= 1).any() or (count < 4).any():
        raise UserError("an interval of an SRCC needs it between -1 and 1, of 4 images or more")
    half = norm.ppf(0.975) * np.sqrt((1 + r**2 / 2) / (count - 3))
    return np.stack([np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)], axis=-1)
