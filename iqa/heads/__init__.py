"""Heads: candidate activations, the learnable gate, and the MLP that ends in a score."""

from iqa.heads.activations import (
    CANDIDATES,
    Elementwise,
    LearnableLeakyReLU,
    LearnableSigmoid,
    make_activation,
    scaled_sigmoid,
)
from iqa.heads.gate import ActivationGate, HardGate
from iqa.heads.mlp import PRESETS, MLPHead, Preset

__all__ = [
    "CANDIDATES",
    "PRESETS",
    "ActivationGate",
    "Elementwise",
    "HardGate",
    "LearnableLeakyReLU",
    "LearnableSigmoid",
    "MLPHead",
    "Preset",
    "make_activation",
    "scaled_sigmoid",
]
