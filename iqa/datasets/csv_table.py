"""Any table of image paths and scores, loaded by a name that begins with `csv:`.

`csv:ratings.csv?image=file&score=mos&group=scene&split=set&low=1&high=5`: the columns and the scale
after the question mark are optional. Columns that are not named are guessed from usual names, and
the scale is taken from the data; `DatasetInfo.where` says what was taken. Further options:

- `better=lower` for scores that fall with quality; of a column of DMOS, which rises with quality in
  some sets and falls in others, one of `better=lower` and `better=higher` must be said;
- `root=FOLDER` for what paths are relative to, by default the table's folder;
- `val=TABLE` and `test=TABLE` where each side of a split has its own table, with the columns of the
  first, which trains.

In a value, & is written %26, and % is written %25.
"""

import math
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from unicodedata import normalize

import pandas as pd

from iqa.datasets import rows
from iqa.datasets.csv_name import COLUMNS, PREFIX, Source, absolute, parse
from iqa.datasets.csv_rows import read_rows
from iqa.datasets.listing import content_fingerprint, with_digests, with_paths
from iqa.datasets.types import Dataset, DatasetInfo
from iqa.errors import UserError

USUAL = {
    "image": (
        "image", "imagepath", "imagename", "path", "filepath", "file", "filename", "img",
        "imgpath", "imgname", "distimg", "name", "id",
    ),
    "score": ("mos", "dmos", "moszscore", "mosquality", "rating", "score", "quality"),
    "group": ("group", "content", "scene", "reference", "refimg", "ref", "prompt"),
    "split": ("split", "set", "subset", "side"),
}  # fmt: skip
"""Role of a column -> names that it usually has, in lower case, letters and digits only.

`score` and `quality` come last, since beside ratings they are what a model predicts."""

__all__ = [
    "PREFIX", "Source", "absolute", "describe", "is_dmos", "load", "parse", "plain", "usual_column",
]  # fmt: skip


def describe(source: Source) -> DatasetInfo:
    """What the table says of itself; no image is looked for."""
    return _read(source)[0]


def load(source: Source) -> Dataset:
    """Read the table and find its images; none is decoded.

    Tables often name their images 0001, 0002 and so on, and raw pixels of one size fill as many
    bytes: so the fingerprint covers the files' bytes, too, in the column pixels.

    Raises:
        UserError: the table, a column or an image is missing or unreadable, or a row is faulty.
    """
    info, table = _read(source)
    root = Path(source.options.get("root", source.path.parent))
    remedy = (
        "say which folder the paths are relative to by ?root=FOLDER, or which column holds them by "
        "?image=COLUMN"
    )
    table = with_digests(with_paths(table, root, info.name, remedy))
    return Dataset(info, table, content_fingerprint(table))


def _read(source: Source) -> tuple[DatasetInfo, pd.DataFrame]:
    chosen: dict[str, str | None] = {}
    tables = {}
    for side, path in source.sides.items():
        raw = read_rows(path)
        # The other sides have the first one's columns.
        chosen = chosen or {role: _choose(raw, role, source) for role in COLUMNS}
        tables[side] = _chosen(raw, chosen, path)
    if len(tables) > 1:
        tables = {side: _of_side(table, side, source) for side, table in tables.items()}
    info = _info(source, chosen, pd.concat([table["score"] for table in tables.values()]))
    for side, table in tables.items():
        rows.check(table["id"], table["score"], info.low, info.high, source.sides[side])
    table = pd.concat(tables.values(), ignore_index=True)
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise UserError(f"{source.name}: {twice.iloc[0]!r} is on two sides; leave one out")
    if "group" not in table:
        table.insert(2, "group", table["id"])
    table.insert(2, "target", info.to_target(table["score"]))
    return info, table


def _chosen(raw: pd.DataFrame, chosen: dict[str, str | None], path: Path) -> pd.DataFrame:
    """The columns id, score and, where they are there, group and split."""
    named = {role: rows.column(raw, (name,), path) for role, name in chosen.items() if name}
    names = named["image"]
    table = pd.DataFrame({"id": names, "score": rows.numbers(named["score"], names, path)})
    if "group" in named:
        table["group"] = rows.groups(named["group"], names, path)
    if "split" in named:
        table["split"] = rows.sides(named["split"], names, path)
    return table


