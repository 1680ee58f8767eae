"""Image files found from one listing of each folder, and the fingerprint of what was read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import pandas as pd

from iqa.errors import UserError
from iqa.files import fingerprint
from iqa.images import open_regular
from iqa.threads import in_order


@dataclass(frozen=True)
class Found:
    """A file as its folder lists it.

    Attributes:
        path: absolute.
        size: in bytes.
    """

    path: str
    size: int


def find(folder: Path, names: Iterable[str]) -> list[Found | None]:
    """Look `names` up in `folder`, None for what is not there.

    Each folder is listed once and no file is opened. A name may carry folders of its own. The
    spelling of the table wins; where it is not there, a file is taken that differs only in the case
    of its suffix, since tables say `.jpg` where the archive has `.JPG`, or in how Unicode spells
    its letters: a Mac takes é for e and an accent, other systems for one letter.
    """
    listings: dict[Path, dict[str, Found]] = {}
    found = []
    for name in names:
        wanted = folder / name
        if wanted.parent not in listings:
            listings[wanted.parent] = _listing(_spelt(wanted.parent))
        listing = listings[wanted.parent]
        found.append(listing.get(wanted.name) or listing.get(_folded(wanted.name)))
    return found


def _folded(name: str) -> str:
    """The name in composed Unicode, its suffix in lower case, and a slash that no name can hold."""
    stem, suffix = os.path.splitext(normalize("NFC", name))
    return f"{stem}/{suffix.lower()}"


def _spelt(folder: Path) -> Path:
    """The folder as the disk spells it, where Unicode is all that differs; else as it is."""
    spelt = Path(folder.anchor)
    for part in folder.parts[bool(folder.anchor) :]:
        if not os.path.isdir(spelt / part):
            name = normalize("NFC", part)
            part = next((n for n in os.listdir(spelt) if normalize("NFC", n) == name), "")
            if not part:
                return folder
        spelt /= part
    return spelt


def _listing(folder: Path) -> dict[str, Found]:
    """The files of `folder` by their name and by their folded name."""
    if not os.path.isdir(folder):  # unlike Path's, it takes names that no file system can hold
        return {}
    with os.scandir(folder) as entries:
        files = [
            (entry.name, Found(os.path.abspath(entry.path), entry.stat().st_size))
            for entry in entries
            if entry.is_file()
        ]
    return {_folded(name): file for name, file in files} | dict(files)


def with_paths(table: pd.DataFrame, folder: Path, name: str, remedy: str) -> pd.DataFrame:
    """The table and, for each id, `path` and `size`.

    Args:
        table: with the column id.
        folder: that ids are relative to.
        name: of the data set.
        remedy: what to do where images are missing.

    Raises:
        UserError: files are missing, the first is named; or two ids are one file.
    """
    try:
        files = find(folder, table["id"])
    except OSError as fault:
        raise UserError(
            f"dataset `{name}`: {fault.filename} cannot be read ({fault.strerror}); change its "
            "permissions"
        ) from fault
    missing = [name for name, file in zip(table["id"], files, strict=True) if file is None]
    if missing:
        raise UserError(
            f"dataset `{name}`: {len(missing)} of {len(table)} images are not in {folder}, first "
            f"{missing[0]!r}; {remedy}"
        )
    there = [file for file in files if file is not None]
    ids: dict[str, str] = {}
    for id_, file in zip(table["id"], there, strict=True):
        if file.path in ids:
            raise UserError(
                f"dataset `{name}`: {ids[file.path]!r} and {id_!r} are the same file, expected one "
                "row an image; remove one of the two"
            )
        ids[file.path] = id_
    return table.assign(path=[file.path for file in there], size=[file.size for file in there])


def with_digests(table: pd.DataFrame) -> pd.DataFrame:
    """The table and, for each path, `pixels`: the digest of the file's bytes; none is decoded.

    Raises:
        UserError: a file cannot be read.
    """
    threads = os.cpu_count() or 1
    return table.assign(pixels=list(in_order(digest, table["path"], threads, ahead=4 * threads)))


def digest(path: str) -> str:
    """Fingerprint of a file's bytes.

    Raises:
        UserError: it cannot be read.
    """
    with open_regular(path) as file:
        return fingerprint(file.read())


def content_fingerprint(table: pd.DataFrame) -> str:
    """Fingerprint of ids, scores, groups, the files' sizes in bytes, and columns of the set's own.

    The path is left out, and so is the spread of the ratings, which no model is trained on. A
    benchmark has no digests of its files, so that gigabytes are read in a second: an image that
    changes and keeps its size goes unnoticed here. `iqa datasets check` decodes every image.
    """
    content = table.drop(columns=["path", "deviation"], errors="ignore")
    return fingerprint(content.to_csv(index=False, lineterminator="\n"))
