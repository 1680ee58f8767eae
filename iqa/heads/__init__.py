"""Heads: candidate activations, the learnable gate, and the MLP that ends in a score."""

from iqa.heads.activations import (
    CANDIDATES,
    Elementwise,
    LearnableLeakyReLU,
    LearnableSigmoid,
    make_activation,
    scaled_sigmoid,
)
from iqa.heads.learnable_gate import ActivationGate, HardGate
from iqa.heads.mlp import PRESETS, MLPHead, Preset, find_preset

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
    "find_preset",
    "make_activation",
    "scaled_sigmoid",
]
