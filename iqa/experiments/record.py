"""What a run leaves: a folder with `record.json` and its tables, checked when read.

Tables are tidy: one fact a row, and a column means one thing wherever it occurs (`COLUMNS`). What
follows from predictions, such as an SRCC with its interval, is computed where it is shown.
"""

import json
import platform
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from iqa.datasets import Dataset, Split
from iqa.errors import UserError
from iqa.files import fingerprint, written_whole

SCHEMA = 2
SOURCE = "own folds"
"""`tested_on` of the test folds of the data set that the heads were trained on."""

_LIBRARIES = ("torch", "timm", "openvino", "numpy", "scipy", "scikit-learn", "pandas", "pillow")

COLUMNS: dict[str, Any] = {
    # what was compared
    "head": str,
    "training": str,
    "objective": str,
    "learning_rate": float,
    "scaling": str,
    "regime": str,
    "backbone": str,
    "weights": str,
    "regressor": str,
    "protocol": str,
    "defect": str,
    "share": float,
    "tested_on": str,
    # on which images, split and start
    "split": int,
    "fold": int,
    "seed": int,
    "side": pa.Column(str, pa.Check.isin(["train", "val", "test"])),
    "id": str,
    "group": str,
    # with which outcome
    "target": "float32",
    "prediction": "float32",
}
"""The columns that a table of predictions may have. `split` is the seed of an assignment to splits,
`fold` the number of one split in it, `seed` that of a head; `training` names a way of training that
the record's parameters describe; `share` is that of the training images."""

ALWAYS = ("split", "fold", "seed", "side", "id", "group", "target", "prediction")


class DatasetUsed(BaseModel):
    """A data set of a run, as far as a reader of its record needs it."""

    model_config = ConfigDict(extra="forbid")
    name: str
    title: str
    score_kind: str
    images: int
    groups: int
    fingerprint: str

    @classmethod
    def of(cls, data: Dataset) -> "DatasetUsed":
        """`data` as a record names it."""
        named = {key: getattr(data.info, key) for key in ("name", "title", "score_kind")}
        groups = data.table["group"].nunique()
        return cls(**named, images=len(data), groups=groups, fingerprint=data.fingerprint)


class SplitUsed(BaseModel):
    """A split of a run: which one it is, the hash of its manifest, and images on each side."""

    model_config = ConfigDict(extra="forbid")
    split: int
    fold: int
    kind: str
    hash: str
    train: int
    val: int
    test: int

    @classmethod
    def of(cls, split: Split) -> "SplitUsed":
        """`split` as a record names it."""
        sizes = {side: len(getattr(split, side)) for side in ("train", "val", "test")}
        return cls(split=split.seed, fold=split.fold, kind=split.kind, hash=split.hash, **sizes)


class Record(BaseModel):
    """One run, traceable: what went in, on what it ran, and which tables came out.

    Attributes:
        schema_version: of this format; another one is refused on reading.
        experiment: name of the notebook.
        parameters: of the notebook, as they were given.
        settings: what they mean in full: protocol, training, and whatever else was varied.
        datasets: the first is what was trained on.
        splits: in the order in which they were used.
        untrained: True where the backbone had random weights.
        weights_sources: backbone to where its weights are from, the commit of a hub's repository
            included (`iqa.backbones.weights_source`); empty in older records.
        version: of the package.
        libraries: name to version.
        device: what it ran on.
        seconds: from the first cell to the record.
        files: name of each table (Parquet) and picture (PNG) beside the record to the fingerprint
            of its bytes.
    """

    model_config = ConfigDict(extra="forbid")
    schema_version: int = SCHEMA
    experiment: str
    parameters: dict[str, Any]
    settings: dict[str, Any] = {}
    datasets: list[DatasetUsed]
    splits: list[SplitUsed] = []
    untrained: bool = False
    weights_sources: dict[str, str] = {}
    version: str
    libraries: dict[str, str]
    device: str
    seconds: float
    files: dict[str, str] = {}

    @property
    def dataset(self) -> DatasetUsed:
        """What was trained on."""
        return self.datasets[0]

    @property
    def test_to_train(self) -> float:
        """Test images for each training image, the mean over splits."""
        return float(np.mean([split.test / split.train for split in self.splits]))


class Execution(BaseModel):
    """What the driver knows of a run, in `run.json` beside the record.

    Attributes:
        name: of the run in its profile.
        profile: that it belongs to.
        key: of what it depends on, see `iqa.experiments.keys`.
        record: fingerprint of `record.json`.
        plan: `Plan.mark` of the analysis plan when the run began; "" in records older than plans.
    """

    model_config = ConfigDict(extra="forbid")
    name: str
    profile: str
    key: str
    record: str
    plan: str = ""


def describe(
    experiment: str,
    parameters: dict[str, Any],
    datasets: list[Dataset],
    started: float,
    splits: Sequence[Split] = (),
    **more: Any,
) -> Record:
    """The record of a run on this machine, `started` in seconds of `time.perf_counter`.

    `datasets` and `splits` are those of `Record`; `more` are its other fields.
    """
    return Record(
        experiment=experiment,
        parameters=parameters,
        datasets=[DatasetUsed.of(data) for data in datasets],
        splits=[SplitUsed.of(split) for split in splits],
        version=metadata.version("iqa"),
        libraries={name: metadata.version(name) for name in _LIBRARIES},
        device=_device(),
        seconds=round(time.perf_counter() - started, 1),
        **more,
    )


