"""What head training reads: checked, standardised, and on the device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from iqa.errors import UserError

Indices = Sequence[int] | np.ndarray


@dataclass(frozen=True)
class TrainingData:
    """Standardised and scaled features (N, D) and targets (N,) of both parts, on the device.

    `mean` and `std` (D,) stay on the CPU: they belong to the result.
    """

    x_train: Tensor
    y_train: Tensor
    x_val: Tensor
    y_val: Tensor
    mean: Tensor
    std: Tensor


def prepare(
    features: ArrayLike,
    targets: ArrayLike,
    train: Indices,
    val: Indices,
    standardize: bool,
    device: str,
    scale: float = 1.0,
) -> TrainingData:
    """Check and standardise; the arguments are those of `train_heads`."""
    x = np.asarray(features, dtype=np.float32)
    y = np.asarray(targets, dtype=np.float32)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise UserError(
            f"training: features {x.shape} and targets {y.shape} do not fit; expected (N, D), (N,)"
        )
    for name, values in (("features", x), ("targets", y)):
        bad = ~np.isfinite(values).reshape(len(x), -1).all(axis=1)
        if bad.any():
            raise UserError(
                f"training: {name} of {bad.sum()} image(s) are not finite, the first at index "
                f"{bad.argmax()}; leave these images out or compute them again"
            )
    mean, std = np.zeros(x.shape[1]), np.ones(x.shape[1])
    if standardize:
        mean, std = x[train].mean(axis=0, dtype=float), x[train].std(axis=0, dtype=float)
        std[std == 0] = 1  # a feature that never varies becomes 0
    mean, std = mean.astype(np.float32), (std / scale).astype(np.float32)

    def on_device(values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, device=device)

    return TrainingData(
        x_train=on_device((x[train] - mean) / std),
        y_train=on_device(y[train]),
        x_val=on_device((x[val] - mean) / std),
        y_val=on_device(y[val]),
        mean=torch.as_tensor(mean),
        std=torch.as_tensor(std),
    )
