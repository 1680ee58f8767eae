"""The square of bytes that a backbone sees of an image, and reading many ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from iqa.images import read_as

Item = TypeVar("Item")
Result = TypeVar("Result")


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


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int
) -> Iterator[Result]:
    """Give `work(item)` of each item, in order; threads work ahead of the caller.

    At most `ahead` results are held, and as many items taken in advance. What `work` raises is
    raised when the item's turn comes.

    >>> list(in_order(abs, [-3, 2, -1], threads=2, ahead=2))
    [3, 2, 1]
    """
    waiting: deque = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) == ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def read_ahead(paths: Iterable[str], size: int, threads: int, ahead: int) -> Iterator[np.ndarray]:
    """Read images in order while the caller works on earlier ones; at most `ahead` are held.

    Pillow decodes and resizes outside the interpreter's lock, so threads are enough.

    Raises:
        UserError: As `read_image`, when the image's turn comes.
    """
    return in_order(partial(read_image, size=size), paths, threads, ahead)
