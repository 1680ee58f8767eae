"""Bootstrap of SRCC that draws whole content groups.

Images of one content are alike, so drawing single images would make an interval too narrow:
groups are drawn with replacement, and an image counts as often as its group was drawn
(cluster bootstrap; Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from iqa.errors import UserError

_CHUNK = 256  # resamples at a time: (N, 256) arrays stay in the processor's cache


def resample_counts(
    groups: Sequence[str], resamples: int, seed: int, drawn_from: Sequence[str] | None = None
) -> NDArray[np.int32]:
    """How often each image is drawn in each resample.

    Args:
        groups: content group of each image, length N; all different for a plain bootstrap.
        resamples: number R of resamples.
        seed: of the random draw.
        drawn_from: the groups to draw from, repeated or not; None for those of these images. With
            more than these, the draws can be shared with other images.

    Returns:
        Counts (N, R). As many groups are drawn as there are.

    Raises:
        UserError: fewer than 1 resample, fewer than 2 groups to draw from, or one of `groups` is
            not among them.
    """
    if resamples < 1:
        raise UserError(f"`resamples` is {resamples}: expected 1 or more, such as 2000")
    names = np.unique(np.asarray(groups if drawn_from is None else drawn_from))
    missing = np.setdiff1d(groups, names)
    if len(missing):
        raise UserError(
            f"`drawn_from` lacks content group {str(missing[0])!r}: draw from all groups"
        )
    if len(names) < 2:
        raise UserError("a bootstrap needs at least 2 content groups: only 1 was given")
    drawn = np.random.default_rng(seed).integers(0, len(names), size=(resamples, len(names)))
    flat = drawn + len(names) * np.arange(resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=resamples * len(names))
    by_group = counts.astype(np.int32).reshape(resamples, len(names)).T
    return np.ascontiguousarray(by_group)[np.searchsorted(names, np.asarray(groups))]


def _midranks(values: NDArray[Any], counts: NDArray[np.int32]) -> NDArray[np.float32]:
    """Rank of each of `values` (N,) among the values repeated `counts` (N, R) times; (N, R)."""
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(counts[order], axis=0, dtype=np.int32)
    # Equal values share a run: it begins after `first` images and ends with `last`.
    last = rankdata(values, method="max").astype(int)
    first = rankdata(values, method="min").astype(int) - 1
    upto = np.vstack([np.zeros((1, counts.shape[1]), np.int32), upto])
    ranks = (upto[first] + upto[last]).astype(np.float32)
    return (ranks + 1) / 2


def _centred(
    ranks: NDArray[Any], counts: NDArray[Any], total: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Deviations (N, R) of `ranks` from the mean of each resample, and their squares' sum (R,)."""
    centred = ranks - np.einsum("nr,nr->r", counts, ranks) / total
    return centred, np.einsum("nr,nr,nr->r", counts, centred, centred)


def bootstrap_srcc(
    preds: ArrayLike,
    target: ArrayLike,
    groups: Sequence[str],
    resamples: int = 10_000,
    seed: int = 0,
    drawn_from: Sequence[str] | None = None,
) -> NDArray[np.float64]:
    """SRCC in each of `resamples` draws of content groups.

    Args:
        preds: predictions (..., N); every row sees the same draws, so rows compare pairwise.
        target: (N,).
        groups: content group of each image, length N.
        resamples: number R of draws.
        seed: of the draws.
        drawn_from: as of `resample_counts`.

    Returns:
        SRCC (..., R); NaN where a draw makes predictions or targets constant, or has no image.
    """
    table, truth = np.asarray(preds, dtype=float), np.asarray(target, dtype=float)
    if table.shape[-1:] != truth.shape or len(groups) != len(truth):
        raise UserError(
            f"one prediction, target and group an image: got {table.shape}, {truth.shape} "
            f"and {len(groups)} groups"
        )
    rows = table.reshape(-1, len(truth))
    counts = resample_counts(groups, resamples, seed, drawn_from)
    samples = np.empty((len(rows), resamples))
    for start in range(0, resamples, _CHUNK):
        part = slice(start, start + _CHUNK)
        chunk = np.ascontiguousarray(counts[:, part])
        # float32 holds these ranks exactly; products are summed over N only.
        weight = chunk.astype(np.float32)
        total = weight.sum(axis=0).clip(min=1)
        y, y_square = _centred(_midranks(truth, chunk), weight, total)
        y *= weight
        for row, values in enumerate(rows):
            x, x_square = _centred(_midranks(values, chunk), weight, total)
            with np.errstate(invalid="ignore", divide="ignore"):
                samples[row, part] = np.einsum("nr,nr->r", x, y) / np.sqrt(x_square * y_square)
    return samples.reshape(*table.shape[:-1], resamples)
