"""What a run leaves: a folder with `record.json` and its tables, checked when read."""

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

import iqa
from iqa.datasets import Dataset
from iqa.errors import UserError
from iqa.files import fingerprint, written_whole

SCHEMA = 1
_LIBRARIES = ("torch", "timm", "openvino", "numpy", "scipy", "scikit-learn", "pandas", "pillow")


class DatasetUsed(BaseModel):
    """The data set of a run, as far as a reader of its record needs it."""

    model_config = ConfigDict(extra="forbid")
    name: str
    title: str
    score_kind: str
    images: int
    groups: int
    fingerprint: str


class Record(BaseModel):
    """One run, traceable: what went in, on what it ran, what came out.

    Attributes:
        schema_version: of this format; another one is refused on reading.
        experiment: name of the notebook.
        parameters: every parameter of the run.
        protocol: name of the `iqa.experiments.protocol.Protocol`, such as "rigorous"; "varied"
            where a run compares several. Its fields are among the parameters.
        dataset: what was used of which data set.
        splits: manifest hash of each split, in the order of the folds or seeds.
        seeds: of the heads.
        untrained: True where the backbone had random weights.
        code: fingerprint of the package's source.
        version: of the package.
        libraries: name to version.
        device: what it ran on.
        seconds: name of a stage to its duration.
        metrics: the findings as numbers.
        files: name of each table (Parquet) and picture (PNG) beside the record to the fingerprint
            of its bytes.
        profile: set by the driver; "by hand" otherwise.
        key: set by the driver; of what the run depends on.
    """

    model_config = ConfigDict(extra="forbid")
    schema_version: int = SCHEMA
    experiment: str
    parameters: dict[str, Any]
    protocol: str
    dataset: DatasetUsed
    splits: list[str]
    seeds: list[int]
    untrained: bool
    code: str
    version: str
    libraries: dict[str, str]
    device: str
    seconds: dict[str, float]
    metrics: dict[str, Any]
    files: dict[str, str] = {}
    profile: str = "by hand"
    key: str = ""


def source_fingerprint() -> str:
    """Fingerprint of the package's source that a result depends on (not the command line's)."""
    root = Path(iqa.__file__).parent
    files = sorted(root.rglob("*.py"))
    used = [p for p in files if p.relative_to(root).parts[0] not in ("report", "cli")]
    return fingerprint(*(part for p in used for part in (str(p.relative_to(root)), p.read_bytes())))


def describe_run(data: Dataset) -> dict[str, Any]:
    """The fields of a `Record` that follow from the data set and the machine."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "dataset": DatasetUsed(
            name=data.info.name,
            title=data.info.title,
            score_kind=data.info.score_kind,
            images=len(data.table),
            groups=data.table["group"].nunique(),
            fingerprint=data.fingerprint,
        ),
        "code": source_fingerprint(),
        "version": iqa.__version__,
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
        "device": gpu or f"cpu, {torch.get_num_threads()} threads, {platform.machine()}",
    }


def write_record(
    folder: str | Path,
    record: Record,
    tables: dict[str, pd.DataFrame],
    pictures: dict[str, NDArray[np.uint8]] | None = None,
) -> Path | None:
    """Write `record`, its `tables` and its `pictures` into `folder`, whole or not at all.

    Args:
        folder: where to; "" keeps nothing, which is a notebook's default when run by hand.
        record: the record; its `files` are filled in here.
        tables: name to table, each kept as `<name>.parquet`.
        pictures: name to RGB pixels (H, W, 3), each kept as `<name>.png`.

    Returns:
        The folder, or None where nothing was kept.
    """
    if not str(folder):
        return None
    with written_whole(Path(folder)) as draft:
        draft.mkdir()
        for name, table in tables.items():
            table.to_parquet(draft / f"{name}.parquet", index=False)
        for name, pixels in (pictures or {}).items():
            Image.fromarray(pixels).save(draft / f"{name}.png")
        marks = {path.name: fingerprint(path.read_bytes()) for path in sorted(draft.iterdir())}
        text = record.model_copy(update={"files": marks}).model_dump_json(indent=2)
        (draft / "record.json").write_text(text + "\n")
    return Path(folder)


def read_record(folder: str | Path) -> tuple[Record, dict[str, pd.DataFrame]]:
    """A record and its tables; its pictures lie in the same folder.

    Raises:
        UserError: the record is missing, of another format, or a file is missing or damaged.
    """
    folder = Path(folder)
    record = read_summary(folder)
    for name, mark in record.files.items():
        path = folder / name
        if not path.exists() or fingerprint(path.read_bytes()) != mark:
            raise UserError(f"{path}: missing or changed since its record was written; run it anew")
    tables = [name for name in record.files if name.endswith(".parquet")]
    return record, {Path(name).stem: pd.read_parquet(folder / name) for name in tables}


def read_summary(folder: str | Path) -> Record:
    """A record without its tables; raises as `read_record` does."""
    path = Path(folder) / "record.json"
    try:
        fields = json.loads(path.read_text())
        if fields.get("schema_version") != SCHEMA:
            raise UserError(
                f"{path}: schema version {fields.get('schema_version')}, this package reads "
                f"{SCHEMA}; run it anew"
            )
        return Record(**fields)
    except FileNotFoundError:
        raise UserError(f"{path}: no such record; run the experiment first") from None
    except (json.JSONDecodeError, ValidationError, AttributeError) as fault:
        reason = " ".join(str(fault).split())
        raise UserError(f"{path}: not a valid record ({reason}); run it anew") from None
