import json

import numpy as np
import pandas as pd
import pytest

from iqa.errors import UserError
from iqa.experiments import Record, read_record, write_record
from iqa.experiments.record import DatasetUsed

TABLE = pd.DataFrame({"id": ["a", "b"], "prediction": [0.25, 0.5]})


@pytest.fixture
def record():
    used = DatasetUsed(
        name="toy", title="Toy", score_kind="MOS", images=2, groups=2, fingerprint="f"
    )
    return Record(
        experiment="toy",
        parameters={"epochs": 3},
        protocol="rigorous",
        dataset=used,
        splits=["s"],
        seeds=[8],
        untrained=False,
        code="c",
        version="0",
        libraries={"torch": "2"},
        device="cpu",
        seconds={"train": 1.5},
        metrics={"srcc": 0.5},
    )


def test_what_was_written_is_read_back(tmp_path, record):
    picture = np.zeros((4, 6, 3), np.uint8)
    folder = write_record(tmp_path / "run", record, {"rows": TABLE}, {"map": picture})
    found, tables = read_record(folder)
    assert found.model_dump(exclude={"files"}) == record.model_dump(exclude={"files"})
    assert set(found.files) == {"rows.parquet", "map.png"}
    pd.testing.assert_frame_equal(tables["rows"], TABLE)


def test_without_a_folder_nothing_is_kept(tmp_path, record, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write_record("", record, {"rows": TABLE}) is None
    assert not list(tmp_path.iterdir())


def test_a_changed_table_is_found(tmp_path, record):
    folder = write_record(tmp_path / "run", record, {"rows": TABLE})
    TABLE.assign(prediction=1.0).to_parquet(folder / "rows.parquet")
    with pytest.raises(UserError, match=r"rows.parquet: missing or changed"):
        read_record(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.pop("seeds"), "not a valid record .*seeds"),
        (lambda f: f.update(extra=1), "not a valid record .*extra"),
        (lambda f: f.update(schema_version=99), "schema version 99"),
    ],
)
def test_the_schema_is_checked_on_reading(tmp_path, record, change, said):
    folder = write_record(tmp_path / "run", record, {})
    fields = json.loads((folder / "record.json").read_text())
    change(fields)
    (folder / "record.json").write_text(json.dumps(fields))
    with pytest.raises(UserError, match=said):
        read_record(folder)


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_cut_record_is_a_users_error(tmp_path, text):
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(UserError, match="not a valid record"):
        read_record(tmp_path)


def test_a_missing_record_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="no such record; run the experiment first"):
        read_record(tmp_path / "none")
