"""What a profile would run, checked before anything runs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from iqa import datasets
from iqa.errors import UserError, unknown
from iqa.experiments.keys import datasets_in
from iqa.experiments.parameters import declared, filled
from iqa.experiments.profile import Profile, RunSpec
from iqa.experiments.values import check_trained, check_values
from iqa.files import project_root


@dataclass(frozen=True)
class Planned:
    """One run, ready to start.

    Attributes:
        experiment: the notebook's name without its ending.
        values: every parameter, the notebook's defaults filled in.
        absent: why its data are not there, in one line; "" where they are.
    """

    experiment: str
    values: dict[str, Any]
    absent: str


def find_notebook(experiment: str) -> Path:
    """The notebook of an experiment; a UserError lists those there are."""
    folder = project_root() / "notebooks"
    path = folder / f"{experiment}.ipynb"
    if not path.is_file():
        raise unknown("experiment", experiment, sorted(p.stem for p in folder.glob("*.ipynb")))
    return path


def check_run(
    spec: RunSpec, defaults_of: Callable[[Path], dict[str, Any]] = declared
) -> dict[str, Any]:
    """Every parameter of a run; `defaults_of` says what a notebook declares.

    What needs no PyTorch is checked first.

    Raises:
        UserError: the experiment, a parameter or a name among the values is unknown, a value is of
            the wrong type or out of range; or the notebook could keep no record.
    """
    notebook = find_notebook(spec.experiment)
    if "record_to" in spec.parameters:
        raise UserError(f"run {spec.label}: `record_to` is chosen by the run itself; leave it out")
    values = filled(notebook.name, defaults_of(notebook), spec.parameters)
    if "record_to" not in values:
        raise UserError(f'{notebook.name}: declare `record_to = ""` among its parameters')
    check_values(values)
    if {"dataset", "backbone"} <= values.keys():
        if spec.experiment == "factorial" and len(values["heads"]) < 2:
            raise UserError("factorial: parameter `heads` needs two, whose difference is studied")
        check_trained(values)
    return values


def plan(profile: Profile) -> dict[str, Planned]:
    """The runs of a profile by name, all of them checked.

    Raises:
        UserError: as `check_run`; says which profile and run.
    """
    # Thousands of runs share a few notebooks and data sets.
    defaults_of, absent = cache(declared), cache(datasets.absent)
    planned = {}
    for spec in profile.resolved():
        try:
            values = check_run(spec, defaults_of)
            planned[spec.label] = Planned(spec.experiment, values, why_absent(values, absent))
        except UserError as fault:
            raise UserError(f"profile {profile.name}, run {spec.label}: {fault}") from None
    return planned


def why_absent(values: dict[str, Any], absent: Callable[[str], str] = datasets.absent) -> str:
    """Why the data that the parameters of a run name are not there; "" where they are."""
    return next(filter(None, map(absent, datasets_in(values))), "")
