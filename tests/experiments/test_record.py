import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from iqa.errors import UserError
from iqa.experiments import Record, read_record, write_record
from iqa.experiments.record import DatasetUsed, Execution, SplitUsed

ROWS = pd.DataFrame({"x": [1, 2]})
PREDICTIONS = pd.DataFrame(
    {
        "prediction": [0.25, 0.5],
        "target": [0.2, 0.6],
        "id": ["a", "b"],
        "group": ["g", "h"],
        "side": "test",
        "head": "relu",
        "split": 0,
        "fold": [0, 1],
        "seed": 8,
    }
)


@pytest.fixture
def record():
    used = DatasetUsed(
        name="toy", title="Toy", score_kind="MOS", images=2, groups=2, fingerprint="f"
    )
    split = SplitUsed(split=0, fold=0, kind="grouped", hash="s", train=40, val=5, test=10)
    return Record(
        experiment="toy",
        parameters={"epochs": 3},
        datasets=[used],
        splits=[split, split.model_copy(update={"test": 30})],
        version="0",
        libraries={"torch": "2"},
        device="cpu",
        seconds=1.5,
    )


def test_what_was_written_is_read_back(tmp_path, record):
    picture = np.zeros((4, 6, 3), np.uint8)
    folder = write_record(tmp_path / "run", record, {"rows": ROWS}, {"map": picture})
    found, tables = read_record(folder)
    assert found.model_dump(exclude={"files"}) == record.model_dump(exclude={"files"})
    assert set(found.files) == {"rows.parquet", "map.png"}
    pd.testing.assert_frame_equal(tables["rows"], ROWS)
    assert found.test_to_train == (10 / 40 + 30 / 40) / 2


@pytest.mark.parametrize("name", ["notes.txt", "holiday.png", "rows.parquet"])
def test_a_folder_that_holds_no_run_is_not_replaced(tmp_path, record, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("mine")
    with pytest.raises(UserError, match="holds no run: move it away"):
        write_record(tmp_path / "mine", record, {"rows": ROWS})
    with pytest.raises(UserError, match="holds no run: move it away"):
        write_record(tmp_path / "mine" / name, record, {"rows": ROWS})
    assert (tmp_path / "mine" / name).read_text() == "mine"


def test_an_earlier_run_is_replaced_but_not_with_a_file_of_ones_own_in_it(tmp_path, record):
    folder = write_record(tmp_path / "run", record, {"rows": ROWS})
    (folder / ".DS_Store").touch()
    write_record(folder, record, {"others": ROWS})
    assert {path.name for path in folder.iterdir()} == {"record.json", "others.parquet"}
    (folder / "notes.txt").touch()
    with pytest.raises(UserError, match="holds no run"):
        write_record(folder, record, {"rows": ROWS})


def test_the_remedy_names_the_run_and_its_profile(tmp_path, record):
    folder = write_record(tmp_path / "run", record, {"rows": ROWS})
    about = Execution(name="loss-clive", profile="long", key="k", record="another")
    (folder / "run.json").write_text(about.model_dump_json())
    with pytest.raises(UserError, match="make it again: iqa run loss-clive --profile long"):
        read_record(folder)


@pytest.mark.parametrize("folder", ["", None])
def test_without_a_folder_nothing_is_kept(tmp_path, record, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    assert write_record(folder, record, {"rows": ROWS}) is None
    assert not list(tmp_path.iterdir())


def test_predictions_are_kept_in_one_order_as_float32_and_small(tmp_path, record):
    folder = write_record(tmp_path / "run", record, {"predictions": PREDICTIONS})
    kept = read_record(folder)[1]["predictions"]
    named = ["head", "split", "fold", "seed", "side", "id", "group", "target", "prediction"]
    assert list(kept) == named
    assert kept["prediction"].dtype == kept["target"].dtype == "float32"
    columns = pq.ParquetFile(folder / "predictions.parquet").metadata.row_group(0)
    assert {columns.column(i).compression for i in range(columns.num_columns)} == {"ZSTD"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"variant": "a"}, "variant"),
        ({"prediction": np.nan}, "prediction"),
        ({"side": "left"}, "side"),
        ({"seed": "eight"}, "seed"),
    ],
)
def test_a_column_means_one_thing(tmp_path, record, change, said):
    with pytest.raises(UserError, match=f"predictions: .*{said}") as fault:
        write_record(tmp_path / "run", record, {"predictions": PREDICTIONS.assign(**change)})
    assert "\n" not in str(fault.value)
    with pytest.raises(UserError, match="group"):
        write_record(tmp_path / "run", record, {"p": PREDICTIONS.drop(columns="group")})
    assert not list(tmp_path.iterdir())


def test_a_changed_table_is_found(tmp_path, record):
    folder = write_record(tmp_path / "run", record, {"rows": ROWS})
    ROWS.assign(x=3).to_parquet(folder / "rows.parquet")
    with pytest.raises(UserError, match=r"rows.parquet: missing or changed .* by its notebook"):
        read_record(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.pop("datasets"), "not a valid record .*datasets"),
        (lambda f: f.update(extra=1), "not a valid record .*extra"),
        (lambda f: f.update(schema_version=1), "a record of layout 1, .* again by its notebook"),
    ],
)
def test_the_layout_is_checked_on_reading(tmp_path, record, change, said):
    folder = write_record(tmp_path / "run", record, {})
    fields = json.loads((folder / "record.json").read_text())
    change(fields)
    (folder / "record.json").write_text(json.dumps(fields))
    with pytest.raises(UserError, match=said):
        read_record(folder)


def test_a_record_from_before_weights_were_named_is_read(tmp_path, record):
    folder = write_record(tmp_path / "run", record, {})
    fields = json.loads((folder / "record.json").read_text())
    del fields["weights_sources"]
    (folder / "record.json").write_text(json.dumps(fields))
    assert read_record(folder)[0].weights_sources == {}


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_a_cut_record_is_a_users_error(tmp_path, text):
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(UserError, match="not a valid record"):
        read_record(tmp_path)


def test_a_missing_record_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="no such record; run the experiment first"):
        read_record(tmp_path / "none")
