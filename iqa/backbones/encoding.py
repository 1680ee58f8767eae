"""What a backbone makes of images, before pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Encoding:
    """The last layer's output for a batch of images.

    Attributes:
        patches: (N, C, h, w), a vector for each place of the image.
        prefix: (N, P, C), the class token first, then the registers; None where there are none.
        own: (N, D), what the model itself pools its output to; None where it does not.
    """

    patches: Tensor
    prefix: Tensor | None = None
    own: Tensor | None = None


def as_map(tokens: Tensor, prefix: int, grid: tuple[int, int]) -> Tensor:
    """The patches' tokens laid out as in the image: (N, prefix + h w, C) -> (N, C, h, w).

    Args:
        tokens: those of the class and the registers first, then the patches' row by row.
        prefix: how many are not of patches.
        grid: (h, w), the patches in a column and in a row.
    """
    return tokens[:, prefix:].transpose(1, 2).unflatten(2, grid)


def from_tokens(
    tokens: Tensor, prefix: int, grid: tuple[int, int], own: Tensor | None = None
) -> Encoding:
    """The encoding that a transformer's output tokens (N, prefix + h w, C) make."""
    return Encoding(as_map(tokens, prefix, grid), tokens[:, :prefix] if prefix else None, own)
