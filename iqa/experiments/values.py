"""What the parameters of a run may be: names and ranges, checked before anything is computed."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from iqa import backbones, datasets
from iqa.errors import UserError, explain, unknown
from iqa.experiments.learning_rates import check_rates


def _known(find: Callable[[str], object]) -> AfterValidator:
    """A name for which `find` raises nothing."""
    return AfterValidator(lambda name: (find(name), name)[1])


def _split(name: str) -> None:
    if name not in datasets.SPLITS:
        raise unknown("split", name, list(datasets.SPLITS))


def _differ(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("expected each once")
    return values


T = TypeVar("T")
Distinct = Annotated[list[T], AfterValidator(_differ)]
Some = Annotated[list[T], Field(min_length=1), AfterValidator(_differ)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Backbone = Annotated[str, _known(backbones.find)]
DataSet = Annotated[str, _known(datasets.info)]
AnyOrNone = Annotated[str, _known(lambda name: name and datasets.info(name))]
Split = Annotated[str, _known(_split)]


class Values(BaseModel):
    """The parameters of all notebooks by their names, which need no PyTorch to be checked.

    None is required, and what a `Study` and its training have is checked there.
    """

    model_config = ConfigDict(strict=True)
    dataset: DataSet = "demo"
    other: DataSet = "demo"
    others: Distinct[DataSet] = []
    first: AnyOrNone = ""
    compared_with: AnyOrNone = ""
    backbone: Backbone = "efficientnet_lite0"
    backbones: Distinct[Backbone] = []
    untrained: Distinct[Backbone] = []
    split: Split = "grouped"
    first_split: Split = "grouped"
    splits: Some[Split] = ["grouped"]
    checkpoints: Some[Literal["validation", "test", "last"]] = ["validation"]
    heads: Some[str] = ["relu"]
    seed: Natural = 0
    seeds: Some[Natural] = [0]
    split_seeds: Some[Natural] = [0]
    folds: Annotated[int, Field(ge=3)] = 5
    shown_fold: Natural = 0
    learning_rate: Positive = 1e-4
    rates: Some[Positive] = [1e-4]
    reference: Positive = 1e-4
    gate_rates: Some[Positive] = [1.0]
    head_learning_rate: Positive = 1e-4
    regimes: Some[Literal["lora", "full"]] = ["lora"]
    backbone_learning_rate: Positive | dict[str, Positive] = 1e-4
    share: Share = 1.0
    shares: Some[Share] = [1.0]
    sides: Some[Share] = [0.25]
    blur: Share = 0.01
    start: Literal["trained", "fresh"] = "trained"
    schedule: Literal["constant", "one-cycle"] = "constant"
    precision: Literal["fp32", "bf16"] = "fp32"
    head_epochs: Count = 1
    first_epochs: Count = 1
    accumulation: Count = 1
    crop: Natural = 0
    replay: Natural = 0
    varied_splits: Count = 1
    starts: Count = 1
    parts: Count = 1
    photographs: Count = 1
    steps: Count = 1
    random_orders: Count = 1
    neighbours: Count = 1

    @model_validator(mode="after")
    def _fit_together(self) -> "Values":
        given = self.model_fields_set
        if self.dataset in self.others:
            raise UserError(f"others: `{self.dataset}` is trained on; leave it out")
        if self.backbone in self.backbones:
            raise UserError(f"backbones: `{self.backbone}` is the first already; leave it out")
        if "rates" in given:
            for name in given & {"reference", "learning_rate"}:
                check_rates(self.rates, getattr(self, name))
        if "shares" in given and 1.0 not in self.shares:
            raise UserError(f"shares {self.shares}: add 1.0, all training images")
        if "gate_rates" in given and 1 not in self.gate_rates:
            raise UserError(f"gate_rates {self.gate_rates}: add 1, the paper's own")
        if isinstance(self.backbone_learning_rate, dict):
            for name in self.regimes:
                if name not in self.backbone_learning_rate:
                    raise UserError(f"backbone_learning_rate: add one for the regime `{name}`")
        if 0 < self.crop < 32:
            raise UserError(f"crop is {self.crop}: expected 0, the whole image, or 32 or more")
        if self.shown_fold >= self.folds:
            raise UserError(f"shown_fold is {self.shown_fold}: choose one of 0 to {self.folds - 1}")
        return self


def check_values(values: dict[str, Any]) -> None:
    """Check the parameters of a run as far as that takes no PyTorch.

    Raises:
        UserError: a name is unknown, a value is out of range, or two do not fit each other.
    """
    try:
        Values(**values)
    except ValidationError as fault:
        raise UserError(f"parameters: {explain(fault)}") from None


def check_trained(values: dict[str, Any]) -> None:
    """Check what needs PyTorch: the study, heads beside its own, and what `trainings` change.

    Raises:
        UserError: as `check_values`.
    """
    from iqa.experiments.study import Study
    from iqa.heads import find_preset

    study = Study.from_parameters(values)
    for parameter in ("paper_heads", "paper_batch_heads", "moved_heads", "varied_heads"):
        for name in values.get(parameter, []):
            find_preset(name)
    for name, changed in values.get("trainings", {}).items():
        try:
            study.but(**changed)
        except ValidationError as fault:  # of the protocol
            raise UserError(f"trainings: {name}: {explain(fault)}") from None
