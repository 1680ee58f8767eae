"""The best of scored files: their order, the first of them, copies of them."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from iqa.errors import UserError
from iqa.files import written_whole
from iqa.scoring.scorer import Row

Order = Literal["best", "worst"]
"""Which scores come first."""


def ranked(rows: Iterable[Row], order: Order = "best", top: int | None = None) -> list[Row]:
    """The rows by score, of equal ones in their order; after them those with errors.

    Args:
        rows: any number; all are held.
        order: which come first.
        top: keep no more than so many with scores.

    >>> rows = [Row("a", 1.0, None, "m"), Row("b", None, "no image", "m"), Row("c", 2.0, None, "m")]
    >>> [row.path for row in ranked(rows)], [row.path for row in ranked(rows, "worst", top=1)]
    (['c', 'a', 'b'], ['a', 'b'])
    """
    held = list(rows)
    scored = [row for row in held if row.score is not None]
    scored.sort(key=lambda row: row.score or 0.0, reverse=order == "best")
    return scored[:top] + [row for row in held if row.score is None]


def check_new(folder: Path) -> None:
    """See that copies into `folder` replace nothing.

    Raises:
        UserError: it is there and not empty, or is no folder.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder}: it is there and not empty; choose a new folder for copies")


def copy_ranked(rows: Sequence[Row], folder: Path) -> list[str]:
    """Copy the files of the rows that have scores; a copy's name begins with its rank, from 1.

    Returns:
        What could not be copied, each in one line with the reason.
    """
    scored = [row for row in rows if row.score is not None]
    digits, faults = len(str(len(scored))), []
    for rank, row in enumerate(scored, 1):
        try:
            with written_whole(folder / f"{rank:0{digits}}-{Path(row.path).name}") as draft:
                shutil.copy2(row.path, draft)
        except OSError as error:
            faults.append(f"{row.path}: not copied ({error.strerror})")
    return faults
