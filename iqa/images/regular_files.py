"""Opening files that anyone may have made: regular ones alone, of bounded length."""

import os
import stat
from os import PathLike
from typing import BinaryIO

from iqa.errors import UserError

MAX_BYTES = 1 << 30
"""Of a file; a photograph of 108 million pixels, not compressed, has a third of it."""


def open_regular(path: str | PathLike[str]) -> BinaryIO:
    """Open the regular file `path` for reading.

    A pipe would block for good, a device may never end, and opening one may have effects.

    Raises:
        UserError: there is no such file, it cannot be opened, is not a regular one or too long.
    """
    # Should a pipe take the file's place after the first look at it, opening it must not block.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        _check(os.stat(path), path)
        file = open(os.open(path, flags), "rb")  # noqa: SIM115 (the caller closes it)
    except FileNotFoundError:
        raise UserError(f"{path}: no such image file; check the path") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; make it readable or leave it out") from error
    except ValueError as error:  # a NUL, or what no file name can hold
        raise UserError(f"{path}: not a file name ({error}); check the path") from error
    try:
        _check(os.fstat(file.fileno()), path)
    except UserError:
        file.close()
        raise
    return file


def _check(found: os.stat_result, path: str | PathLike[str]) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise UserError(f"{path}: a folder, not an image file; give the images in it")
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{path}: not a regular file (a pipe or a device?); copy it to one")
    if found.st_size > MAX_BYTES:
        raise UserError(f"{path}: more than {MAX_BYTES:,} bytes; save it smaller")
