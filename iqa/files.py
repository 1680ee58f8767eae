"""Where things are kept, and how a file is written atomically."""

import ctypes
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from iqa.errors import UserError


def project_root() -> Path:
    """The folder with `notebooks/` and `results/`: the one that holds the package, else here."""
    beside = Path(__file__).resolve().parents[1]
    return beside if (beside / "notebooks").is_dir() else Path.cwd()


def cache_root() -> Path:
    """The folder of everything that can be made again: `IQA_CACHE`, else `~/.cache/iqa`."""
    return _folder_of("IQA_CACHE") or _expanded("IQA_CACHE", "~/.cache/iqa")


def data_root() -> Path | None:
    """The folder of the image sets in their official layouts: `IQA_DATA`, or None when unset."""
    return _folder_of("IQA_DATA")


def _folder_of(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return _expanded(variable, value) if value else None


def _expanded(variable: str, value: str) -> Path:
    # A shell leaves the ~ in `make lab IQA_DATA=~/data`, and so does a Dockerfile.
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise UserError(
            f"{variable}: the home folder in {value} is not known; set {variable} to a whole path"
        ) from None


def fingerprint(*parts: str | bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of `parts`, each prefixed by its length.

    >>> fingerprint("ab", "c") == fingerprint("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()[:16]


_ROOM = re.compile(r"(?s).*/\.[^/]+\.[a-z0-9_]{8}(\.iqa-lock|/.*)?")
"""The path of a room, of its lock, or of what lies in it."""


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target` for a file or a folder; it becomes `target` on success.

    A reader sees the old `target` or the new one, never a part. When the body raises, or leaves
    nothing at the temporary path, `target` stays as it was. A link is followed, and a file keeps
    its permissions; a device or a pipe is written to at the end. What killed writers left in the
    folder is removed.

    Raises:
        OSError: the disk is full, or the folder cannot be written to; it names `target`.
    """
    if target.exists() and not (target.is_file() or target.is_dir()):
        with tempfile.TemporaryDirectory() as elsewhere:
            draft = Path(elsewhere) / target.name
            yield draft
            if draft.exists():
                with open(draft, "rb") as whole, open(target, "wb") as open_target:
                    shutil.copyfileobj(whole, open_target)
        return
    target = Path(os.path.realpath(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _swept(target.parent)
        with _room(target) as room:
            # The suffix is kept: many writers choose the format by it.
            draft = room / target.name
            yield draft
            if draft.is_dir() and target.is_dir():
                _replace_folder(draft, target, room)
            elif draft.exists():
                if target.is_file():
                    shutil.copymode(target, draft)
                os.replace(draft, target)
    except OSError as fault:
        # A full disk comes without a name, and the name of a draft says nothing to anyone.
        if fault.errno and (fault.filename is None or _ROOM.fullmatch(str(fault.filename))):
            fault.filename = str(target)
        raise


@contextmanager
def _room(target: Path) -> Iterator[Path]:
    """A folder `.NAME.xxxxxxxx` beside `target` for its draft, with a lock beside it.

    The kernel frees the lock of a process that was killed: so a room is known to be left over.
    """
    name = target.name if len(os.fsencode(target.name)) < 200 else fingerprint(target.name)
    handle, lock = tempfile.mkstemp(".iqa-lock", f".{name}.", target.parent)
    os.close(handle)
    room = Path(lock).with_suffix("")
    try:
        with FileLock(lock):
            room.mkdir()
            try:
                yield room
            finally:
                shutil.rmtree(room, ignore_errors=True)
    finally:
        Path(lock).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the rooms that killed writers left in `folder`.

    An archive or a shared folder may hold files of others. A name that no writer makes, such as
    `.git.iqa-lock`, is no lock of a room, and a link is no room: both are left alone.
    """
    for lock in folder.glob(".*.iqa-lock"):
        room = Path(str(lock).removesuffix(".iqa-lock"))
        if not _ROOM.fullmatch(f"/{lock.name}") or room.is_symlink():
            continue
        with suppress(Timeout, OSError), FileLock(lock, timeout=0):
            for old in room.glob("old/*"):
                if not (folder / old.name).exists():
                    os.replace(old, folder / old.name)
            shutil.rmtree(room, ignore_errors=True)
            lock.unlink()


_swept = cache(sweep)
"""Once a process, as a folder may hold very many files."""


def _replace_folder(draft: Path, target: Path, room: Path) -> None:
    """Put the folder `draft` in the place of `target`, which `room` then holds."""
    try:
        _exchange(draft, target)
    except OSError:
        # Some file systems cannot: after a kill between these two, `sweep` puts the old one back.
        (room / "old").mkdir()
        aside = room / "old" / target.name
        try:
            os.replace(target, aside)
            os.replace(draft, target)
        except BaseException:
            if not target.exists():
                os.replace(aside, target)
            raise


def _exchange(one: Path, other: Path) -> None:
    """Swap two paths in one step, by renameat2(2) of Linux.

    Raises:
        OSError: the system or the file system cannot.
    """
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, TypeError) as fault:  # macOS, Windows
        raise OSError("no renameat2 here") from fault
    if call(here, os.fsencode(one), here, os.fsencode(other), swap):
        raise OSError(ctypes.get_errno(), "renameat2")