def _of_side(table: pd.DataFrame, side: str, source: Source) -> pd.DataFrame:
    """The table of one side; its images lie beside it, unless a root is given for all."""
    folder = source.sides[side].parent
    if "root" not in source.options and folder != source.path.parent:
        beside = os.path.relpath(folder, source.path.parent)
        table = table.assign(id=[os.path.join(beside, name) for name in table["id"]])
    return table.assign(split=side)


def plain(name: str) -> str:
    """The letters and digits of a name: `Image Name`, `image_name`, `imageName` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def usual_column(
    table: pd.DataFrame, names: Iterable[str], taken: Collection[str] = ()
) -> str | None:
    """The column that has the first of the usual `names` and is not `taken`; None without one."""
    by_plain = {plain(name): name for name in reversed(table.columns) if name not in taken}
    return next((by_plain[name] for name in names if name in by_plain), None)


def is_dmos(column: str) -> bool:
    """Whether a column is called so that it may rise or fall with quality.

    >>> [is_dmos(name) for name in ("DMOS", "live_dmos", "D-MOS", "meanDMOS", "MOS", "scaledMOS")]
    [True, True, True, True, False, False]
    """
    return re.search(r"(?<![a-z])(gt|mean|ref)?d[\W_]?mos", column.lower()) is not None


def _choose(raw: pd.DataFrame, role: str, source: Source) -> str | None:
    """The column named for a role, else the first usual one; None where there is none."""
    if role == "split" and len(source.sides) > 1:
        return None  # the tables are the sides
    if role in source.options:
        name = normalize("NFC", source.options[role].strip())
        rows.column(raw, (name,), source.path)
        return name
    needed = role in ("image", "score")
    # What need not be there may be there without a value.
    found = usual_column(raw if needed else raw.dropna(axis="columns", how="all"), USUAL[role])
    if found is None and needed:
        raise UserError(
            f"{source.path}: no column of {role}s recognised (found: {', '.join(raw.columns)}); "
            f"name it: csv:{source.path}?{role}=COLUMN"
        )
    return found


def _info(source: Source, chosen: dict[str, str | None], scores: pd.Series) -> DatasetInfo:
    score = str(chosen["score"])
    higher = _higher_is_better(source, score)
    low, high = _scale(source, scores)
    given = sum(end in source.options for end in ("low", "high"))
    scale = ("taken from the data", "half given", "given")[given]
    columns = ", ".join(f"{role} `{name or 'none'}`" for role, name in chosen.items())
    others = "".join(f"; {s} in {p}" for s, p in source.sides.items() if p != source.path)
    return DatasetInfo(
        name=source.name,
        title=source.path.stem,
        score_kind="DMOS" if is_dmos(score) else "MOS",
        low=low,
        high=high,
        higher_is_better=higher,
        group_rule=f"column `{chosen['group']}`" if chosen["group"] else "every image is its own",
        licence="the owner's",
        citation="",
        expected_rows=None,
        where=f"columns: {columns}{others}; scale {low:g} to {high:g} {scale}, "
        f"{'higher' if higher else 'lower'} is better; to choose otherwise: "
        f"csv:PATH?image=COLUMN&score=COLUMN&group=COLUMN&low=1&high=5&better=lower",
    )


def _higher_is_better(source: Source, score: str) -> bool:
    if is_dmos(score) and "better" not in source.options:
        raise UserError(
            f"{source.name}: in column `{score}` a higher score may mean a better image or a worse "
            "one; say which by the option better=higher or better=lower, as in "
            "csv:PATH?better=lower"
        )
    return source.options.get("better") != "lower"


def _scale(source: Source, scores: pd.Series) -> tuple[float, float]:
    """Both ends of the scale, each as given or else the extreme of the data."""
    low, high = _end(source, "low", scores.min()), _end(source, "high", scores.max())
    if not low < high:
        raise UserError(
            f"{source.name}: scale {low:g} to {high:g} is empty, expected low < high; give both: "
            "?low=1&high=5"
        )
    return low, high


def _end(source: Source, end: str, extreme: float) -> float:
    try:
        value = float(source.options.get(end, extreme))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(
            f"{source.name}: {end} is '{source.options[end]}', expected a finite number; "
            "correct the option"
        )
    return value
