"""A model's predictions, read from any table; columns are guessed from usual names, or named."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from iqa.datasets import csv_table, rows
from iqa.datasets.csv_rows import read_rows
from iqa.errors import UserError

USUAL = {
    "image": (*csv_table.USUAL["image"], "imageid", "imgid"),
    "prediction": (
        "prediction", "predictions", "pred", "preds", "predicted", "predictedscore",
        "predictedmos", "predscore", "predmos", "output", "score", "scores", "qualityscore",
        "quality",
    ),
    "rating": (
        "rating", "ratings", "mos", "dmos", "moszscore", "mosquality", "target", "label", "gt",
        "gtscore", "gtmos", "groundtruth", "truth", "subjectivescore", "score", "quality",
    ),
    "group": csv_table.USUAL["group"],
}  # fmt: skip
"""Role of a column -> names that it usually has, in lower case, letters and digits only.

`score` is the prediction where no better name is there, as in what `iqa score` writes; beside a
column `prediction` it is the rating."""


OTHER_NUMBERS = ("std", "stddev", "sd", "var", "variance", "votes", "count", "n", "width", "height")
"""What columns of numbers are called that no model predicts, in the same letters."""


@dataclass(frozen=True)
class Predictions:
    """What a model predicts for each image.

    Attributes:
        name: of the model.
        table: columns id (unique str), prediction (finite, higher is better), and where the file
            has them rating (finite) and group (str).
        columns: role -> the file's column.
        path: of the file.
        negated: whether predictions are those of the file times -1.
    """

    name: str
    table: pd.DataFrame
    columns: dict[str, str]
    path: Path
    negated: bool = False

    def __str__(self) -> str:
        taken = (f"{role} `{self.columns[role]}`" for role in USUAL if role in self.columns)
        return f"{self.path}: {', '.join(taken)}"


def read_predictions(
    path: Path,
    columns: Mapping[str, str] | None = None,
    better: str = "higher",
    name: str = "",
    roles: Collection[str] = tuple(USUAL),
) -> Predictions:
    """Read a table of predictions, CSV (commas, semicolons or tabs) or Parquet.

    Args:
        path: of the file; one that ends in .parquet is Parquet.
        columns: role (a key of `USUAL`) -> the column that has it, where it should not be guessed.
        better: "lower" where predictions run against the ratings; they are negated.
        name: of the model; by default the file's, without its ending.
        roles: keys of `USUAL` whose columns are read. Beside the ratings of a data set, what the
            table has in its own columns of ratings and contents does not matter.

    Raises:
        UserError: the file is no table, a column is missing, an image is there twice or has no
            name, a number is missing or not finite, predictions or ratings are all one number, or
            there are fewer than 3.
    """
    raw = read_table(path, "predictions")
    found = _choose(raw, columns or {}, path)
    chosen = {role: name for role, name in found.items() if role in roles}
    cells = {role: rows.column(raw, (name,), path) for role, name in chosen.items()}
    ids = rows.ids(cells["image"], path)
    _check_ids(ids, path)
    table = pd.DataFrame({"id": ids})
    for role in ("prediction", "rating"):
        if role in cells:
            table[role] = rows.numbers(cells[role], ids, path, role)
            _check_spread(table[role], role, path)
    if "group" in cells:
        table["group"] = rows.groups(cells["group"], ids, path)
    negated = better == "lower"
    if negated:
        table["prediction"] = -table["prediction"]
    return Predictions(name or path.stem, table.reset_index(drop=True), chosen, path, negated)


def read_table(path: Path, what: str) -> pd.DataFrame:
    """The cells of a Parquet file, or of a text table as `iqa.datasets.csv_rows` reads it.

    Raises:
        UserError: it is not there, or no such table; calls it `what`.
    """
    if not path.is_file():
        raise UserError(f"{what} {path} not found; give the path of a CSV or Parquet file")
    if path.suffix.lower() != ".parquet":
        return read_rows(path)
    try:
        table = pd.read_parquet(path)
        # Names of images often are the index; an index without a name only counts rows.
        unnamed = all(level is None for level in table.index.names)
        return table.reset_index(drop=unnamed).rename(columns=str)
    except (OSError, ValueError) as fault:  # pyarrow's errors are ValueErrors
        reason = " ".join(str(fault).split())
        raise UserError(f"{what} {path} cannot be read as Parquet ({reason})") from None


def _choose(raw: pd.DataFrame, named: Mapping[str, str], path: Path) -> dict[str, str]:
    """The column of each role: as named, else the first usual name that no other role has.

    A model's own name often heads its predictions: they may be the one column with numbers left,
    faulty cells or not, beside what tables tell of images and ratings.
    """
    for column in named.values():
        rows.column(raw, (column,), path)
    chosen = dict(named)
    for role, usual in USUAL.items():
        needed = role in ("image", "prediction")
        cells = raw if needed else raw.dropna(axis="columns", how="all")
        found = csv_table.usual_column(cells, usual, chosen.values())
        if role not in chosen and found is not None:
            chosen[role] = found
    if "prediction" not in chosen:
        rest = raw.drop(columns=list(chosen.values()))
        numeric = [name for name, cells in rest.items() if _may_be_predictions(name, cells)]
        chosen |= {"prediction": str(numeric[0])} if len(numeric) == 1 else {}
    for role in ("image", "prediction"):
        if role not in chosen:
            raise UserError(
                f"{path}: no column of {role}s recognised (found: {', '.join(raw.columns)}); "
                f"name it by --{role} COLUMN"
            )
    return chosen


def _may_be_predictions(name: str, cells: pd.Series) -> bool:
    if csv_table.plain(name) in OTHER_NUMBERS or pd.api.types.is_datetime64_any_dtype(cells):
        return False
    return bool(pd.to_numeric(cells, errors="coerce").notna().any())


def _check_ids(ids: pd.Series, path: Path) -> None:
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise UserError(
            f"{path}: {len(repeated)} of {len(ids)} rows repeat an image, the first is "
            f"{repeated.iloc[0]!r}; give each image one row, and each model, split or seed "
            "its own table"
        )
    if len(ids) < 3:
        raise UserError(f"{path}: {len(ids)} images, expected 3 or more; give more predictions")


def _check_spread(values: pd.Series, role: str, path: Path) -> None:
    if values.nunique() == 1:
        raise UserError(
            f"{path}: every {role} is {values.iloc[0]:g}, so no correlation is defined; check the "
            f"column, or name another by --{role} COLUMN"
        )
