"""From an image file of any kind to the square of bytes a backbone sees."""

import math
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import ExifTags, Image, ImageOps

from iqa.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")

# What Pillow only warns of, `rgb` refuses.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# The grey levels of 16-bit files: Pillow's own conversion to 8 bits clips instead of scaling.
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        levels = np.asarray(image, dtype=np.int64).clip(0, 65535)
        image = Image.fromarray((levels / 257).round().astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def read_rgb(path: str | Path) -> Image.Image:
    """Read an image file as 8-bit RGB, upright, as `rgb` makes it.

    Raises:
        UserError: The file is missing or not an image, or as `rgb`.
    """
    try:
        image = Image.open(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such image file; check the path") from None
    except Image.DecompressionBombError:
        raise _too_large(path) from None
    except Exception as error:
        raise _unreadable(path, error) from error
    with image:
        return rgb(image, path)


def rgb(image: Image.Image, name: str | Path) -> Image.Image:
    """Turn an image of any mode into 8-bit RGB, upright.

    The EXIF orientation is applied; transparent parts are shown over white, as most viewers do;
    16-bit grey is scaled by 1/257; palettes, grey and CMYK are converted without colour profiles;
    of an animation the present frame is taken, which is the first unless another was chosen. What
    is upright RGB already is given back itself.

    Args:
        image: Any image of Pillow's.
        name: What an error calls it.

    Raises:
        UserError: It is truncated, holds floating-point pixels, or more pixels than
            `Image.MAX_IMAGE_PIXELS` (Pillow's limit, 89 million by default): a small file can
            unpack to more than the memory holds.
    """
    if image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf):
        raise _too_large(name)
    if image.mode == "F":
        raise UserError(f"{name}: floating-point pixels have no known range; save it with 8 bits")
    try:
        image.load()
        # Pillow would copy an image that is upright and RGB already.
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            image = ImageOps.exif_transpose(image)
        return image if image.mode == "RGB" and not image.has_transparency_data else _to_rgb(image)
    except Exception as error:
        raise _unreadable(name, error) from error


def _too_large(name: str | Path) -> UserError:
    limit = Image.MAX_IMAGE_PIXELS
    return UserError(
        f"{name}: more than {limit:,} pixels (a decompression bomb?); make the image smaller"
    )


def _unreadable(name: str | Path, error: Exception) -> UserError:
    # Pillow's decoders raise many types on damaged input: OSError, SyntaxError, struct.error, ...
    reason = " ".join(str(error).split())
    return UserError(f"{name}: not a readable image ({reason}); replace the file or leave it out")


def read_image(path: str | Path, size: int) -> np.ndarray:
    """Read an image file as uint8 (size, size, 3), as `square` makes it.

    Raises:
        UserError: As `read_rgb`.
    """
    return square(read_rgb(path), size)


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
        UserError: As `read_rgb`, when the image's turn comes.
    """
    return in_order(partial(read_image, size=size), paths, threads, ahead)
