"""From a feature map (N, C, h, w) to one feature vector per image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from iqa.errors import unknown

if TYPE_CHECKING:
    from torch import Tensor


def mean(feature_map: Tensor) -> Tensor:
    """Mean over positions: (N, C, h, w) -> (N, C)."""
    return feature_map.mean((2, 3))


def std(feature_map: Tensor) -> Tensor:
    """Population standard deviation over positions, at least 1e-6: (N, C, h, w) -> (N, C)."""
    # The floor keeps the gradient finite where a channel is constant: sqrt has none at 0.
    return feature_map.var((2, 3), correction=0).clamp_min(1e-12).sqrt()


def mean_std(feature_map: Tensor) -> Tensor:
    """Means, then standard deviations, over positions: (N, C, h, w) -> (N, 2C)."""
    import torch

    return torch.cat([mean(feature_map), std(feature_map)], dim=1)


def maximum(feature_map: Tensor) -> Tensor:
    """Maximum over positions: (N, C, h, w) -> (N, C)."""
    return feature_map.amax((2, 3))


POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": mean,
    "std": std,
    "mean+std": mean_std,
    "max": maximum,
}


def check_pooling(name: str) -> str:
    """Give `name` back when it is a pooling.

    Raises:
        UserError: It is not; the message lists those that exist.
    """
    if name not in POOLINGS:
        raise unknown("pooling", name, list(POOLINGS))
    return name
