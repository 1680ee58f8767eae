"""The rows of a table that people made: separators, empty cells, spellings."""

import csv
from pathlib import Path
from unicodedata import normalize

import pandas as pd

from iqa.errors import UserError


def read_rows(path: Path) -> pd.DataFrame:
    """Read a table with a header, in UTF-8; the separator is the header's most frequent of `,;⇥`.

    Returns:
        Text columns with the header's names, in composed Unicode (NFC) as most systems type them;
        columns without a name are left out. A cell is stripped; an empty one is missing, and
        nothing else is: "NA" may be a country. The index is the place of the row below the header,
        from 0; empty rows and columns are left out.

    Raises:
        UserError: the file is not there or not a table, or a row has more cells than the header.
    """
    try:
        if not path.is_file():
            raise UserError(f"table {path} not found; give its path as csv:PATH")
        with path.open(encoding="utf-8-sig", newline="") as lines:
            separator = max(",;\t", key=lines.readline().count)
            lines.seek(0)
            found = list(csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True))
    except (OSError, ValueError, csv.Error) as fault:
        reason = " ".join(str(fault).split())
        raise UserError(
            f"table {path} cannot be read ({reason}); save it as UTF-8 with a header and commas"
        ) from fault
    if not found:
        raise UserError(f"table {path} is empty; save it as UTF-8 with a header and commas")
    header = [normalize("NFC", name.strip()) for name in found[0]]
    cells = [_fitted(row, len(header), f"{path}, row {n}") for n, row in enumerate(found[1:], 1)]
    table = pd.DataFrame(cells, columns=header, dtype=object)
    table = table.loc[:, [name != "" for name in header]]
    table = table.dropna(how="all")
    if table.empty:
        raise UserError(f"table {path} has no rows; give each image one below the header")
    return table


def _fitted(row: list[str], width: int, where: str) -> list[str | None]:
    """The cells below the header; spreadsheets end rows with more commas than it has, or fewer."""
    cells = [cell.strip() or None for cell in row]
    if any(cells[width:]):
        raise UserError(
            f"{where}: {len(row)} cells, expected {width} as in the header; put cells that hold a "
            "separator in quotes"
        )
    return (cells + [None] * width)[:width]
