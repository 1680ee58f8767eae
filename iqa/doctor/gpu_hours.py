"""GPU hours of a profile from arithmetic and assumptions: an estimate, nothing of it measured."""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product
from typing import Any

from iqa import backbones, datasets
from iqa.experiments import Planned
from iqa.experiments.keys import datasets_in
from iqa.experiments.profile import Card

PASSES = {"frozen": 0, "lora": 2, "full": 3}
"""Regime to the cost of training on an image, in forward passes: the forward pass, the gradient of
what passes between layers, that of the weights; each takes about the same number of products."""

TRAINED = 0.8
"""Share of the images that is trained on; the rest is watched, one forward pass an epoch."""


def gpu_hours(runs: Iterable[Planned], card: Card) -> float:
    """Hours on one card: features once for each data set and backbone, adapting, and starts.

    Training heads on cached features and reading images are in `card.start_minutes`; a data set is
    counted by its published size, a csv: table not at all.
    """
    runs = list(runs)
    flops = 0.0
    for dataset, backbone, size in {each for run in runs for each in features_of(run.values)}:
        flops += _images(dataset) * flops_per_image(backbone, size)
    for run in runs:
        if "regimes" in run.values:
            flops += _adapting(run.values)
    starts = len(runs) * card.start_minutes / 60
    return flops / (card.peak_tflops * 1e12 * card.utilisation) / 3600 + starts


def told(runs: Iterable[Planned], card: Card) -> str:
    """The estimate with what it assumes, in one line."""
    return (
        f"ESTIMATE, not measured: about {gpu_hours(runs, card):,.0f} GPU hours on one {card.name}. "
        f"Assumed: {card.peak_tflops:g} TFLOP/s at its peak, {card.utilisation:.0%} of it reached, "
        f"{card.start_minutes:g} minutes a run for all but the backbone; computed: operations of "
        "each backbone at its input size, images, epochs, passes of each regime"
    )


@cache
def flops_per_image(backbone: str, input_size: int) -> float:
    """Floating-point operations of one forward pass on one image, counted without computing any.

    A multiply-add counts as two. The model stands on PyTorch's meta device: it has shapes only.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        model = backbones.load(backbone, "none")
        model(torch.empty(1, 3, input_size, input_size))
    return float(counter.get_total_flops())


def features_of(values: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Data set, backbone and input size of all features that a run reads."""
    networks = [values.get("backbone"), *values.get("backbones", []), *values.get("untrained", [])]
    for dataset, backbone in product(datasets_in(values), filter(None, networks)):
        yield dataset, backbone, values["input_size"]


def _images(dataset: str) -> int:
    return datasets.info(dataset).expected_rows or 0


def _adapting(values: dict[str, Any]) -> float:
    passes = sum(TRAINED * PASSES[regime] + 1 - TRAINED for regime in values["regimes"])
    seen = (
        _images(values["dataset"]) * len(values["seeds"]) * len(values["heads"]) * values["epochs"]
    )
    return seen * passes * flops_per_image(values["backbone"], values["input_size"])
