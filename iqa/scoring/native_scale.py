"""A model whose outputs are scores."""

from torch import Tensor, nn


class NativeScale(nn.Module):
    """A model whose outputs are scores: low + (high - low) output, (N, 3, H, W) -> (N,).

    Args:
        model: (N, 3, H, W) RGB floats in [0, 1] to outputs (N,) or (N, 1).
        low: The score of an output of 0.
        high: The score of an output of 1.
    """

    def __init__(self, model: nn.Module, low: float, high: float) -> None:
        super().__init__()
        self.model = model
        self.low = low
        self.high = high

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) RGB floats in [0, 1] -> scores (N,)."""
        return self.low + (self.high - self.low) * self.model(images).reshape(-1)