def _device() -> str:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return gpu or f"cpu, {torch.get_num_threads()} threads, {platform.machine()}"


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """A table of predictions with its columns in the order and the types of `COLUMNS`.

    Raises:
        UserError: a column has another name or type than `COLUMNS` allows, or one of `ALWAYS` is
            missing, or a value is.
    """
    named = [name for name in COLUMNS if name in table.columns or name in ALWAYS]
    schema = pa.DataFrameSchema(
        {
            name: kind if isinstance(kind, pa.Column) else pa.Column(kind, nullable=False)
            for name, kind in ((name, COLUMNS[name]) for name in named)
        },
        strict=True,
        coerce=True,
    )
    try:
        return schema.validate(table)[named]
    except (pa.errors.SchemaError, pa.errors.SchemaErrors) as fault:
        reason = " ".join(str(fault).split())
        raise UserError(f"predictions: {reason}; a record's columns are COLUMNS") from None


_OF_A_RUN = {"record.json", "run.json", "notebook.ipynb"}


def check_replaceable(folder: Path) -> None:
    """A run takes the place of nothing or of an earlier run, whose folder is replaced as a whole.

    Raises:
        UserError: `folder` is a file, or something lies in it that no run wrote.
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    kept = {name for name in names if not name.startswith(".")}
    other = {name for name in kept - _OF_A_RUN if not name.endswith((".parquet", ".png"))}
    if folder.is_file() or other or (kept and not kept & _OF_A_RUN):
        raise UserError(f"{folder} holds no run: move it away, or choose another folder")


def write_record(
    folder: str | Path | None,
    record: Record,
    tables: dict[str, pd.DataFrame],
    pictures: dict[str, NDArray[np.uint8]] | None = None,
) -> Path | None:
    """Write `record`, its `tables` and its `pictures` into `folder` atomically.

    Args:
        folder: where to; "" or None keeps nothing, which is a notebook's default by hand.
        record: the record; its `files` are filled in here.
        tables: name to table, each kept as `<name>.parquet`; one with the column prediction is
            made `tidy`.
        pictures: name to RGB pixels (H, W, 3), each kept as `<name>.png`.

    Returns:
        The folder, or None where nothing was kept.

    Raises:
        UserError: as `tidy` and `check_replaceable`.
    """
    tables = {n: tidy(t) if "prediction" in t.columns else t for n, t in tables.items()}
    if not folder:
        return None
    check_replaceable(Path(folder))
    with written_whole(Path(folder)) as draft:
        draft.mkdir()
        for name, table in tables.items():
            _write_table(table, draft / f"{name}.parquet")
        for name, pixels in (pictures or {}).items():
            Image.fromarray(pixels).save(draft / f"{name}.png")
        marks = {path.name: fingerprint(path.read_bytes()) for path in sorted(draft.iterdir())}
        text = record.model_copy(update={"files": marks}).model_dump_json(indent=2)
        (draft / "record.json").write_text(text + "\n")
    return Path(folder)


def _write_table(table: pd.DataFrame, path: Path) -> None:
    # Predictions hardly repeat: without a dictionary, and byte by byte, they take a fifth less.
    apart = [name for name in table.columns if name == "prediction"]
    repeated = [name for name in table.columns if name not in apart]
    table.to_parquet(
        path,
        index=False,
        compression="zstd",
        use_dictionary=repeated,
        use_byte_stream_split=apart,
    )


def read_record(folder: str | Path) -> tuple[Record, dict[str, pd.DataFrame]]:
    """A record and its tables; its pictures lie in the same folder.

    Raises:
        UserError: the record is missing, of another format, or a file is missing or damaged.
    """
    folder = Path(folder)
    record = check_record(folder)
    tables = [name for name in record.files if name.endswith(".parquet")]
    return record, {Path(name).stem: pd.read_parquet(folder / name) for name in tables}


def check_record(folder: Path) -> Record:
    """A record whose files are all there and unchanged; raises as `read_record` does."""
    path = folder / "record.json"
    record = _read(path, Record)
    execution = folder / "run.json"
    if execution.exists() and _read(execution, Execution).record != _mark(path):
        raise UserError(f"{path}: changed since it was written; {_remedy(folder)}")
    for name, mark in record.files.items():
        if _mark(folder / name) != mark:
            raise UserError(
                f"{folder / name}: missing or changed since its record was written; "
                f"{_remedy(folder)}"
            )
    return record


def read_execution(folder: Path) -> Execution | None:
    """What the driver wrote of a run; None where the record was made by hand."""
    path = folder / "run.json"
    return _read(path, Execution) if path.exists() else None


def _mark(path: Path) -> str:
    return fingerprint(path.read_bytes()) if path.is_file() else ""


def _remedy(folder: Path) -> str:
    """How a record is made again."""
    try:
        about = Execution(**json.loads((folder / "run.json").read_text()))
    except (OSError, ValueError, TypeError):
        return "make it again by its notebook"
    return f"make it again: iqa run {about.name} --profile {about.profile}"


def _read(path: Path, kind: Any) -> Any:
    try:
        fields = json.loads(path.read_text())
        if kind is Record and fields.get("schema_version") != SCHEMA:
            raise UserError(
                f"{path}: a record of layout {fields.get('schema_version')}, this package reads "
                f"{SCHEMA}; {_remedy(path.parent)}"
            )
        return kind(**fields)
    except FileNotFoundError:
        raise UserError(f"{path}: no such record; run the experiment first") from None
    except (OSError, ValueError, ValidationError, AttributeError, TypeError) as fault:
        reason = " ".join(str(fault).split())[:200]
        raise UserError(f"{path}: not a valid record ({reason}); {_remedy(path.parent)}") from None
