"""Whether a copy of a data set is whole: files, images, numbers, duplicates and near-duplicates."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from iqa.datasets.listing import digest
from iqa.datasets.near_duplicates import BITS, near_duplicates, perceptual_hash
from iqa.datasets.registry import find, load
from iqa.datasets.types import Dataset, Facts
from iqa.errors import UserError
from iqa.images import read_rgb
from iqa.threads import in_order


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        summary: what is there, in one line; empty when the set could not be read.
        faults: what is wrong, each with its remedy; empty when all is well.
        notes: what should be known, and is no fault of this copy.
        pairs: near-duplicates, as `near_duplicates` gives them; None when nothing could be read.
    """

    summary: str
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()
    pairs: pd.DataFrame | None = None


def check(name: str, progress: bool = False) -> Report:
    """Check every row and every file of a data set; each image is decoded once.

    Args:
        name: as for `load`.
        progress: show a progress bar on standard error.

    Raises:
        UserError: `name` is unknown.
    """
    facts = find(name).facts
    try:
        data = load(name, progress)
    except UserError as fault:
        return Report("", (str(fault),))
    read = list(read_files(data, progress))
    table = data.table.assign(digest=[file.digest for file in read])
    known = facts.identical if facts else ()
    copies = _copies(table)
    pairs = near_duplicates(table["id"], np.stack([file.hash for file in read]))
    faults = [
        *_against_facts(data, facts),
        *(file.fault for file in read if file.fault),
        *(_told(same, facts) for same in copies if frozenset(same["id"]) not in known),
    ]
    notes = [*_noted(copies, known), *_near(table, pairs)]
    return Report(_summary(data), tuple(faults), tuple(notes), pairs)


@dataclass(frozen=True)
class File:
    """What one image file holds.

    Attributes:
        digest: fingerprint of its bytes; its path where they cannot be read.
        fault: why features would refuse it; "" where they would not.
        hash: of `perceptual_hash`; all False where there is none, which is like no other.
    """

    digest: str
    fault: str = ""
    hash: np.ndarray = field(default_factory=lambda: np.zeros(BITS, bool))


def read_files(data: Dataset, progress: bool = False) -> Iterator[File]:
    """Decode every image of `data`, in the order of its table.

    Args:
        data: any rows of a set.
        progress: show a progress bar on standard error.
    """
    from rich.console import Console
    from rich.progress import track

    threads = os.cpu_count() or 1
    yield from track(
        in_order(_read_one, data.table["path"], threads, ahead=4 * threads),
        description=f"Decoding {data.info.name}",
        total=len(data),
        disable=not progress,
        console=Console(stderr=True),
    )


def _read_one(path: str) -> File:
    """The file's fingerprint and hash, and why features would refuse it, if they would."""
    found = path
    try:
        found = digest(path)
        return File(found, hash=perceptual_hash(read_rgb(path)))
    except UserError as fault:
        return File(found, str(fault))


def _summary(data: Dataset) -> str:
    table = data.table
    text = (
        f"{len(table)} images, {data.info.score_kind} {table['score'].min():.4g} to "
        f"{table['score'].max():.4g}, {table['group'].nunique()} content groups"
    )
    return f"{text}, official split {sides(table)}" if "split" in table else text


def sides(table: pd.DataFrame) -> str:
    """Images of train, validation and test, such as 7058/1000/2015."""
    return "/".join(str(int((table["split"] == side).sum())) for side in ("train", "val", "test"))


def _against_facts(data: Dataset, facts: Facts | None) -> list[str]:
    """Where the table differs from the published one."""
    if facts is None:
        return []
    table = data.table
    expected: dict[str, tuple[object, object]] = {
        "lowest score": (round(float(table["score"].min()), 2), facts.low),
        "highest score": (round(float(table["score"].max()), 2), facts.high),
        "content groups": (table["group"].nunique(), facts.groups),
    }
    if facts.split:
        found = sides(table) if "split" in table else "no split table"
        expected["official split"] = (found, "/".join(map(str, facts.split)))
    return [
        f"{what}: {found}, expected {published}; restore the published table"
        for what, (found, published) in expected.items()
        if found != published
    ]


def _copies(table: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each set of images whose files have the same bytes."""
    repeated = table[table.duplicated("digest", keep=False)]
    return [same for _, same in repeated.groupby("digest", sort=False)]


def _noted(copies: list[pd.DataFrame], known: Collection[frozenset[str]]) -> tuple[str, ...]:
    """The copies that the published files hold too, in one line, if there are any."""
    sets = [" = ".join(same["id"]) for same in copies if frozenset(same["id"]) in known]
    if not sets:
        return ()
    return (
        f"files with the same bytes, which share a content group so that no split by group parts "
        f"them: {', '.join(sets)}",
    )


def _near(table: pd.DataFrame, pairs: pd.DataFrame) -> list[str]:
    """What near-duplicates mean for splits by group, and for the set's own split."""
    row_of = table.set_index("id")
    a, b = (row_of.loc[pairs[end]].reset_index() for end in ("a", "b"))
    different = a["digest"] != b["digest"]  # of copies it is told elsewhere
    notes = []
    apart = pairs[different & (a["group"] != b["group"])]
    if len(apart):
        notes.append(
            f"{_listed(apart)} in different content groups; look at them, and give what shows the "
            "same picture one group, so that no split by group parts it"
        )
    across = pairs[different & (a["split"] != b["split"])] if "split" in table else pairs[:0]
    if len(across):
        side_of = row_of["split"]
        tested = [name for name in {*across["a"], *across["b"]} if side_of[name] == "test"]
        notes.append(
            f"{_listed(across)} on two sides of the split; {len(tested)} of "
            f"{sum(side_of == 'test')} test images have one outside the test side, so scores on it "
            "are too high"
        )
    return notes


def _listed(pairs: pd.DataFrame, shown: int = 3) -> str:
    """How many there are, and the nearest of them."""
    nearest = [f"{row.a} ~ {row.b} ({row.distance} bits)" for row in pairs[:shown].itertuples()]
    more = ", ..." if len(pairs) > shown else ""
    return f"near-duplicates: {len(pairs)} ({', '.join(nearest)}{more})"


def _told(same: pd.DataFrame, facts: Facts | None) -> str:
    """What copies of one image mean for a split, in one line."""
    names = ", ".join(same["id"])
    if "split" in same and same["split"].nunique() > 1:
        placed = ", ".join(f"{row.id} in {row.split}" for row in same.itertuples())
        return f"the same bytes on two sides of the official split: {placed}; leave one out"
    if facts is not None:
        return f"the same bytes, though published as different images: {names}; unpack them again"
    if same["group"].nunique() > 1:
        return f"the same bytes in different content groups: {names}; give them one group"
    return f"the same bytes: {names}; leave one out"
