"""What each chapter of the book shows of its run: fragments that its page includes."""

from collections.abc import Callable
from pathlib import Path

from iqa.report.chapters import (
    activations,
    data,
    gate,
    gradcam,
    leakage,
    literature,
    regimes,
    scorer,
    tsne,
)

WRITERS: dict[str, Callable[[Path, Path], None]] = {
    "demo_data": data.write,
    "activations": activations.write,
    "gate": gate.write,
    "leakage": leakage.write,
    "tsne": tsne.write,
    "gradcam": gradcam.write,
    "regimes": regimes.write,
    "scorer": scorer.write,
}
"""Experiment to the function (run's folder, folder for the fragments) that writes its fragments."""

__all__ = ["WRITERS", "literature"]
