"""The learnable gate: a blend of candidate activations, weighed per channel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from iqa.errors import UserError
from iqa.heads.activations import Candidate, make_activation


class ActivationGate(nn.Module):
    """h = sum_k w_k * candidate_k(u), the weights independent of the input.

    Two candidates share one logit g: w = (sigma(g), 1 - sigma(g)). More have one logit each:
    w = softmax(g) over the candidates. The gate of arXiv:2509.17374, as its authors' code has it,
    is `ActivationGate(512, ["learnable_sigmoid", "learnable_leaky_relu"])` with g0 = 0.

    Args:
        channels: size of the last dimension of the input.
        candidates: two or more, each a name in `CANDIDATES` or a factory `channels -> nn.Module`.
        scalar: one weight for all channels in place of one per channel.
        mean: mean of the initial logits.
        spread: standard deviation of the initial logits.
        learned: False keeps the logits where they start, as a buffer.
        dtype: of the logits. An optimiser updates them in this type too, so in bfloat16 small
            steps are rounded away; candidates and blend are computed in the type of the input.

    Raises:
        UserError: fewer than two candidates, or an unknown name.

    >>> from iqa.heads import Elementwise
    >>> gate = ActivationGate(3, ["relu", lambda channels: Elementwise(torch.sin)])
    >>> gate(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    >>> gate.weights()[0]
    tensor([0.5000, 0.5000, 0.5000], grad_fn=<SelectBackward0>)
    """

    g: Tensor

    def __init__(
        self,
        channels: int,
        candidates: Sequence[Candidate],
        scalar: bool = False,
        mean: float = 0.0,
        spread: float = 0.0,
        learned: bool = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if len(candidates) < 2:
            raise UserError(f"gate: {len(candidates)} candidate(s) given, expected two or more")
        self.channels = channels
        self.names = tuple(_name(candidate) for candidate in candidates)
        self.candidates = nn.ModuleList(make_activation(c, channels) for c in candidates)
        width = 1 if scalar else channels
        shape = (width,) if len(candidates) == 2 else (len(candidates), width)
        g = (mean + spread * torch.randn(shape)).to(dtype)
        if learned:
            self.g = nn.Parameter(g)
        else:
            self.register_buffer("g", g)

    def forward(self, u: Tensor) -> Tensor:
        """Map (..., channels) to the same shape."""
        weights = gate_weights(self.g.to(u.dtype), len(self.candidates))
        first, *rest = (w * act(u) for w, act in zip(weights, self.candidates, strict=True))
        return sum(rest, start=first)

    def weights(self) -> Tensor:
        """The weights now, (n_candidates, channels): in [0, 1], each column sums to 1."""
        weights = gate_weights(self.g.float(), len(self.candidates))
        return weights.expand(len(self.candidates), self.channels)

    def preferred(self) -> Tensor:
        """The index of the candidate with the largest weight per channel, (channels,), int64.

        An exact tie goes to the candidate named first.
        """
        return self.weights().argmax(dim=0)

    def harden(self) -> "HardGate":
        """This gate with weight 1 on each channel's preferred candidate and 0 on the others."""
        return HardGate(self)


class HardGate(nn.Module):
    """What an `ActivationGate` becomes when each channel keeps its preferred candidate only.

    The candidates are the soft gate's own (with what they have learned), those that no channel
    prefers left out.
    """

    choice: Tensor

    def __init__(self, gate: ActivationGate) -> None:
        super().__init__()
        used, choice = gate.preferred().unique(return_inverse=True)
        self.names = tuple(gate.names[k] for k in used)
        self.candidates = nn.ModuleList(gate.candidates[k] for k in used)
        self.register_buffer("choice", choice)

    def forward(self, u: Tensor) -> Tensor:
        """Map (..., channels) to the same shape."""
        outputs = torch.stack([candidate(u) for candidate in self.candidates])
        return outputs.gather(0, self.choice.expand(u.shape)[None])[0]


def gate_weights(g: Tensor, n_candidates: int) -> Tensor:
    """Weights (n, channels or 1) from logits: the sigmoid of one row for n = 2, else the softmax.

    >>> gate_weights(torch.zeros(1), 2)
    tensor([[0.5000],
            [0.5000]])
    """
    if n_candidates == 2:
        w = torch.sigmoid(g)
        return torch.stack([w, 1 - w])
    return torch.softmax(g, dim=0)


def _name(candidate: Candidate) -> str:
    return candidate if isinstance(candidate, str) else getattr(candidate, "__name__", "own")
