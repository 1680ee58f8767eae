"""Faults of a score table, told by the line they stand in."""

from functools import partial
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd

from iqa.errors import UserError

SIDES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def column(table: pd.DataFrame, wanted: tuple[str, ...], source: Path) -> pd.Series:
    """The first of the `wanted` columns that `table` has.

    Raises:
        UserError: it has none of them, and lists those it has; or two of that name.
    """
    columns = list(table.columns)
    for name in wanted:
        if columns.count(name) > 1:
            raise UserError(f"{source}: two columns are called `{name}`; rename one of them")
        if name in columns:
            return table[name]
    found = ", ".join(map(str, columns))
    raise UserError(
        f"{source}: column {' or '.join(f'`{name}`' for name in wanted)} not found "
        f"(found: {found}); restore the table as published, or name the column"
    )


def ids(cells: pd.Series, source: Path) -> pd.Series:
    """A column of images' names as text in composed Unicode: é is one letter, however typed.

    Raises:
        UserError: a row has none.
    """
    nameless = cells.index[cells.isna()]
    if len(nameless):
        raise UserError(f"{source}, row {nameless[0] + 1}: no image is named; complete the row")
    return cells.astype(str).map(partial(normalize, "NFC"))


def numbers(scores: pd.Series, names: pd.Series, source: Path, what: str = "score") -> pd.Series:
    """The scores, or whatever numbers `what` calls them, as floats.

    Raises:
        UserError: one is no finite number; names its row and image.
    """
    values = pd.to_numeric(scores, errors="coerce").astype(float)
    bad = np.flatnonzero(~np.isfinite(values.to_numpy()))
    if len(bad):
        raise UserError(
            f"{_at(source, bad[0], names)}: {what} is {_shown(scores.iloc[bad[0]])}, "
            "expected a finite number; correct the row or restore the table"
        )
    return values


def check(names: pd.Series, scores: pd.Series, low: float, high: float, source: Path) -> None:
    """Refuse rows that cannot be used.

    Args:
        names: the images, one a row.
        scores: finite, on the native scale.
        low: lower end of the scale.
        high: upper end of the scale.
        source: the table, to name it.

    Raises:
        UserError: a row has no image, an image is there twice, or a score is outside [low, high].
    """
    nameless = np.flatnonzero(names.isna() | (names.astype(str).str.strip() == ""))
    if len(nameless):
        raise UserError(f"{_at(source, nameless[0], names)}: no image is named; complete the row")
    twice = np.flatnonzero(names.duplicated())
    if len(twice):
        first = int(np.flatnonzero(names == names.iloc[twice[0]])[0])
        raise UserError(
            f"{_at(source, twice[0], names)}: is in row {names.index[first] + 1} too, expected one "
            f"row an image; remove one of the two"
        )
    outside = np.flatnonzero((scores < low) | (scores > high))
    if len(outside):
        raise UserError(
            f"{_at(source, outside[0], names)}: score {scores.iloc[outside[0]]:g} is outside the "
            f"scale, expected {low:g} to {high:g}; correct the row or the scale"
        )


def sides(values: pd.Series, names: pd.Series, source: Path) -> pd.Series:
    """A column that says training, validation or test, as train, val, test.

    Raises:
        UserError: another word stands there.
    """
    found = values.astype(str).str.strip().str.lower().map(SIDES)
    bad = np.flatnonzero(found.isna())
    if len(bad):
        raise UserError(
            f"{_at(source, bad[0], names)}: split is {_shown(values.iloc[bad[0]])}, expected "
            f"one of {', '.join(SIDES)}; correct the row"
        )
    return found


def groups(values: pd.Series, names: pd.Series, source: Path) -> pd.Series:
    """A column of content groups as text, in composed Unicode: é is one letter, however typed.

    Raises:
        UserError: a row has none.
    """
    missing = np.flatnonzero(values.isna())
    if len(missing):
        raise UserError(
            f"{_at(source, missing[0], names)}: content group is empty, expected a name; complete "
            f"column `{values.name}`"
        )
    return values.astype(str).map(partial(normalize, "NFC"))


def _shown(cell: object) -> str:
    return "empty" if pd.isna(cell) else f"'{cell}'"


def _at(source: Path, row: int, names: pd.Series) -> str:
    """Where a fault is; rows count from 1, the header not among them.

    The index holds the place in the file, from 0, whatever rows were left out before.
    """
    return f"{source}, row {names.index[row] + 1} ({names.iloc[row]})"
