"""What a profile would run, checked before anything runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from iqa import backbones, datasets
from iqa.datasets import csv_table
from iqa.errors import UserError, unknown
from iqa.experiments.parameters import declared, filled
from iqa.experiments.profile import Profile, RunSpec, project_root


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

    Raises:
        UserError: the experiment, a parameter, a data set or a backbone is unknown, or a value is
            of the wrong type; or the notebook could keep no record.
    """
    notebook = find_notebook(spec.experiment)
    values = filled(notebook.name, defaults_of(notebook), spec.parameters)
    if "record_to" not in values:
        raise UserError(f'{notebook.name}: declare `record_to = ""` among its parameters')
    _check_names(values, {"dataset": datasets.info, "backbone": backbones.find})
    return values


def plan(profile: Profile) -> dict[str, Planned]:
    """The runs of a profile by name, all of them checked; heads and protocols too.

    Raises:
        UserError: as `check_run`, or a name of a head, regime or protocol is unknown; says which
            profile and run.
    """
    # Thousands of runs share a few notebooks and data sets.
    defaults_of, absent = cache(declared), cache(datasets.absent)
    planned = {}
    for spec in profile.resolved():
        try:
            values = check_run(spec, defaults_of)
            _check_names(values, _finders())
            planned[spec.label] = Planned(spec.experiment, values, why_absent(values, absent))
        except UserError as fault:
            raise UserError(f"profile {profile.name}, run {spec.label}: {fault}") from None
    return planned


def why_absent(values: dict[str, Any], absent: Callable[[str], str] = datasets.absent) -> str:
    """Why the data that the parameters of a run name are not there; "" where they are."""
    return next(filter(None, map(absent, datasets_in(values))), "")


def datasets_in(values: Any) -> list[str]:
    """The data sets that parameters name, at any depth, in their order, each once.

    >>> datasets_in({"dataset": "clive", "others": ["agiqa3k", "clive"], "head": "relu"})
    ['clive', 'agiqa3k']
    """
    known = datasets.names()
    found = (s for s in _strings(values) if s in known or s.startswith(csv_table.PREFIX))
    return list(dict.fromkeys(found))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, str):
        yield value


@cache
def _finders() -> dict[str, Callable[[str], object]]:
    """Parameter to the function that raises for a name that is unknown. Loads PyTorch."""
    from iqa.experiments import protocol
    from iqa.heads import find_preset
    from iqa.training.adaptation import REGIMES

    def regime(name: str) -> None:
        if name not in REGIMES:
            raise unknown("regime", name, list(REGIMES))

    def weights(name: str) -> None:
        if name not in ("pretrained", "none"):
            raise unknown("weights", name, ["pretrained", "none"])

    named: dict[Callable[[str], object], tuple[str, ...]] = {
        find_preset: ("head", "heads", "paper_batch_heads", "more_steps", "looked_into"),
        protocol.find: ("protocol",),
        regime: ("regimes",),
        weights: ("weights",),
        backbones.find: ("backbones", "untrained"),
        datasets.info: ("other", "others"),
    }
    return {parameter: finder for finder, names in named.items() for parameter in names}


def _check_names(values: dict[str, Any], finders: dict[str, Callable[[str], object]]) -> None:
    for parameter in values.keys() & finders.keys():
        for name in _strings(values[parameter]):
            finders[parameter](name)
