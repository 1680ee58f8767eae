"""Opening image files that anyone may have made: only what is wanted, and nothing is ever run."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from iqa.errors import UserError

FORMATS = {
    "AVIF": (".avif",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg"),
    "JPEG2000": (".jp2",),
    "PNG": (".png",),
    "PPM": (".pgm", ".ppm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
"""The formats that are opened, by Pillow's names, and the suffixes that files of them have.

Pillow knows some forty. Among them is EPS, which it gives to Ghostscript to run as a program, and
by default it goes by a file's first bytes, whatever its name is.
"""

KINDS = {*FORMATS, "MPO"}
"""What an opened file's format may be: Pillow calls a JPEG with a second picture in it MPO."""


def open_image(file: str | Path | BinaryIO) -> Image.Image:
    """Open an image as `PIL.Image.open` does, from a regular file, in one of `FORMATS`.

    A FIFO would block for good, and a device may never end.

    Args:
        file: a path, or an open binary file, which the caller closes.

    Raises:
        UserError: there is no such file, or it is not a regular file.
        Exception: whatever Pillow raises on what is not an image: many types.
    """
    if not isinstance(file, (str, Path)):
        return Image.open(file, formats=list(FORMATS))
    try:
        kind = os.stat(file).st_mode
    except FileNotFoundError:
        raise UserError(f"{file}: no such image file; check the path") from None
    if stat.S_ISDIR(kind):
        raise UserError(f"{file}: a folder, not an image file; give the images in it")
    if not stat.S_ISREG(kind):
        raise UserError(f"{file}: not a regular file (a pipe or a device?); copy it to one")
    return Image.open(file, formats=list(FORMATS))
