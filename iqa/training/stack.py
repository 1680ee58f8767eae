"""Many MLP heads as one: their layers stacked, so that one matrix product serves them all."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from iqa.heads import ActivationGate, MLPHead

ROWS = 1024
"""Images that `HeadStack.predict` scores at once, which bounds its memory."""


class HeadStack:
    """P presets x S seeds of `MLPHead`, each independent of the others.

    Nothing is reduced over heads, and Adam works element by element, so training the stack on
    the sum of the heads' losses trains each head as if it were alone.

    Args:
        heads: the heads to stack, [preset][seed]; a preset's activations are applied with
            `torch.func.vmap`, so they may hold parameters but no data-dependent Python branch.
        device: where the stack lives.
    """

    def __init__(self, heads: Sequence[Sequence[MLPHead]], device: str) -> None:
        self.shape = len(heads), len(heads[0])
        flat = [head for row in heads for head in row]
        # Weights as (P*S, in, out), transposed from nn.Linear: their gradients then leave the
        # batched product in the weight's own layout, which spares a strided copy at every step.
        self.linear = {
            name: _leaf(torch.stack([head.get_parameter(name).T for head in flat]), device)
            for name in ("fc1.weight", "fc2.weight", "fc3.weight")
        } | {
            name: _leaf(torch.stack([head.get_parameter(name)[None] for head in flat]), device)
            for name in ("fc1.bias", "fc2.bias", "fc3.bias")
        }
        self.act1 = [_StackedActivation([head.act1 for head in row], device) for row in heads]
        self.act2 = [_StackedActivation([head.act2 for head in row], device) for row in heads]

    def parameters(self) -> tuple[list[Tensor], list[Tensor]]:
        """All leaves that are trained: the logits of gates, and the others."""
        activations = self.act1 + self.act2
        logits = [act.params[name] for act in activations for name in act.logits]
        others = [p for act in activations for n, p in act.params.items() if n not in act.logits]
        return logits, [*self.linear.values(), *others]

    def __call__(self, features: Tensor) -> Tensor:
        """Scores (P, S, B) of features (S, B, D), a batch of its own for each seed."""
        h = self._activate(self.act1, self._product("fc1", features))
        h = self._activate(self.act2, self._product("fc2", h))
        return self._product("fc3", h).squeeze(-1)

    @torch.no_grad()
    def predict(self, features: Tensor) -> Tensor:
        """Scores (P, S, N) of features (N, D), the same for every seed."""
        parts = [self(rows.expand(self.shape[1], -1, -1)) for rows in features.split(ROWS)]
        return torch.cat(parts, dim=-1)

    def state(self, preset: int) -> dict[str, Tensor]:
        """The state dicts of one preset's heads, stacked over seeds: name -> (S, ...)."""
        linear = {
            name: p.detach().unflatten(0, self.shape)[preset] for name, p in self.linear.items()
        }
        state = {n: (p.mT if n.endswith("weight") else p[:, 0]) for n, p in linear.items()}
        for layer, act in (("act1", self.act1[preset]), ("act2", self.act2[preset])):
            state |= {f"{layer}.{n}": p.detach() for n, p in (act.params | act.buffers).items()}
        return state

    def _product(self, layer: str, x: Tensor) -> Tensor:
        """(S, B, in) or (P, S, B, in) -> (P, S, B, out)."""
        weight, bias = self.linear[f"{layer}.weight"], self.linear[f"{layer}.bias"]
        x = x.expand(*self.shape, *x.shape[-2:]).flatten(0, 1)
        return torch.baddbmm(bias, x, weight).unflatten(0, self.shape)

    def _activate(self, activations: "list[_StackedActivation]", u: Tensor) -> Tensor:
        return torch.stack([act(rows) for act, rows in zip(activations, u.unbind(), strict=True)])


class _StackedActivation:
    """One activation module per seed, (S, ...) parameters, mapping (S, B, H) to the same shape."""

    def __init__(self, modules: Sequence[nn.Module], device: str) -> None:
        params, buffers = stack_module_state(list(modules))
        self.params = {name: _leaf(p, device) for name, p in params.items()}
        self.buffers = {name: b.to(device) for name, b in buffers.items()}
        self.module = modules[0]
        gated = isinstance(self.module, ActivationGate) and "g" in self.params
        self.logits = ("g",) if gated else ()

    def __call__(self, u: Tensor) -> Tensor:
        def one(state: dict[str, Tensor], x: Tensor) -> Tensor:
            return functional_call(self.module, state, (x,))

        return vmap(one, randomness="different")(self.params | self.buffers, u)


def _leaf(values: Tensor, device: str) -> Tensor:
    return values.detach().to(device, copy=True).contiguous().requires_grad_()
