"""From an image file of any kind to the square of bytes a backbone sees."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from iqa.errors import UserError

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
    """Read an image file as 8-bit RGB, upright.

    The EXIF orientation is applied; transparent parts are shown over white, as most viewers do;
    16-bit grey is scaled by 1/257; palettes, grey and CMYK are converted without colour profiles;
    of an animation the first frame is taken.

    Raises:
        UserError: The file is missing, truncated, not an image, or holds floating-point pixels.
    """
    try:
        with Image.open(path) as image:
            image.load()
            upright = ImageOps.exif_transpose(image)
    except FileNotFoundError:
        raise UserError(f"{path}: no such image file; check the path") from None
    # Pillow's decoders raise many types on damaged input: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise UserError(
            f"{path}: not a readable image ({error}); replace the file or leave it out"
        ) from error
    if upright.mode == "F":
        raise UserError(f"{path}: floating-point pixels have no known range; save it with 8 bits")
    return _to_rgb(upright)


def read_image(path: str | Path, size: int) -> np.ndarray:
    """Read an image file as uint8 (size, size, 3), its aspect ratio ignored.

    Resized as in the paper's code: the whole image to a square; bicubic, with Pillow's antialiasing
    when it shrinks.

    Raises:
        UserError: As `read_rgb`.
    """
    return np.asarray(read_rgb(path).resize((size, size), Image.Resampling.BICUBIC))


def read_ahead(paths: Iterable[str], size: int, threads: int, ahead: int) -> Iterator[np.ndarray]:
    """Read images in order while the caller works on earlier ones.

    At most `ahead` images are held. Pillow decodes and resizes outside the interpreter's
    lock, so threads are enough.

    Raises:
        UserError: As `read_rgb`, when the image's turn comes.
    """
    waiting: deque = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for path in paths:
                waiting.append(pool.submit(read_image, path, size))
                if len(waiting) == ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
