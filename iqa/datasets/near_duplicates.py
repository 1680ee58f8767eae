"""Images that show the same picture: other exposures, crops of a few pixels, burst shots, copies.

They are found by a perceptual hash, pHash: the signs, about their median, of the 16 x 16 lowest
frequencies of the grey image at 64 x 64 (Zauner, 2010; `imagehash.phash`). It takes no weights
and a few milliseconds, exposure and blur hardly change it, and two pictures that have nothing in
common differ in about half of its 256 bits.

The pairs of a released set are kept beside this module, in `pairs/NAME.csv`, so that reading a set
computes nothing. Made by

    iqa datasets check NAME --pairs iqa/datasets/pairs/NAME.csv
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

SIDE = 16
"""Frequencies in each direction."""

BITS = SIDE * SIDE
"""Length of a hash."""

NEAR = 64
"""Bits, of 256, in which two hashes of one picture may differ.

Judged by eye on contact sheets of BIQ2021, CLIVE and AGIQA-3K: none of 294
pairs up to 64 bits (of 2,379) shows two pictures, none of 96 between 57 and 64; the first that
does has 66. True pairs go on above, of one object in another light or from a moved camera, and are
missed.
"""

_BLOCK = 1024  # rows compared at once with all: 50 MB for 12,000 images

_TABLES = Path(__file__).with_name("pairs")


def perceptual_hash(image: Image.Image) -> np.ndarray:
    """The pHash of an image: bool (BITS,)."""
    import imagehash

    return np.asarray(imagehash.phash(image, SIDE).hash).ravel()


def near_duplicates(ids: pd.Series, hashes: np.ndarray) -> pd.DataFrame:
    """All pairs whose hashes differ in at most `NEAR` bits.

    Args:
        ids: one an image.
        hashes: of `perceptual_hash`, bool (N, BITS), in the order of `ids`.

    Returns:
        Columns a, b (ids, a earlier in `ids`) and distance (in bits), the nearest first.
    """
    signs = np.where(hashes, 1, -1).astype(np.float32)
    # An image of one colour has hardly a bit set, and would be like any other of one colour.
    signs[hashes.mean(axis=1) < 0.25] = 0
    found = [np.empty((0, 3), int), *_blocks(signs)]
    first, second, distance = np.concatenate(found).T
    names = ids.to_numpy()
    pairs = pd.DataFrame({"a": names[first], "b": names[second], "distance": distance})
    return pairs.sort_values("distance", kind="stable", ignore_index=True)


def _blocks(signs: np.ndarray) -> Iterator[np.ndarray]:
    """(pairs, 3) of row, later row and distance, for one block of rows after another."""
    for start in range(0, len(signs), _BLOCK):
        # Bits that agree add 1 to the product of signs, those that differ subtract 1.
        distance = (BITS - signs[start : start + _BLOCK] @ signs[start:].T) / 2
        row, other = np.nonzero(np.triu(distance <= NEAR, k=1))
        yield np.column_stack((row + start, other + start, distance[row, other].astype(int)))


def known_pairs(name: str) -> list[frozenset[str]]:
    """The pairs of a released set, from the table kept for it; none where there is no table."""
    path = _TABLES / f"{name}.csv"
    if not path.is_file():
        return []
    table = pd.read_csv(path, usecols=["a", "b"], dtype=str)
    return [frozenset(pair) for pair in zip(table["a"], table["b"], strict=True)]
