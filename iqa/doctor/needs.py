"""What a profile needs, by arithmetic on its runs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from iqa import backbones, datasets
from iqa.backbones.hub import cached_commit
from iqa.doctor.gpu_hours import features_of
from iqa.experiments import Planned, Profile
from iqa.experiments.keys import datasets_in

PARAMETER_BYTES = {"frozen": 4, "lora": 4, "full": 16}
"""Regime to bytes a parameter: float32, and when it is trained its gradient and two moments."""


@dataclass(frozen=True)
class Needs:
    """What runs need, or what is to be looked at where nothing is needed.

    Attributes:
        datasets: their data sets, sorted.
        backbones: those whose pretrained weights they load, sorted.
        precisions: that they ask for.
        card: the GPU that they are planned for; "" where CPUs will do.
        memory_bytes: a lower bound: parameters, and what training keeps for each; no activations.
        feature_bytes: of features on disk.
        weight_bytes: of weights that are still to be downloaded.
        extras: of `pyproject.toml`.
        needed: whether all of it is needed.
    """

    datasets: tuple[str, ...]
    backbones: tuple[str, ...]
    precisions: frozenset[str] = frozenset()
    card: str = ""
    memory_bytes: float = 0
    feature_bytes: float = 0
    weight_bytes: float = 0
    extras: tuple[str, ...] = ()
    needed: bool = False


def of_anything() -> Needs:
    """All data sets and all backbones that have weights, none of them needed."""
    with_weights = [name for name, spec in backbones.REGISTRY.items() if spec.source != "none"]
    return Needs(tuple(datasets.names()), tuple(sorted(with_weights)))


def of_profile(profile: Profile, runs: Iterable[Planned]) -> Needs:
    """What the runs of `profile` need, as `iqa.experiments.plan` gives them."""
    values = [run.values for run in runs]
    networks = sorted({name for each in values for name in pretrained(each)})
    return Needs(
        datasets=tuple(sorted({name for each in values for name in datasets_in(each)})),
        backbones=tuple(networks),
        precisions=frozenset(each["precision"] for each in values if "precision" in each),
        card=profile.card.name if profile.card else "",
        memory_bytes=max(map(_memory_bytes, values), default=0),
        feature_bytes=sum(
            (datasets.info(dataset).expected_rows or 0) * 4 * _width(backbone)
            for dataset, backbone, _ in {one for each in values for one in features_of(each)}
        ),
        weight_bytes=sum(4 * parameters(name) for name in networks if _to_come(name)),
        extras=("report",),  # papermill, which runs notebooks
        needed=True,
    )


def pretrained(values: dict[str, Any]) -> list[str]:
    """The backbones of a run whose pretrained weights it loads."""
    return [name for name in (values.get("backbone"), *values.get("backbones", [])) if name]


@cache
def parameters(backbone: str) -> int:
    """How many parameters a backbone has, counted without making any."""
    import torch

    with torch.device("meta"):
        return sum(each.numel() for each in backbones.load(backbone, "none").parameters())


def _width(backbone: str) -> int:
    return backbones.feature_dim(backbones.find(backbone))


def _memory_bytes(values: dict[str, Any]) -> float:
    each = max(PARAMETER_BYTES[regime] for regime in ("frozen", *values.get("regimes", [])))
    return max((each * parameters(name) for name in pretrained(values)), default=0)


def _to_come(backbone: str) -> bool:
    spec = backbones.find(backbone)
    return spec.source == "hub" and cached_commit(spec) is None
