"""The records that pages read: the committed ones, and those of the demo."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pandas as pd

from iqa.errors import UserError
from iqa.experiments.profile import read_profile
from iqa.experiments.record import Record, check_record, read_record
from iqa.files import project_root

COMMITTED = "results/runs/cpu"
DEMO = os.environ.get("IQA_DEMO", "build/runs/demo")
SETS = {"clive": "CLIVE", "agiqa3k": "AGIQA-3K", "biq2021": "BIQ2021", "demo": "demo"}
"""Data set to what charts call it."""


@dataclass(frozen=True, eq=False)
class Run:
    """A record that is whole, and its tables, read when they are asked for.

    Attributes:
        folder: of the record.
        record: what it says of itself.
    """

    folder: Path
    record: Record

    @property
    def name(self) -> str:
        """The run's name in its profile."""
        return self.folder.name

    @property
    def of_people(self) -> bool:
        """Whether people rated its images; the demo has pseudo-MOS."""
        return self.record.dataset.score_kind != "pseudo-MOS"

    @property
    def label(self) -> str:
        """What the site calls it: a run of the demo and a committed one may have one name."""
        return self.name if self.of_people else f"demo-{self.name}"

    @property
    def set(self) -> str:
        """The data set, as charts call it."""
        return SETS.get(self.record.dataset.name, self.record.dataset.title)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Name to table."""
        return read_record(self.folder)[1]

    @cached_property
    def tested(self) -> pd.DataFrame:
        """The predictions for test images."""
        table = self.tables["predictions"]
        # Estimates take many parts of this table, and parts of categories are taken faster.
        return table[table["side"] == "test"].astype({"id": "category", "group": "category"})


def run(name: str, folder: str = COMMITTED) -> Run:
    """The run of that name.

    Raises:
        UserError: its record is missing, damaged or of another layout; says how to make it.
    """
    return _whole(project_root() / folder / name)


def profile_of(folder: Path) -> str:
    """The profile that makes the record in `folder`; the committed ones are of two."""
    if folder.parent != project_root() / COMMITTED:
        return folder.parent.name
    return "cpu" if folder.name in {spec.label for spec in read_profile("cpu").runs} else "long"


@cache
def _whole(path: Path) -> Run:
    """The run in a folder; one object, so that what is computed from it is kept."""
    try:
        return Run(path, check_record(path))
    except UserError:
        there, again = (path / "record.json").exists(), f"--profile {profile_of(path)}"
        state = "damaged or of a former layout" if there else "missing"
        raise UserError(f"the record {path.name} is {state}: iqa run {path.name} {again}") from None


def runs_of(experiment: str, folder: str = COMMITTED) -> list[Run]:
    """The runs of an experiment, in the order of `SETS`.

    Raises:
        UserError: there is none, or one is damaged.
    """
    found = [one for one in all_runs(folder) if one.record.experiment == experiment]
    if not found:
        raise UserError(
            f"no record of {experiment} is there: with IQA_DATA, make cpu and make long make those "
            "of human ratings; make report makes those of the demo"
        )
    return sorted(found, key=lambda one: list(SETS).index(one.record.dataset.name))


def all_runs(folder: str = COMMITTED) -> Iterator[Run]:
    """Every run whose record is whole."""
    for path in sorted((project_root() / folder).glob("*/record.json")):
        try:
            yield _whole(path.parent)
        except UserError:  # the page of the records names it
            continue
