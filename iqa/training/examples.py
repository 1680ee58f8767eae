"""Image files as training examples: read, cropped and flipped the same way on every machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.utils.data import Dataset

from iqa.errors import UserError
from iqa.features.squares import read_image
from iqa.threads import in_order


@dataclass(frozen=True)
class Augmentation:
    """Chance in training: a square cut out of each image, and its mirror image every other time.

    Attributes:
        crop: side of the square in pixels; None takes the whole image.
        flip: mirror left and right with probability one half.
        seed: of all draws.
        epoch: of all draws, too; an image's draws depend on seed, epoch and its position alone.
    """

    crop: int | None
    flip: bool
    seed: int
    epoch: int

    def draw(self, position: int, height: int, width: int) -> "View":
        """What this epoch shows of the image at `position`, `height` by `width` pixels."""
        rng = np.random.default_rng([self.seed, self.epoch, position])
        rows, columns = slice(0, height), slice(0, width)
        if self.crop is not None:
            top, left = rng.integers(0, np.array([height, width]) - self.crop + 1)
            rows, columns = slice(top, top + self.crop), slice(left, left + self.crop)
        return View(rows, columns, self.flip and rng.random() < 0.5)


@dataclass(frozen=True)
class View:
    """A part of an image, to be mirrored left and right after it was cut out, or not."""

    rows: slice
    columns: slice
    mirrored: bool

    def of(self, image: np.ndarray) -> np.ndarray:
        """That part of `image` (H, W, C)."""
        part = image[self.rows, self.columns]
        return part[:, ::-1] if self.mirrored else part


class Examples(Protocol):
    """What a model is trained on or judged by: pairs of an input and its target."""

    @property
    def targets(self) -> Tensor:
        """(N,) float32."""

    def __len__(self) -> int:
        """The number of pairs."""

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        """The pair at `position`: (C, H, W) float32, and a scalar."""

    def augmented(self, augmentation: Augmentation) -> Self:
        """The same, seen as one epoch of training sees them."""

    def described(self) -> Iterator[str | bytes]:
        """What they are, in parts of a fingerprint."""


class ScoredImages(Dataset[tuple[Tensor, Tensor]]):
    """Images (3, S, S) in [0, 1] with their targets.

    Args:
        paths: image files.
        targets: one per file, in [0, 1], higher is better.
        input_size: S, side of the square that images are resized to, in pixels.
        augmentation: applied to the resized image; None leaves it whole.

    Raises:
        UserError: targets do not fit the files or are not finite; a crop larger than the images.
    """

    def __init__(
        self,
        paths: Sequence[str],
        targets: ArrayLike,
        input_size: int,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.paths = [str(path) for path in paths]
        self.targets = torch.from_numpy(np.asarray(targets).astype(np.float32))
        self.input_size = input_size
        self.augmentation = augmentation
        self._check()

    def _check(self) -> None:
        if self.targets.shape != (len(self.paths),):
            raise UserError(
                f"images: {len(self.paths)} files and targets {tuple(self.targets.shape)} do not "
                "fit; give one target for each file"
            )
        for path, target in zip(self.paths, self.targets.tolist(), strict=True):
            if not np.isfinite(target):
                raise UserError(f"{path}: its target is {target}; leave the image out or mend it")
        crop = self.augmentation.crop if self.augmentation else None
        if crop is not None and crop > self.input_size:
            raise UserError(
                f"images: crop={crop} is larger than they are ({self.input_size} px); choose a "
                "smaller crop or a larger input size"
            )

    def __len__(self) -> int:
        """The number of images."""
        return len(self.paths)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        """Image and target; raises UserError as `iqa.features.squares.read_image`."""
        image = read_image(self.paths[position], self.input_size)
        if self.augmentation is not None:
            image = self.augmentation.draw(position, *image.shape[:2]).of(image)
        # By NumPy: in a reading thread, PyTorch would start threads of its own for this.
        pixels = image.transpose(2, 0, 1).astype(np.float32, order="C")
        pixels /= 255
        return torch.from_numpy(pixels), self.targets[position]

    def augmented(self, augmentation: Augmentation) -> Self:
        """The same files, cropped and flipped; raises UserError for a crop that does not fit."""
        return type(self)(self.paths, self.targets, self.input_size, augmentation)

    def described(self) -> Iterator[str | bytes]:
        """Paths, targets and size: all but the pixels."""
        yield from (*self.paths, str(self.input_size), repr(self.targets.tolist()))


def read_batches(
    images: Examples, batches: Sequence[Sequence[int]], workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Images (B, C, H, W) and targets (B,) at the positions of each batch, in order.

    Threads read ahead of the caller, the next two batches at most: they need no shared memory, are
    there at once, and an error arrives as it was raised.

    Args:
        images: where from.
        batches: positions in `images`.
        workers: threads; 0 reads in the caller's.

    Raises:
        UserError: as `iqa.features.squares.read_image`, when the image's turn comes.
    """
    positions = chain.from_iterable(batches)
    ahead = 2 * max(map(len, batches), default=1)
    loaded = (
        in_order(images.__getitem__, positions, workers, ahead)
        if workers
        else map(images.__getitem__, positions)
    )
    for batch in batches:
        pixels, targets = zip(*islice(loaded, len(batch)), strict=True)
        yield torch.stack(pixels), torch.stack(targets)
