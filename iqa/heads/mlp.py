"""The MLP head that turns a feature into a score, and its presets."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from iqa.errors import unknown
from iqa.heads.activations import Candidate, Factory, make_activation
from iqa.heads.learnable_gate import ActivationGate

HIDDEN = 512


@dataclass(frozen=True)
class Preset:
    """The two activations of a head: names in `CANDIDATES`, or factories `channels -> module`."""

    act1: Candidate
    act2: Candidate


PAPER_GATE = ("learnable_sigmoid", "learnable_leaky_relu")
MIXED = ("sigmoid", "leaky_relu", "gelu", "tanh")


def _gate(*candidates: Candidate, **settings: Any) -> Factory:
    """A factory of `ActivationGate(channels, candidates, **settings)`."""
    return lambda channels: ActivationGate(channels, candidates, **settings)


def _gated(*candidates: Candidate, **settings: Any) -> Preset:
    """A gate where the paper's code has it: before the second linear layer alone."""
    return Preset(_gate(*candidates, **settings), "learnable_leaky_relu")


def _mixture(**settings: Any) -> Preset:
    """Four activations without parameters on both layers, weighed by a softmax."""
    layer = _gate(*MIXED, mean=0.25, spread=0.01, **settings)
    return Preset(layer, layer)


PRESETS: dict[str, Preset] = {
    "relu": Preset("relu", "relu"),  # the paper's baseline, B
    "leaky_relu": Preset("leaky_relu", "leaky_relu"),
    "gelu": Preset("gelu", "gelu"),
    "silu": Preset("silu", "silu"),
    "tanh": Preset("tanh", "tanh"),
    "sigmoid": Preset("sigmoid", "leaky_relu"),  # the paper's B_Sig
    "sigmoid2": Preset("sigmoid", "sigmoid"),
    "identity": Preset("identity", "identity"),
    "gated": _gated(*PAPER_GATE),  # the paper's B_Gated
    "gated_gamma": _gated("learnable_sigmoid_gamma", "learnable_leaky_relu"),
    "gated_scalar": _gated(*PAPER_GATE, scalar=True),
    "gated_even": _gated(*PAPER_GATE, learned=False),
    "gated_bf16": _gated(*PAPER_GATE, dtype=torch.bfloat16),  # as the paper's code trains g
    "gated_plus2": _gated(*PAPER_GATE, mean=2.0),  # starts as .88 sigmoid
    "gated_minus2": _gated(*PAPER_GATE, mean=-2.0),  # starts as .12 sigmoid
    "gated_random": _gated(*PAPER_GATE, spread=1.0),  # starts as .27 to .73 sigmoid, mostly
    "gated_apart": _gated("learnable_sigmoid", "abs"),  # candidates that are not both monotonic
    "mixture4": _mixture(scalar=True),
    "mixture4_channel": _mixture(),
}
"""Heads by name. Your own is one new entry, and is then trained and saved like the others."""


def find_preset(name: str) -> Preset:
    """The entry of `PRESETS` called `name`.

    Raises:
        UserError: there is none; the message lists those there are.
    """
    if name not in PRESETS:
        raise unknown("head", name, list(PRESETS))
    return PRESETS[name]


class MLPHead(nn.Module):
    """Linear(d, 512) - act1 - Linear(512, 512) - act2 - Linear(512, 1), PyTorch's default init.

    No normalisation, dropout or output activation, as in the code of arXiv:2509.17374. The linear
    layers are drawn before the activations, so under one torch seed every head starts from the
    same linear layers and heads can be compared in pairs.

    Args:
        in_features: d, the size of a feature.
        act1: the first activation, a name in `CANDIDATES` or a factory `channels -> nn.Module`.
        act2: the second, in the same way.
        hidden: size of both hidden layers.

    >>> import torch
    >>> from iqa.heads import Elementwise
    >>> head = MLPHead(1152, "tanh", lambda channels: Elementwise(torch.sin))
    >>> head(torch.zeros(7, 1152)).shape
    torch.Size([7])
    """

    def __init__(
        self, in_features: int, act1: Candidate, act2: Candidate, hidden: int = HIDDEN
    ) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_features, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 1)
        self.act1 = make_activation(act1, hidden)
        self.act2 = make_activation(act2, hidden)

    @classmethod
    def from_preset(cls, name: str, in_features: int, hidden: int = HIDDEN) -> "MLPHead":
        """The head `PRESETS[name]` for features of size `in_features`.

        Raises:
            UserError: `PRESETS` has no such name.

        >>> sum(p.numel() for p in MLPHead.from_preset("gated", 1152).parameters())
        856065
        """
        preset = find_preset(name)
        return cls(in_features, preset.act1, preset.act2, hidden)

    def forward(self, features: Tensor) -> Tensor:
        """Scores (N,) of features (N, d)."""
        return self.fc3(self.embed(features)).squeeze(-1)

    def embed(self, features: Tensor) -> Tensor:
        """The second hidden layer after its activation, (N, hidden), as t-SNE shows it."""
        return self.act2(self.fc2(self.act1(self.fc1(features))))

    def gates(self) -> dict[str, ActivationGate]:
        """The learnable gates of this head by the layer they stand on: "act1", "act2" or none."""
        layers = {"act1": self.act1, "act2": self.act2}
        return {name: act for name, act in layers.items() if isinstance(act, ActivationGate)}

    def harden(self) -> "MLPHead":
        """A copy in which each gate keeps the preferred candidate of each channel only."""
        copy = deepcopy(self)
        for name, gate in copy.gates().items():
            setattr(copy, name, gate.harden())
        return copy
