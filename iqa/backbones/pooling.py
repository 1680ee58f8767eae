"""From a backbone's encoding to one feature vector per image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from iqa.backbones.encoding import Encoding
from iqa.backbones.spec import BackboneSpec
from iqa.errors import UserError, unknown

if TYPE_CHECKING:
    from torch import Tensor


def mean(encoding: Encoding) -> Tensor:
    """Mean over the patches: (N, C)."""
    return encoding.patches.mean((2, 3))


def std(encoding: Encoding) -> Tensor:
    """Population standard deviation over the patches, at least 1e-6: (N, C)."""
    # The floor keeps the gradient finite where a channel is constant: sqrt has none at 0.
    return encoding.patches.var((2, 3), correction=0).clamp_min(1e-12).sqrt()


def mean_std(encoding: Encoding) -> Tensor:
    """Means, then standard deviations, over the patches: (N, 2C)."""
    import torch

    return torch.cat([mean(encoding), std(encoding)], dim=1)


def maximum(encoding: Encoding) -> Tensor:
    """Maximum over the patches: (N, C)."""
    return encoding.patches.amax((2, 3))


def tokens(encoding: Encoding) -> Tensor:
    """Mean over all tokens, those of the class and the registers among them: (N, C)."""
    assert encoding.prefix is not None
    patches = encoding.patches.sum((2, 3))
    count = encoding.patches[0, 0].numel() + encoding.prefix.shape[1]
    return (patches + encoding.prefix.sum(1)) / count


def cls(encoding: Encoding) -> Tensor:
    """The class token: (N, C)."""
    assert encoding.prefix is not None
    return encoding.prefix[:, 0]


def own(encoding: Encoding) -> Tensor:
    """What the model itself pools to, by parameters of its own: (N, D)."""
    assert encoding.own is not None
    return encoding.own


POOLINGS: dict[str, Callable[[Encoding], Tensor]] = {
    "mean": mean,
    "std": std,
    "mean+std": mean_std,
    "max": maximum,
    "tokens": tokens,
    "cls": cls,
    "map": own,  # multi-head attention pooling
    "projection": own,  # the normalised class token, projected to where texts are compared
}


def poolings(spec: BackboneSpec) -> dict[str, int]:
    """The poolings that `spec` has, and D, the length of its feature, of each."""
    dims = dict.fromkeys(("mean", "std", "max"), spec.dim) | {"mean+std": 2 * spec.dim}
    if spec.prefix:
        dims |= {"tokens": spec.dim, "cls": spec.dim}
    if spec.own_pooling:
        dims[spec.own_pooling] = spec.own_dim
    return dims


def check_pooling(spec: BackboneSpec, name: str | None) -> str:
    """Give `name` back when it is a pooling of `spec`; the backbone's own choice for None.

    Raises:
        UserError: There is no such pooling, or this backbone does not have what it reads.
    """
    if name is None:
        return spec.pooling
    if name not in POOLINGS:
        raise unknown("pooling", name, list(POOLINGS))
    if name not in poolings(spec):
        raise UserError(
            f"backbone {spec.name!r} has no pooling {name!r}: "
            f"choose one of {', '.join(poolings(spec))}"
        )
    return name


def feature_dim(spec: BackboneSpec, pooling: str | None = None) -> int:
    """D, the length of the feature of `spec` by `pooling` (None: its own choice).

    Raises:
        UserError: As `check_pooling`.
    """
    return poolings(spec)[check_pooling(spec, pooling)]
