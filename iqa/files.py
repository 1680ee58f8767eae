"""Where things are kept, and how a file is written whole or not at all."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def project_root() -> Path:
    """The folder with `notebooks/` and `results/`: the one that holds the package, else here."""
    beside = Path(__file__).resolve().parents[1]
    return beside if (beside / "notebooks").is_dir() else Path.cwd()


def cache_root() -> Path:
    """The folder of everything that can be made again: `IQA_CACHE`, else `~/.cache/iqa`."""
    return Path(os.environ.get("IQA_CACHE") or Path.home() / ".cache" / "iqa")


def data_root() -> Path | None:
    """The folder of the image sets in their official layouts: `IQA_DATA`, or None when unset."""
    value = os.environ.get("IQA_DATA")
    return Path(value) if value else None


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


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target` for a file or a folder; it becomes `target` on success.

    A reader sees the old `target` or the new one, never a part. When the body raises, or leaves
    nothing at the temporary path, `target` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        # The suffix is kept: many writers choose the format by it.
        draft = room / target.name
        yield draft
        if draft.is_dir() and target.is_dir():
            os.replace(target, room / "old")
        if draft.exists():
            os.replace(draft, target)
    finally:
        shutil.rmtree(room, ignore_errors=True)
