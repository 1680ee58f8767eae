"""Run a notebook with papermill: checked, keyed, skipped when nothing changed, kept whole."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iqa import datasets
from iqa.datasets import csv_table
from iqa.errors import UserError
from iqa.experiments.parameters import declared
from iqa.experiments.planning import check_run, datasets_in, find_notebook, why_absent
from iqa.experiments.profile import Profile, RunSpec, project_root
from iqa.experiments.record import read_summary, source_fingerprint
from iqa.files import fingerprint, written_whole


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        folder: with `record.json`, its tables and the executed `notebook.ipynb`.
        fresh: False where an earlier run with the same key was kept.
    """

    folder: Path
    fresh: bool


def run_key(notebook: Path, parameters: dict[str, Any]) -> str:
    """Fingerprint of all that a run depends on: notebook, parameters, data and code."""
    data = [datasets.load(name).fingerprint for name in datasets_in(parameters)]
    settings = repr(sorted(parameters.items()))
    return fingerprint(notebook.read_bytes(), settings, source_fingerprint(), *data)


def run(spec: RunSpec, profile: Profile, progress: bool = False) -> Outcome:
    """Run one experiment, unless its record is there already.

    Args:
        spec: from `Profile.find`.
        profile: that the run belongs to; says where the record goes.
        progress: show a bar of the notebook's cells.

    Raises:
        UserError: the notebook or a parameter is unknown, a data set is not there, or a cell
            failed; then the executed part is kept as `<run>.failed.ipynb` beside the run's folder,
            and no record is written.
    """
    notebook = find_notebook(spec.experiment)
    parameters = _located(check_run(spec))
    # Before any data set is read: one of them may have to be made first, which takes a minute.
    if reason := why_absent(parameters):
        raise UserError(reason)
    folder = project_root() / profile.folder / spec.label
    key = run_key(notebook, parameters)
    if _kept_key(folder) == key:
        return Outcome(folder, fresh=False)
    failed = folder.with_name(f"{spec.label}.failed.ipynb")
    started = time.perf_counter()
    with written_whole(folder) as draft:
        work = draft.with_name("work")
        work.mkdir()
        _execute(notebook, work, parameters, failed, progress)
        _finish(work, draft, profile.name, key, time.perf_counter() - started)
    failed.unlink(missing_ok=True)
    return Outcome(folder, fresh=True)


def _located(value: Any) -> Any:
    """`value` with each `csv:` in it made absolute: a notebook runs in a folder of its own."""
    if isinstance(value, dict):
        return {name: _located(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_located(part) for part in value]
    if isinstance(value, str) and value.startswith(csv_table.PREFIX):
        return csv_table.absolute(value)
    return value


def _kept_key(folder: Path) -> str | None:
    try:
        return read_summary(folder).key
    except UserError:
        return None


def _execute(
    notebook: Path, work: Path, parameters: dict[str, Any], failed: Path, progress: bool
) -> None:
    """Execute into `work`; the notebook writes its record into `work/record`."""
    import papermill

    output = work / "notebook.ipynb"
    defaults = declared(notebook)
    changed = {name: value for name, value in parameters.items() if value != defaults[name]}
    try:
        papermill.execute_notebook(
            str(notebook),
            str(output),
            changed | {"record_to": "record"},
            kernel_name="python3",
            cwd=str(work),
            progress_bar=progress,
            # A kernel warns of its plain local TCP connection, which every Jupyter uses.
            extra_arguments=["--log-level=ERROR"],
        )
    except papermill.PapermillExecutionError as fault:
        os.replace(output, failed)
        raise UserError(
            f"experiment {notebook.stem} failed with {fault.ename}: {fault.evalue} "
            f"(executed so far: {failed})"
        ) from None


def _finish(work: Path, draft: Path, profile: str, key: str, seconds: float) -> None:
    """Complete the record with what only the driver knows, and put the notebook beside it."""
    record = read_summary(work / "record")
    done = record.model_copy(
        update={"profile": profile, "key": key, "seconds": record.seconds | {"total": seconds}}
    )
    shutil.move(work / "record", draft)
    (draft / "record.json").write_text(done.model_dump_json(indent=2) + "\n")
    os.replace(work / "notebook.ipynb", draft / "notebook.ipynb")
