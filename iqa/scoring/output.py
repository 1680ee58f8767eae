"""Rows of scores as CSV, JSON lines or Parquet: written as they come, none kept."""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import TextIO

from iqa.errors import printable, unknown
from iqa.scoring.scorer import Row

COLUMNS = [field.name for field in fields(Row)]
# Rows per group of a Parquet file: what is held in memory.
GROUP = 1024


def _values(row: Row) -> list[str | float | None]:
    """The row's values in the order of `COLUMNS`."""
    return [printable(row.path), row.score, row.error, row.model, row.better_than]


def write_csv(rows: Iterable[Row], file: TextIO) -> None:
    """Write `rows` as CSV with a header; a value that there is none of is empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(_values(row))
        file.flush()


def write_jsonl(rows: Iterable[Row], file: TextIO) -> None:
    """Write `rows` as JSON, an object a line; a value that there is none of is null."""
    for row in rows:
        named = dict(zip(COLUMNS, _values(row), strict=True))
        file.write(json.dumps(named, ensure_ascii=False) + "\n")
        file.flush()


def write_parquet(rows: Iterable[Row], file: TextIO) -> None:
    """Write `rows` as Parquet, which is binary, to the buffer below `file`."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    numbers = {"score": pa.float64(), "better_than": pa.int64()}
    types = [(name, numbers.get(name, pa.string())) for name in COLUMNS]
    schema, rows = pa.schema(types), iter(rows)
    with ParquetWriter(file.buffer, schema) as writer:
        while group := list(map(_values, islice(rows, GROUP))):
            columns = map(list, zip(*group, strict=True))
            writer.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True)), schema))


WRITERS: dict[str, Callable[[Iterable[Row], TextIO], None]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "parquet": write_parquet,
}
"""What streams rows into an open file, by the name of the format, which is also the suffix."""


def suffix_format(path: Path) -> str:
    """The format that the suffix of `path` stands for.

    Raises:
        UserError: It stands for none.

    >>> suffix_format(Path("scores.csv"))
    'csv'
    """
    name = path.suffix.removeprefix(".").lower()
    if name not in WRITERS:
        raise unknown(f"suffix of {path}", path.suffix, [f".{known}" for known in WRITERS])
    return name
