"""Run a notebook with papermill: checked, skipped when nothing changed, written atomically."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iqa.datasets import csv_table
from iqa.errors import UserError
from iqa.experiments.analysis_plan import read_plan
from iqa.experiments.keys import run_key
from iqa.experiments.parameters import declared
from iqa.experiments.planning import check_run, find_notebook, why_absent
from iqa.experiments.profile import Profile, RunSpec
from iqa.experiments.record import Execution, check_record, check_replaceable, read_execution
from iqa.files import fingerprint, project_root, written_whole


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        folder: with `record.json`, its tables, `run.json` and the executed `notebook.ipynb`.
        fresh: False where an earlier run with the same key was kept.
    """

    folder: Path
    fresh: bool


def run(spec: RunSpec, profile: Profile, progress: bool = False) -> Outcome:
    """Run one experiment, unless its record is there already, whole and with the same key.

    Args:
        spec: from `Profile.find`.
        profile: that the run belongs to; says where the record goes.
        progress: show a bar of the notebook's cells.

    Raises:
        UserError: the notebook or a parameter is unknown or out of range, a data set is not there,
            the kernel died, or a cell failed. No record is written then. After a failed cell the
            executed part is kept as `<run>.failed.ipynb` beside the run's folder.
    """
    notebook = find_notebook(spec.experiment)
    parameters = _located(check_run(spec))
    # Before any data set is read: one of them may have to be made first, which takes a minute.
    if reason := why_absent(parameters):
        raise UserError(reason)
    folder, plan = project_root() / profile.folder / spec.label, read_plan().mark
    key = run_key(notebook, parameters)
    if _kept_key(folder) == key:
        return Outcome(folder, fresh=False)
    check_replaceable(folder)
    failed = folder.with_name(f"{spec.label}.failed.ipynb")
    with written_whole(folder) as draft:
        work = draft.with_name("work")
        work.mkdir()
        _execute(notebook, work, parameters, failed, progress)
        shutil.move(work / "record", draft)
        os.replace(work / "notebook.ipynb", draft / "notebook.ipynb")
        mark = fingerprint((draft / "record.json").read_bytes())
        who = {"name": spec.label, "profile": profile.name}
        about = Execution(**who, key=key, record=mark, plan=plan)
        (draft / "run.json").write_text(about.model_dump_json(indent=2) + "\n")
    failed.unlink(missing_ok=True)
    return Outcome(folder, fresh=True)


def _located(value: Any) -> Any:
    """`value` with each `csv:` in it made absolute: a notebook runs in another folder."""
    if isinstance(value, dict):
        return {name: _located(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_located(part) for part in value]
    if isinstance(value, str) and value.startswith(csv_table.PREFIX):
        return csv_table.absolute(value)
    return value


def _kept_key(folder: Path) -> str | None:
    """The key of the record that is there; None where it is missing or damaged."""
    try:
        check_record(folder)
        execution = read_execution(folder)
    except UserError:
        return None
    return execution.key if execution else None


def _execute(
    notebook: Path, work: Path, parameters: dict[str, Any], failed: Path, progress: bool
) -> None:
    """Execute into `work`; the notebook writes its record into `work/record`."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from traitlets.config import Config

    output = work / "notebook.ipynb"
    defaults = declared(notebook)
    changed = {name: value for name, value in parameters.items() if value != defaults[name]}
    try:
        with tempfile.TemporaryDirectory() as sockets:
            papermill.execute_notebook(
                str(notebook),
                str(output),
                changed | {"record_to": "record"},
                kernel_name="python3",
                cwd=str(work),
                progress_bar=progress,
                config=Config(KernelManager=_connection(sockets)),
                # A kernel warns of its plain local connection, which every Jupyter uses, and logs
                # its own end as an error. What a cell raises is not logged but raised here.
                extra_arguments=["--log-level=CRITICAL"],
            )
    except papermill.PapermillExecutionError as fault:
        os.replace(output, failed)
        raise UserError(
            f"experiment {notebook.stem} failed with {fault.ename}: {fault.evalue} "
            f"(executed so far: {failed})"
        ) from None
    except DeadKernelError:
        raise UserError(
            f"experiment {notebook.stem}: its process was killed, most often for want of memory; "
            "close other programs or choose a smaller input size or batch, then run it again"
        ) from None


def _connection(folder: str) -> dict[str, str]:
    """How to talk to a kernel: by sockets in `folder`, where there are some and the name fits.

    Jupyter chooses TCP ports that are free and opens them later, so of two runs that start together
    both can get the same one.
    """
    fits = os.name == "posix" and len(folder) < 90
    return {"transport": "ipc", "ip": f"{folder}/kernel"} if fits else {}
