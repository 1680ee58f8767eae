"""What the sides of a split share: ids, contents, files with the same bytes, near-duplicates."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd

from iqa.agreement.matching import in_terms_of
from iqa.agreement.predictions import read_table
from iqa.datasets import Dataset, csv_table, rows
from iqa.datasets.checks import read_files
from iqa.datasets.near_duplicates import BITS, near_duplicates
from iqa.errors import UserError

SIDES = ("train", "val", "test")

Sides = Mapping[str, list[str]]
"""Side -> ids, in the order of `SIDES`; at least two of them."""


@dataclass(frozen=True)
class Leak:
    """Something that two sides of a split share.

    Attributes:
        kind: "ids", "contents", "files with the same bytes" or "near-duplicates".
        first: the side that leaks.
        second: the side that is leaked into: val or test.
        count: how many ids, contents, files or pairs are shared.
        images: how many images of the second side are affected.
        of: how many images the second side has.
        example: one of them.
    """

    kind: str
    first: str
    second: str
    count: int
    images: int
    of: int
    example: str

    def __str__(self) -> str:
        return (
            f"{self.kind} shared by {self.first} and {self.second}: {self.count}, such as "
            f"{self.example}; this affects {self.images} of {self.of} {self.second} images"
        )


def read_sides(path: Path) -> dict[str, list[str]]:
    """Read a split: JSON with a list of ids for each side, or a table with a column for the side.

    JSON is what `iqa.datasets.write_split` writes, or any object with the keys train, val, test; of
    a table (CSV, Parquet) the image and the split column are guessed from usual names.

    Raises:
        UserError: the file cannot be read, or there are fewer than two sides or none to test on.
    """
    sides = _from_json(path) if path.suffix.lower() == ".json" else _from_table(path)
    found = {side: sides[side] for side in SIDES if sides.get(side)}
    if "test" not in found or len(found) < 2:
        raise UserError(
            f"split {path}: sides found: {', '.join(found) or 'none'}; expected test and one of "
            "train and val"
        )
    return found


def _from_json(path: Path) -> dict[str, list[str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"split {path} not found; give a JSON file or a table") from None
    except (OSError, ValueError, RecursionError) as fault:
        raise UserError(
            f"split {path} cannot be read as JSON ({fault}); expected lists of ids named train, "
            "val, test"
        ) from None
    named = content.items() if isinstance(content, dict) else ()
    sides: dict[str, list[str]] = {}
    for key, ids in named:
        side = rows.SIDES.get(key.lower())
        if side is None or ids is None:
            continue
        if not isinstance(ids, list):
            raise UserError(f"split {path}: expected a list of ids for each of {', '.join(SIDES)}")
        if side in sides:
            raise UserError(f"split {path}: two lists for {side}; join them under one name")
        sides[side] = [normalize("NFC", str(name)) for name in ids]
    return sides


def _from_table(path: Path) -> dict[str, list[str]]:
    table = read_table(path, "split")
    image, side = (
        csv_table.usual_column(table, csv_table.USUAL[role]) for role in ("image", "split")
    )
    if image is None or side is None:
        raise UserError(
            f"split {path}: expected a column `image` and a column `split` (found: "
            f"{', '.join(table.columns)}), or JSON with lists train, val and test"
        )
    ids = rows.ids(rows.column(table, (image,), path), path)
    side_of = rows.sides(rows.column(table, (side,), path), ids, path)
    return dict(ids.groupby(side_of).agg(list))


def audit_split(
    sides: Sides, data: Dataset | None = None, progress: bool = False, common: bool = False
) -> tuple[Leak, ...]:
    """Everything that two sides of a split share; empty where it is clean.

    Args:
        sides: ids of each side.
        data: the set that was split: its contents and files are compared too. Without it, only ids
            are.
        progress: show a progress bar on standard error while images are decoded.
        common: leave out ids that are not in `data`; `left_out` says how many.

    Raises:
        UserError: an id is not in `data`, or with `common` all of one side, or an image cannot be
            decoded, so that it cannot be compared with others.
    """
    if data is None:
        return tuple(_shared(_ids_of(sides), "id", "ids"))
    table = _ids_of(sides, data.table["id"])
    known = table["id"].isin(data.table["id"])
    if not (known.all() or common):
        raise UserError(
            f"split: {(~known).sum()} of {len(table)} ids are not in {data.info.name}, the first "
            f"is {table['id'][~known].iloc[0]!r}; use the split with the set it was made for, or "
            "say --common to leave them out"
        )
    for side, there in known.groupby(table["side"], sort=False):
        if not there.any():
            raise UserError(
                f"split: no id of the side {side} is in {data.info.name}, so nothing can be found "
                "in it; use the split with the set it was made for"
            )
    table = table[known]
    part = replace(data, table=data.table[data.table["id"].isin(table["id"])])
    files = list(read_files(part, progress))
    faults = [file.fault for file in files if file.fault]
    if faults:
        raise UserError(
            f"split: {len(faults)} images cannot be decoded, so they cannot be compared with "
            f"others; the first: {faults[0]}"
        )
    facts = part.table.assign(digest=[file.digest for file in files])
    pairs = near_duplicates(facts["id"], np.stack([file.hash for file in files]))
    table = table.merge(facts[["id", "group", "digest"]], on="id")
    return (
        *_shared(table, "id", "ids"),
        *_shared(table, "group", "contents"),
        *_shared(table, "digest", "files with the same bytes"),
        *_near(table, pairs),
    )


def left_out(sides: Mapping[str, Sequence[str]], data: Dataset) -> list[str]:
    """A sentence for each side with ids that `data` lacks: `audit_split` does not see them."""
    table = _ids_of(sides, data.table["id"])
    missing = (~table["id"].isin(data.table["id"])).groupby(table["side"], sort=False)
    return [
        f"split: {there.sum()} of {len(there)} {side} ids are not in {data.info.title}, so nothing "
        "is known of them"
        for side, there in missing
        if there.any()
    ]


def _ids_of(
    sides: Mapping[str, Sequence[str]], spelt: Collection[str] | None = None
) -> pd.DataFrame:
    """A row for each side and id; ids are spelt as in `spelt` where that is given."""
    parts = []
    for side, names in sides.items():
        ids = pd.Series(list(dict.fromkeys(names)), dtype=object)
        parts.append(pd.DataFrame({"id": ids if spelt is None else in_terms_of(ids, spelt)}))
        parts[-1].insert(0, "side", side)
    return pd.concat(parts, ignore_index=True)


def _shared(table: pd.DataFrame, key: str, kind: str) -> Iterator[Leak]:
    """What has one `key` on two sides; an image that is on both counts among the ids alone."""
    for (first, a), (second, b) in _two_sides(table):
        both = a.assign(key=a[key]).merge(b.assign(key=b[key]), on="key", suffixes=("_a", "_b"))
        both = both[(both["id_a"] == both["id_b"]) == (key == "id")]
        if len(both):
            row = both.iloc[0]
            example = row["id_a"] if key == "id" else f"{row['id_a']} and {row['id_b']}"
            images = both["id_b"].nunique()
            yield Leak(
                kind, first, second, both["key"].nunique(), images, b["id"].nunique(), example
            )


def _near(table: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[Leak]:
    """Pairs of near-duplicates that are no copies, byte for byte."""
    either = pd.concat([pairs, pairs.rename(columns={"a": "b", "b": "a"})])
    for (first, a), (second, b) in _two_sides(table):
        both = either.merge(a.rename(columns={"id": "a"}), on="a")
        both = both.merge(b.rename(columns={"id": "b"}), on="b", suffixes=("_a", "_b"))
        both = both[both["digest_a"] != both["digest_b"]].sort_values("distance", kind="stable")
        if len(both):
            row, images = both.iloc[0], both["b"].nunique()
            example = f"{row['a']} and {row['b']} ({row['distance']} of {BITS} bits differ)"
            yield Leak(
                "near-duplicates", first, second, len(both), images, b["id"].nunique(), example
            )


def _two_sides(table: pd.DataFrame) -> Iterator[Any]:
    """Each two sides, the one that is tested on last."""
    return combinations(table.groupby("side", sort=False), 2)
