"""A profile: which notebooks run, with which parameters; read from `profiles/<name>.yaml`."""

import re
from functools import cache
from itertools import product
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from iqa.errors import UserError, explain, unknown
from iqa.experiments.parameters import read_yaml
from iqa.files import fingerprint, project_root


class RunSpec(BaseModel):
    """One run of a profile.

    Attributes:
        experiment: a notebook's name without its ending.
        name: of the run and its folder; the experiment's where there is one run of it.
        parameters: that differ from the notebook's defaults and the profile's common ones.
        matrix: parameter to several values; stands for one run a combination, see `expanded`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    experiment: str
    name: str = Field("", pattern=r"^([\w+-][\w.+-]*)?$")
    parameters: dict[str, Any] = {}
    matrix: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}

    @property
    def label(self) -> str:
        """The name of the run's folder."""
        return self.name or self.experiment

    def expanded(self) -> list["RunSpec"]:
        """A run for each combination of the matrix' values, named by them in their order.

        >>> varied = RunSpec(experiment="regimes", matrix={"head": ["relu"], "seeds": [[8], [19]]})
        >>> [run.label for run in varied.expanded()]
        ['regimes-relu-8', 'regimes-relu-19']
        """
        return [
            RunSpec(
                experiment=self.experiment,
                name="-".join([self.label, *map(_readable, values)]) if values else self.name,
                parameters=self.parameters | dict(zip(self.matrix, values, strict=True)),
            )
            for values in product(*self.matrix.values())
        ]


def _readable(value: Any) -> str:
    """`value` as part of a folder's name: lists by their items, a slash as a dot."""
    text = "+".join(map(str, value)) if isinstance(value, list) else str(value)
    return re.sub(r"[^\w.+-]+", ".", text)


def _expanded(runs: list[RunSpec]) -> list[RunSpec]:
    return [one for run in runs for one in run.expanded()]


class Card(BaseModel):
    """What an estimate of GPU hours assumes; see `iqa.doctor.gpu_hours`.

    Attributes:
        name: of the card.
        peak_tflops: dense matrix products of the precision used, by its maker's data sheet.
        utilisation: share of the peak that is reached.
        start_minutes: of a run: start-up, weights, the heads on cached features.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    peak_tflops: float = Field(gt=0)
    utilisation: float = Field(gt=0, le=1)
    start_minutes: float = Field(ge=0)


class Profile(BaseModel):
    """A set of runs.

    Attributes:
        name: the file's name without its ending.
        title: one line for people.
        folder: where the runs are kept, relative to the project.
        book: whether the report shows these runs: one of each experiment, under its name.
        card: where GPU hours are to be estimated when the runs are planned.
        parameters: common to all runs.
        runs: in the order in which the report shows them; each matrix is expanded.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    title: str
    folder: str
    book: bool = False
    card: Card | None = None
    parameters: dict[str, Any] = {}
    runs: Annotated[list[RunSpec], Field(min_length=1), AfterValidator(_expanded)]

    @model_validator(mode="after")
    def _labels_differ(self) -> "Profile":
        labels = [run.label for run in self.runs]
        twice = {label for label in labels if labels.count(label) > 1}
        if twice:
            raise ValueError(f"two runs are named {sorted(twice)}: give each another `name`")
        return self

    def resolved(self) -> list[RunSpec]:
        """The runs with the common parameters merged in; a run's own win."""
        return [
            run.model_copy(update={"parameters": self.parameters | run.parameters})
            for run in self.runs
        ]

    def find(self, label: str) -> RunSpec:
        """The run named `label`, with the common parameters merged in.

        Raises:
            UserError: the profile has no such run.
        """
        runs = {run.label: run for run in self.resolved()}
        if label not in runs:
            raise unknown(f"experiment of profile {self.name}", label, list(runs))
        return runs[label]


def override(spec: RunSpec, given: dict[str, Any]) -> RunSpec:
    """`spec` with other parameters, and another name so that it replaces no other run.

    >>> override(RunSpec(experiment="gate"), {"epochs": 3}).label
    'gate-4597b1ff'
    """
    if not given:
        return spec
    mark = fingerprint(repr(sorted(given.items())))[:8]
    parameters = spec.parameters | given
    return spec.model_copy(update={"parameters": parameters, "name": f"{spec.label}-{mark}"})


def read_profile(name: str) -> Profile:
    """Read `profiles/<name>.yaml`.

    Raises:
        UserError: there is no such profile, or it is not valid; names the key at fault.
    """
    folder = project_root() / "profiles"
    path = folder / f"{name}.yaml"
    if not path.is_file():
        raise unknown("profile", name, sorted(p.stem for p in folder.glob("*.yaml")))
    try:
        return _parsed(name, path.read_text())
    except (yaml.YAMLError, TypeError) as fault:
        raise UserError(f"profile {path.name}: {' '.join(str(fault).split())}") from None
    except ValidationError as fault:
        raise UserError(f"profile {path.name}: {explain(fault)}") from None


@cache
def _parsed(name: str, text: str) -> Profile:
    # The page of each record asks for its profile.
    fields = read_yaml(text)
    if not isinstance(fields, dict):
        raise UserError(f"profile {name}.yaml: expected `title:`, `folder:` and `runs:`")
    return Profile(name=name, **fields)
