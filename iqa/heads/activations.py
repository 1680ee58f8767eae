"""Candidate activations: what a head applies to a hidden layer, or what a gate chooses from.

A candidate is made by a factory `channels -> nn.Module`; the module maps (..., channels) to the
same shape. `CANDIDATES` names the ready-made factories; your own goes wherever a name does.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from iqa.errors import unknown

Factory = Callable[[int], nn.Module]
Candidate = str | Factory
"""A name in `CANDIDATES`, or a factory `channels -> nn.Module`."""

CLAMP = 20.0
"""Bound on the argument of the learnable sigmoid, beyond which its slope is below 3e-9."""


class Elementwise(nn.Module):
    """A function of one tensor as a module without parameters.

    >>> Elementwise(torch.sin)(torch.zeros(2))
    tensor([0., 0.])
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, u: Tensor) -> Tensor:
        """Apply the function to `u` of any shape."""
        return self.function(u)

    def extra_repr(self) -> str:
        """The function's name: what a model computes cannot be told from its parameters alone."""
        return getattr(self.function, "__qualname__", repr(self.function))


class LearnableSigmoid(nn.Module):
    """gamma * sigma(clamp(alpha u + beta, -20, 20)), one alpha, beta (and gamma) per channel.

    Source: the code of arXiv:2509.17374 (github.com/drkkgy/NR_IQA_AGM): alpha0 = 1, beta0 = 0;
    its variant with an amplitude has gamma0 = 2.

    Args:
        channels: size of the last dimension.
        gamma: initial amplitude; None for an amplitude fixed at 1, without a parameter.
    """

    def __init__(self, channels: int, gamma: float | None = None) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.gamma = None if gamma is None else nn.Parameter(torch.full((channels,), gamma))

    def forward(self, u: Tensor) -> Tensor:
        """Map (..., channels) to the same shape, range (0, gamma)."""
        h = torch.sigmoid((self.alpha * u + self.beta).clamp(-CLAMP, CLAMP))
        return h if self.gamma is None else self.gamma * h


class LearnableLeakyReLU(nn.Module):
    """u where u >= 0, a u elsewhere, one slope a per channel (PReLU: He et al., ICCV 2015).

    Args:
        channels: size of the last dimension.
        a: initial slope; 0.25 in PReLU and in the authors' code.
    """

    def __init__(self, channels: int, a: float = 0.25) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.full((channels,), a))

    def forward(self, u: Tensor) -> Tensor:
        """Map (..., channels) to the same shape."""
        return torch.where(u >= 0, u, self.a * u)


def scaled_sigmoid(u: Tensor, s: float = 2.0) -> Tensor:
    """The sigmoid stretched both ways, s * sigma(u / s): range (0, s), slope 1/4 at 0.

    Source: the authors' code.

    >>> scaled_sigmoid(torch.tensor(0.0))
    tensor(1.)
    """
    return s * torch.sigmoid(u / s)


def _fixed(function: Callable[[Tensor], Tensor]) -> Factory:
    return lambda channels: Elementwise(function)


CANDIDATES: dict[str, Factory] = {
    "relu": _fixed(F.relu),
    "leaky_relu": _fixed(F.leaky_relu),
    "gelu": _fixed(F.gelu),
    "silu": _fixed(F.silu),
    "tanh": _fixed(torch.tanh),
    "sigmoid": _fixed(torch.sigmoid),
    "abs": _fixed(torch.abs),
    "identity": lambda channels: nn.Identity(),
    "scaled_sigmoid": _fixed(scaled_sigmoid),
    "learnable_sigmoid": LearnableSigmoid,
    "learnable_sigmoid_gamma": lambda channels: LearnableSigmoid(channels, gamma=2.0),
    "learnable_leaky_relu": LearnableLeakyReLU,
}
"""Candidate activations by name; the leaky ReLU's fixed slope is 0.01."""


def make_activation(candidate: Candidate, channels: int) -> nn.Module:
    """The module of a candidate, for a layer of `channels`.

    Raises:
        UserError: `candidate` is a name that `CANDIDATES` does not hold.

    >>> make_activation("tanh", 4)(torch.zeros(2))
    tensor([0., 0.])
    >>> own = make_activation(lambda channels: Elementwise(torch.cos), 4)
    >>> own(torch.zeros(2))
    tensor([1., 1.])
    """
    if not isinstance(candidate, str):
        return candidate(channels)
    if candidate not in CANDIDATES:
        raise unknown("activation", candidate, sorted(CANDIDATES))
    return CANDIDATES[candidate](channels)
