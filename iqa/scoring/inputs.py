"""From what a user names to image files: files, folders, patterns, a list on standard input."""

import codecs
import glob
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from iqa.errors import UserError, printable
from iqa.images import FORMATS, SUFFIXES


@dataclass
class Skipped:
    """What was left out of folders and patterns, and why; `str` says it in one line, or is empty.

    Attributes:
        suffixes: how many files that are no images by their names, by the suffix.
        hidden: files and folders whose names begin with a dot.
        folders: folders that a pattern matched, or that links led to again.
        unreadable: folders that could not be read, each with the reason.
    """

    suffixes: Counter[str] = field(default_factory=Counter)
    hidden: int = 0
    folders: int = 0
    unreadable: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = []
        if self.suffixes:
            named = ", ".join(
                f"{count} {suffix or 'without a suffix'}"
                for suffix, count in self.suffixes.most_common(8)
            )
            parts.append(f"{_number(self.suffixes.total(), 'file')} of other kinds ({named})")
        if self.hidden:
            parts.append(f"{self.hidden} hidden")
        if self.folders:
            parts.append(
                f"{_number(self.folders, 'folder')} that a pattern matched or links repeat"
            )
        if self.unreadable:
            what = f"{_number(len(self.unreadable), 'folder')} that cannot be read"
            parts.append(f"{what} ({', '.join(self.unreadable[:3])})")
        return printable(f"skipped: {'; '.join(parts)}") if parts else ""


def _short(path: str) -> str:
    """The path without its middle, if it is too long for a line."""
    return path if len(path) <= 200 else f"{path[:90]} ... {path[-90:]}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def find_images(
    words: Iterable[str], skipped: Skipped, stdin: BinaryIO | None = None
) -> Iterator[str]:
    """Give the image files that `words` name, in their order.

    Args:
        words: A file; a folder, taken with all below it, sorted, links followed, without hidden
            files; a pattern such as `photos/**/*.jpg`, sorted; or `-`, for the paths on `stdin`,
            one a line. What is there by the very name, with all its brackets, is no pattern.
        skipped: Entered here is what is left out.
        stdin: Read line by line, not ahead; by default standard input.

    Raises:
        UserError: A folder without images, a pattern without a match, or no path at all. A file
            that does not exist is given all the same: it is for the reader to say so.
    """
    for word in words:
        path = None
        for path in _matches(word, skipped, stdin):
            yield path
        if path is None:
            what = "standard input" if word == "-" else word
            left_out = f" ({skipped})" if str(skipped) else ""
            raise UserError(
                f"{what}: no images found{left_out}; give files, folders with images "
                f"({', '.join(FORMATS)}), quoted patterns, or - for a list on standard input"
            )


def _matches(word: str, skipped: Skipped, stdin: BinaryIO | None) -> Iterable[str]:
    if word == "-":
        return _listed(stdin or sys.stdin.buffer)
    if os.path.isdir(word):
        return _in_folder(word, skipped)
    if os.path.lexists(word) or not glob.has_magic(word):
        return [word]
    return _by_pattern(word, skipped)


def _listed(lines: Iterable[bytes]) -> Iterator[str]:
    for number, raw in enumerate(lines):
        # Some editors of Windows begin a file of UTF-8 with a mark.
        line = raw.rstrip(b"\r\n").removeprefix(b"" if number else codecs.BOM_UTF8)
        if line:
            yield os.fsdecode(line)


def _by_pattern(pattern: str, skipped: Skipped) -> Iterator[str]:
    """What the pattern matches; brackets are letters where a folder has them in its name."""
    if pattern.endswith("**"):
        pattern += "/*"
    found = set(_matched(_escaped(pattern))) or set(_matched(pattern.replace("[", "[[]")))
    for path in sorted(found):
        if os.path.isdir(path):
            skipped.folders += 1
        else:
            yield path


def _matched(pattern: str) -> Iterator[str]:
    """As recursive `glob`, which goes round and round where links make a loop."""
    head, deep, tail = pattern.partition("**/")
    if not deep or head[-1:] not in ("", "/"):
        yield from glob.iglob(pattern)
        return
    for folder in glob.iglob(head) if head else [""]:
        for place, _ in _walked(folder or ".", Skipped()):
            inner = os.path.relpath(place, folder or ".")
            below = folder if inner == "." else os.path.join(folder, inner, "")
            yield from _matched(glob.escape(below) + tail)


def _escaped(pattern: str) -> str:
    """The pattern with its first folders escaped, as far as they are there by these very names."""
    head, tail = "", pattern
    while "/" in tail:
        part, _, rest = tail.partition("/")
        if not os.path.isdir(f"{head}{part}/"):
            break
        head, tail = f"{head}{part}/", rest
    return glob.escape(head) + tail


def _in_folder(folder: str, skipped: Skipped) -> Iterator[str]:
    for place, files in _walked(folder, skipped):
        for name in files:
            suffix = os.path.splitext(name)[1].lower()
            if suffix in SUFFIXES:
                yield os.path.join(place, name)
            else:
                skipped.suffixes[suffix] += 1


def _walked(folder: str, skipped: Skipped) -> Iterator[tuple[str, list[str]]]:
    """A folder and all below it, each once, with the names of its files; nothing hidden; sorted."""
    seen = set()

    def unreadable(error: OSError) -> None:
        skipped.unreadable.append(f"{_short(error.filename)}: {error.strerror}")

    for place, inner, files in os.walk(folder, onerror=unreadable, followlinks=True):
        found = os.stat(place)
        if (found.st_dev, found.st_ino) in seen:
            skipped.folders += 1
            inner.clear()
            continue
        seen.add((found.st_dev, found.st_ino))
        skipped.hidden += sum(name.startswith(".") for name in [*inner, *files])
        # In place: it is what `os.walk` visits next.
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield place, sorted(name for name in files if not name.startswith("."))
