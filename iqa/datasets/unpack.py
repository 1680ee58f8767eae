"""One file or folder out of a zip: complete or absent, and nowhere but where it belongs."""

import errno
import lzma
import shutil
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from iqa.errors import UserError
from iqa.files import written_whole

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
)
"""What `unpack` raises on a damaged archive."""

_OF_NAMES = (errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTDIR)
"""Faults that in a new folder only the archive's names can make."""


def unpack(archive: Path, target: Path, progress: bool = False) -> None:
    """Unpack what is named like `target`, wherever in the zip it stands.

    Every byte is compared with the checksum (CRC-32) that the zip holds of each file.

    Args:
        archive: a zip.
        target: the file or folder to make; must not be there.
        progress: show a progress bar on standard error.

    Raises:
        UserError: a name in the zip points out of its folder, nothing in it is named like
            `target`, it is encrypted, or the disk is full.
        BadZipFile: the zip is damaged; and whatever else stands in `DAMAGE`.
    """
    with zipfile.ZipFile(archive) as opened:
        chosen = _chosen(opened, target.name)
        needed = sum(member.file_size for member in chosen)
        free = shutil.disk_usage(archive.parent).free
        if needed > free:
            raise UserError(
                f"{archive.parent} has {free / 1e6:,.0f} MB free, {target.name} needs "
                f"{needed / 1e6:,.0f} MB unpacked; make room, then run the command again"
            )
        try:
            _extract(opened, chosen, target, progress)
        except OSError as fault:
            if fault.errno is None or fault.errno in _OF_NAMES:
                raise zipfile.BadZipFile(str(fault)) from fault
            raise UserError(
                f"{target} cannot be written ({fault.strerror}); mend that, then run the command "
                "again"
            ) from fault


def _chosen(opened: zipfile.ZipFile, name: str) -> dict[zipfile.ZipInfo, PurePosixPath]:
    """The members to unpack, each with its path below the target; "." where it is the target."""
    chosen = {}
    for member in opened.infolist():
        path = PurePosixPath(member.filename)
        if path.is_absolute() or ".." in path.parts or set(member.filename) & set("\\:"):
            raise UserError(
                f"{opened.filename}: its member {member.filename!r} points out of the folder it is "
                "unpacked to; this is not the owner's archive, delete it"
            )
        if member.flag_bits & 1:
            raise UserError(
                f"{opened.filename}: {member.filename!r} is encrypted; this is not the owner's "
                "archive, delete it"
            )
        if name in path.parts and not member.is_dir() and path.parts[0] != "__MACOSX":
            chosen[member] = PurePosixPath(*path.parts[path.parts.index(name) + 1 :])
    if not chosen:
        names = (PurePosixPath(member.filename) for member in opened.infolist())
        tops = sorted({name.parts[0] for name in names if name.parts})
        raise UserError(
            f"{opened.filename} holds no {name} (it holds: {', '.join(tops[:5])}); its owner has "
            "changed it: unpack it by hand"
        )
    return chosen


def _extract(
    opened: zipfile.ZipFile,
    chosen: dict[zipfile.ZipInfo, PurePosixPath],
    target: Path,
    progress: bool,
) -> None:
    from rich.console import Console
    from rich.progress import track

    steps = track(
        chosen.items(),
        description=f"Unpacking {target.name}",
        console=Console(stderr=True),
        disable=not progress,
    )
    with written_whole(target) as draft:
        for member, below in steps:
            path = draft / below
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(member) as source, path.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
