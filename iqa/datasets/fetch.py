"""Getting a data set whose owner publishes it under direct addresses."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iqa.datasets.clone import clone
from iqa.datasets.declaration import Archive, Repository
from iqa.datasets.download import discard, download
from iqa.datasets.registry import find
from iqa.datasets.unpack import DAMAGE, unpack
from iqa.errors import UserError
from iqa.files import data_root


@dataclass(frozen=True)
class Fetched:
    """What became of one published file or repository.

    Attributes:
        address: where it came from.
        target: the file or folder it became.
        size: of what came, in bytes, 0 where `target` was there before and nothing was fetched.
        version: "sha256 ..." of the bytes that came, or "commit ..." that was cloned, to compare
            with another copy; empty where nothing came.
    """

    address: str
    target: Path
    size: int = 0
    version: str = ""


def fetch(name: str, progress: bool = False) -> Iterator[Fetched]:
    """Get the published files of a data set, one after another, into the data root.

    What is there already is left as it is. A download that was cut off is taken up again, a zip is
    tested and unpacked atomically, and deleted then; a repository is cloned completely or not
    at all.

    Args:
        name: as for `iqa.datasets.load`.
        progress: show progress bars on standard error.

    Yields:
        What became of each file, as soon as it is in its place.

    Raises:
        UserError: `name` is unknown or has no direct address, IQA_DATA is not set, or a file
            cannot be downloaded, is damaged or does not fit the disk.
    """
    entry = find(name)
    if not entry.archives:
        raise UserError(f"dataset `{name}` has no direct address to fetch: {entry.info.where}")
    root = data_root()
    if root is None:
        raise UserError("IQA_DATA is not set; set it to the folder that is to hold the data sets")
    for archive in entry.archives:
        yield _fetch_one(archive, root, progress)


def _fetch_one(archive: Archive | Repository, root: Path, progress: bool) -> Fetched:
    target = root / archive.target
    if target.exists():
        return Fetched(archive.address, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise UserError(
            f"{target.parent} cannot be made ({fault.strerror}); let IQA_DATA name a folder that "
            "you may write to"
        ) from fault
    if isinstance(archive, Repository):
        commit = clone(archive.address, target, progress)
        return Fetched(archive.address, target, _size(target), f"commit {commit}")
    part = root / f"{archive.address.rsplit('/', 1)[-1]}.part"
    download(archive.address, part, progress)
    size, digest = part.stat().st_size, _sha256(part)
    if archive.address.endswith(".zip"):
        _unpack(archive, part, target, progress)
    else:
        os.replace(part, target)
    discard(part)
    return Fetched(archive.address, target, size, f"sha256 {digest}")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _unpack(archive: Archive, part: Path, target: Path, progress: bool) -> None:
    try:
        unpack(part, target, progress)
    except DAMAGE as fault:
        discard(part)
        raise UserError(
            f"{archive.address}: what came is a damaged zip ({fault}) and was deleted; run the "
            "command again to fetch it again"
        ) from fault


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
