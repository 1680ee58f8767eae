"""Reading a benchmark from its official layout under the data root."""

import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import scipy

from iqa.datasets import rows
from iqa.datasets.declaration import Benchmark, read_text
from iqa.datasets.listing import content_fingerprint, with_paths
from iqa.datasets.near_duplicates import known_pairs
from iqa.datasets.types import Dataset
from iqa.errors import UserError
from iqa.files import data_root


@dataclass(frozen=True)
class Layout:
    """Where a benchmark was found.

    Attributes:
        table: the score table.
        images: the folder that image names are relative to.
    """

    table: Path
    images: Path


def locate(benchmark: Benchmark, root: Path | None) -> Layout:
    """Find the table and the image folder under `root`.

    Raises:
        UserError: there is no data root, or the folder, the table or the image folder is missing.
    """
    said = f"dataset `{benchmark.info.name}`"
    remedy = benchmark.info.where
    if root is None:
        raise UserError(f"{said}: IQA_DATA is not set, expected the folder of all sets; {remedy}")
    folders = [root / name for name in benchmark.folders if (root / name).is_dir()]
    if not folders:
        raise UserError(f"{said}: folder {root / benchmark.folders[0]} not found; {remedy}")
    tables = [(f, f / name) for f in folders for name in benchmark.tables if (f / name).is_file()]
    if not tables:
        raise UserError(f"{said}: {folders[0] / benchmark.tables[0]} not found; {remedy}")
    folder, table = tables[0]
    images = [folder / name for name in benchmark.images if (folder / name).is_dir()]
    if not images:
        raise UserError(f"{said}: image folder {folder / benchmark.images[0]} not found; {remedy}")
    return Layout(table, images[0])


def missing(benchmark: Benchmark) -> str:
    """Why a benchmark cannot be read: table or image folder is not found; "" where they are.

    The images themselves are not looked for.
    """
    try:
        locate(benchmark, data_root())
    except UserError as fault:
        return str(fault)
    return ""


def read_table(benchmark: Benchmark, path: Path) -> pd.DataFrame:
    """The ratings alone; no image is looked for.

    Args:
        benchmark: what to expect.
        path: the score table; a split table, if there is one, lies beside it.

    Returns:
        Columns id, score, target, group, where the files tell the official split also split
        (train, val or test), where they tell the spread of ratings also deviation, and those that
        the benchmark keeps besides. Row order is the table's.

    Warns:
        UserWarning: the file with the official split is not there; names it and its address.

    Raises:
        UserError: the table cannot be read or lacks a column, its number of rows is not the
            published one, or a row is faulty; names table, row, expected value and remedy.
    """
    raw = _parse(benchmark, path)
    if len(raw) != benchmark.table_rows:
        raise UserError(
            f"dataset `{benchmark.info.name}`: {path} has {len(raw)} rows, expected "
            f"{_expected_rows(benchmark)}; restore the whole table; {benchmark.info.where}"
        )
    names = rows.column(raw, benchmark.image, path)
    scores = rows.numbers(rows.column(raw, benchmark.score, path), names, path)
    raw = raw.assign(id=benchmark.name(names), score=scores)
    raw = raw[~raw["id"].isin(benchmark.leave_out)]
    rows.check(raw["id"], raw["score"], benchmark.info.low, benchmark.info.high, path)
    return _described(benchmark, raw.reset_index(drop=True), path)


def _expected_rows(benchmark: Benchmark) -> str:
    """Rows of the whole table; where some do not count, how many do."""
    if not benchmark.leave_out:
        return f"{benchmark.table_rows}"
    return f"{benchmark.table_rows}, of which {benchmark.info.expected_rows} count"


def _parse(benchmark: Benchmark, path: Path) -> pd.DataFrame:
    """The rows as they are; each format has its own exceptions for a damaged file."""
    try:
        return benchmark.read(path)
    except Exception as fault:
        reason = " ".join(f"{type(fault).__name__}: {fault}".split())
        raise UserError(
            f"dataset `{benchmark.info.name}`: {path} cannot be read ({reason}); restore it; "
            f"{benchmark.info.where}"
        ) from fault


def _described(benchmark: Benchmark, raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    group = benchmark.group(raw).astype(str)
    near = known_pairs(benchmark.info.name)
    table = raw[["id", "score"]].assign(
        target=benchmark.info.to_target(raw["score"]),
        group=joined(raw["id"], group, [*benchmark.facts.identical, *near]),
    )
    side = _official_sides(benchmark, raw, path)
    if side is not None:
        table["split"] = side
    kept = {name: name for name in benchmark.extra} | {benchmark.deviation: "deviation"}
    for name, known in kept.items():
        if name in raw:
            table[known] = rows.numbers(raw[name], raw["id"], path)
    return table


def joined(ids: pd.Series, group: pd.Series, same: Iterable[Collection[str]]) -> pd.Series:
    """Make one group of those that show the same picture, so that no split by group parts it.

    Args:
        ids: one an image.
        group: their content groups.
        same: sets of ids that show the same picture; ids that are not in `ids` do not count.

    Returns:
        The groups; joined ones have the name that comes first in the alphabet.
    """
    group_of = dict(zip(ids, group, strict=True))
    sets = scipy.cluster.hierarchy.DisjointSet(group_of.values())
    for pictures in same:
        shared = [group_of[name] for name in pictures if name in group_of]
        for other in shared[1:]:
            sets.merge(shared[0], other)
    name_of = {member: min(subset) for subset in sets.subsets() for member in subset}
    return group.map(name_of)


def _official_sides(benchmark: Benchmark, raw: pd.DataFrame, path: Path) -> pd.Series | None:
    """train, val or test for each row; None where the files say nothing of it."""
    if benchmark.split_column and benchmark.split_column[0] in raw.columns:
        return benchmark.split_column[1](raw)
    if benchmark.split_table is None:
        return None
    declared = benchmark.split_table
    beside = path.parent / declared.file
    if not beside.is_file():
        warnings.warn(
            f"dataset `{benchmark.info.name}`: {beside} not found, so there is no official split; "
            f"put {declared.address} there",
            stacklevel=2,
        )
        return None
    table = _parse(replace(benchmark, read=read_text), beside)
    names = rows.column(table, (declared.image,), beside)
    sides = rows.sides(rows.column(table, (declared.side,), beside), names, beside)
    side_of = dict(zip(names, sides, strict=True))
    lost = [name for name in raw["id"] if name not in side_of]
    if lost:
        raise UserError(f"{beside}: no row for {lost[0]!r}; restore the whole table")
    return raw["id"].map(side_of)


def load(benchmark: Benchmark) -> Dataset:
    """Read a benchmark under the data root; no image is decoded.

    Raises:
        UserError: something is missing or faulty; see `locate`, `read_table` and `with_paths`.
    """
    layout = locate(benchmark, data_root())
    table = read_table(benchmark, layout.table)
    remedy = f"unpack the archive again, all of it; {benchmark.info.where}"
    table = with_paths(table, layout.images, benchmark.info.name, remedy)
    return Dataset(benchmark.info, table, content_fingerprint(table))
