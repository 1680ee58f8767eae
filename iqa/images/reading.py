"""Reading an image file as 8-bit RGB, upright, in bounded memory."""

import io
import os
from collections.abc import Callable
from contextlib import nullcontext
from os import PathLike
from typing import BinaryIO, TypeVar

from PIL import Image

from iqa.errors import UserError
from iqa.images.formats import FORMATS, format_of
from iqa.images.locks import ForkLock
from iqa.images.pixels import MAX_PIXELS, check_size, orientation, to_rgb, turned, unreadable
from iqa.images.regular_files import open_regular

Result = TypeVar("Result")
Source = str | PathLike[str] | bytes | BinaryIO

MARGIN = 2
"""How many times the wanted size a JPEG is decoded at, at least, where it is not decoded whole."""

# Images of more pixels are decoded one at a time, whatever the number of threads: 128 MB each.
_LARGE = 1 << 25
_one_large = ForkLock()


def read_rgb(source: Source, name: str | None = None) -> Image.Image:
    """Read an image file as 8-bit RGB, upright, as `rgb` makes it, at its full size.

    Args:
        source: a path, the bytes of a file, or an open binary file that can be sought.
        name: what an error calls it; by default the path.

    Raises:
        UserError: as `read_as`.
    """
    return read_as(lambda image: image, source, name)


def read_as(
    use: Callable[[Image.Image], Result],
    source: Source,
    name: str | None = None,
    at_least: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Result:
    """What `use` makes of an image file, read as 8-bit RGB, upright, as `rgb` makes it.

    The image is handed to `use` rather than back, so that of large ones only one is held at a time.

    Args:
        use: what is wanted of the image, such as a small copy.
        source: a path, the bytes of a file, or an open binary file that can be sought.
        name: what an error calls it; by default the path.
        at_least: decode a JPEG at 1/2, 1/4 or 1/8 of its size where both sides are then still
            `MARGIN` times this or more; None decodes it whole.
        max_pixels: refuse to decode more; as `rgb`.

    Raises:
        UserError: the file is missing, not a regular one, or no image of a kind that is read
            (`FORMATS`); or as `rgb`.
    """
    path = source if isinstance(source, str | PathLike) else None
    name = name or str(path or "image")
    file = _file(source)
    try:
        image = _lazily(file, os.path.splitext(path or "")[1])
        if at_least is not None and image.format == "JPEG":
            image.draft(None, (MARGIN * at_least, MARGIN * at_least))
        check_size(image, name, max_pixels)
        with _one_large if image.width * image.height > _LARGE else nullcontext():
            image.load()
            turn = orientation(image)
            # By the same name, so that what is not needed any more is freed.
            image = to_rgb(image, name)
            image = turned(image, turn)
            return use(image)
    except UserError:
        raise
    except Exception as error:
        raise unreadable(name, error) from error
    finally:
        if file is not source:
            file.close()


def _file(source: Source) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return open_regular(source) if isinstance(source, str | PathLike) else source


def _lazily(file: BinaryIO, suffix: str) -> Image.Image:
    """The image in `file` before its pixels are decoded."""
    file.seek(0)
    kind = format_of(file.read(64), suffix)
    if kind is None:
        raise ValueError(f"none of {', '.join(FORMATS)}")
    file.seek(0)
    return FORMATS[kind].open(file)
