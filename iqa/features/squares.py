"""The square of bytes that a backbone sees of an image, and reading many ahead."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from iqa.images import read_as
from iqa.threads import in_order


def read_image(path: str | Path, size: int) -> np.ndarray:
    """Read an image file as uint8 (size, size, 3), as `square` makes it, from the whole image.

    Raises:
        UserError: As `iqa.images.read_as`.
    """
    return read_as(partial(square, size=size), path)


def square(image: Image.Image, size: int) -> np.ndarray:
    """Resize an RGB image to uint8 (size, size, 3), its aspect ratio ignored.

    As in the paper's code: the whole image to a square; bicubic, with Pillow's antialiasing when
    it shrinks.
    """
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))


def read_ahead(paths: Iterable[str], size: int, threads: int, ahead: int) -> Iterator[np.ndarray]:
    """Read images in order while the caller works on earlier ones; at most `ahead` are held.

    Pillow decodes and resizes outside the interpreter's lock, so threads are enough.

    Raises:
        UserError: As `read_image`, when the image's turn comes.
    """
    return in_order(partial(read_image, size=size), paths, threads, ahead)
