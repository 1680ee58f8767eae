import json
from pathlib import Path

import pandas as pd
import pytest

from iqa.scoring import Row, output

ROWS = [
    Row("a,b.png", 3.1415927, None, "tiny (untrained)", 80),
    Row('q"\n\r\x1b[2J\u202e.png', None, "no such image; check", "tiny (untrained)"),
    Row("caf\udce9.png", 0.0, None, "tiny (untrained)"),
    Row("ü.png", -1e-7, None, "tiny (untrained)"),
]
READERS = {
    "csv": pd.read_csv,
    "jsonl": lambda path: pd.DataFrame(map(json.loads, Path(path).read_text().splitlines())),
    "parquet": pd.read_parquet,
}


def written(name, folder, rows):
    path = folder / f"scores.{name}"
    with open(path, "w", encoding="utf-8", newline="") as file:
        output.WRITERS[output.suffix_format(path)](iter(rows), file)
    return READERS[name](path)


@pytest.mark.parametrize("name", output.WRITERS)
@pytest.mark.parametrize("group", [1024, 3])
def test_every_format_holds_the_rows(name, group, tmp_path, monkeypatch):
    monkeypatch.setattr(output, "GROUP", group)
    table = written(name, tmp_path, ROWS)
    assert table.columns.tolist() == ["path", "score", "error", "model", "better_than"]
    assert table["path"].tolist() == [
        "a,b.png",
        'q"\\n\\r\\x1b[2J\\u202e.png',
        "caf\\xe9.png",
        "ü.png",
    ]
    assert table["score"].isna().tolist() == [False, True, False, False]
    assert table["score"].dropna().tolist() == [3.1415927, 0.0, -1e-7]
    assert table["error"].notna().tolist() == [False, True, False, False]
    assert set(table["model"]) == {"tiny (untrained)"}
    assert table["better_than"].dropna().tolist() == [80]


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_no_rows_leave_the_columns(name, tmp_path):
    table = written(name, tmp_path, [])
    assert len(table) == 0
    assert table.columns.tolist() == ["path", "score", "error", "model", "better_than"]


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_a_row_is_written_when_it_comes(name, tmp_path):
    path, seen = tmp_path / "rows", []

    def rows():
        for row in ROWS:
            yield row
            seen.append(path.read_text().count("untrained"))

    with open(path, "w", encoding="utf-8", newline="") as file:
        output.WRITERS[name](rows(), file)
    assert seen == [1, 2, 3, 4]
