"""What each chapter of the book shows of its run: fragments that its page includes."""

from collections.abc import Callable
from pathlib import Path

from iqa.report.chapters import (
    activations,
    audit,
    backbones,
    baselines,
    benchmark,
    data,
    data_efficiency,
    gate,
    generalization,
    gradcam,
    leakage,
    learning_rates,
    literature,
    loss,
    regimes,
    scorer,
    tsne,
)

WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "demo_data": data.write,
    "activations": activations.write,
    "learning_rates": learning_rates.write,
    "generalization": generalization.write,
    "gate": gate.write,
    "leakage": leakage.write,
    "audit": audit.write,
    "benchmark": benchmark.write,
    "backbones": backbones.write,
    "baselines": baselines.write,
    "loss": loss.write,
    "data_efficiency": data_efficiency.write,
    "tsne": tsne.write,
    "gradcam": gradcam.write,
    "regimes": regimes.write,
    "scorer": scorer.write,
}
"""Experiment to the function (run's folder, folder for the fragments) that writes its fragments."""

TOGETHER: dict[str, Callable[[dict[str, Path], Path], None]] = {
    "audit": audit.write_together,
    "benchmark": benchmark.write_together,
}
"""Page to the function (committed runs by name, folder) that writes what it shows of several."""

__all__ = ["TOGETHER", "WRITERS", "literature"]
