"""Image files as training examples: read, cropped and flipped the same way on every machine."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.utils.data import Dataset

from iqa.features.images import read_image


@dataclass(frozen=True)
class Augmentation:
    """Chance in training: a square cut out of each image, and its mirror image every other time.

    Attributes:
        crop: side of the square in pixels; None takes the whole image.
        flip: mirror left and right with probability one half.
        seed: of all draws.
        epoch: likewise; an image's draws depend on seed, epoch and its position alone.
    """

    crop: int | None
    flip: bool
    seed: int
    epoch: int

    def __call__(self, image: np.ndarray, position: int) -> np.ndarray:
        """The square of `image` (H, W, 3) that this epoch shows."""
        rng = np.random.default_rng([self.seed, self.epoch, position])
        if self.crop is not None:
            top, left = rng.integers(0, np.array(image.shape[:2]) - self.crop + 1)
            image = image[top : top + self.crop, left : left + self.crop]
        return image[:, ::-1] if self.flip and rng.random() < 0.5 else image


class ScoredImages(Dataset[tuple[Tensor, Tensor]]):
    """Images (3, S, S) in [0, 1] with their targets.

    Args:
        paths: image files.
        targets: one per file, in [0, 1], higher is better.
        input_size: S, side of the square that images are resized to, in pixels.
        augmentation: applied to the resized image; None leaves it whole.
    """

    def __init__(
        self,
        paths: Sequence[str],
        targets: ArrayLike,
        input_size: int,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.paths = list(paths)
        self.targets = torch.as_tensor(np.asarray(targets, dtype=np.float32))
        self.input_size = input_size
        self.augmentation = augmentation

    def __len__(self) -> int:
        """The number of images."""
        return len(self.paths)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        """Image and target; raises UserError as `iqa.features.images.read_image`."""
        image = read_image(self.paths[position], self.input_size)
        if self.augmentation is not None:
            image = self.augmentation(image, position)
        pixels = torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
        return pixels, self.targets[position]
