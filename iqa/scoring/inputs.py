"""From what a user names to image files: files, folders, patterns, a list on standard input."""

import glob
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from iqa.errors import UserError

# What is taken from a folder; a file that is named is tried whatever its suffix.
SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg"),
    *(".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
)


def find_images(words: Iterable[str], stdin: BinaryIO) -> Iterator[str]:
    """Give the image files that `words` name, in their order.

    Args:
        words: A file; a folder, taken with all below it, sorted, without hidden files; a pattern
            such as `photos/**/*.jpg`, sorted; or `-`, for the paths on `stdin`, one a line.
        stdin: Read line by line, not ahead.

    Raises:
        UserError: A folder without images, a pattern without a match, or no path at all. A file
            that does not exist is given all the same: it is for the reader to say so.
    """
    for word in words:
        yield from _or_error(_matches(word, stdin), word)


def _matches(word: str, stdin: BinaryIO) -> Iterable[str]:
    if word == "-":
        return (os.fsdecode(line) for raw in stdin if (line := raw.rstrip(b"\r\n")))
    if os.path.isdir(word):
        return _in_folder(word)
    if os.path.exists(word) or not glob.has_magic(word):
        return [word]
    return filter(os.path.isfile, sorted(glob.glob(word, recursive=True)))


def _in_folder(folder: str) -> Iterator[str]:
    for place, inner, files in os.walk(folder, onerror=_refuse):
        # In place: it is what `os.walk` visits next.
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(files):
            if os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith("."):
                yield os.path.join(place, name)


def _refuse(error: OSError) -> None:
    raise UserError(f"folder {error.filename}: {error.strerror}; make it readable or leave it out")


def _or_error(paths: Iterable[str], word: str) -> Iterator[str]:
    """The `paths`; an error when there are none."""
    path = None
    for path in paths:
        yield path
    if path is None:
        what = "standard input" if word == "-" else word
        raise UserError(
            f"{what}: no images found; give files, folders with images ({', '.join(SUFFIXES)}), "
            "quoted patterns, or - for a list on standard input"
        )
