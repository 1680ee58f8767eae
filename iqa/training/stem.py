"""Fine-tuning above a frozen stem, whose output is computed once.

The first layers of a convolutional network take most of the time and change least. With them
frozen, each image and its mirror image pass through them once, and every epoch starts from what
came out: large images at a fraction of the cost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from iqa.backbones import Backbone
from iqa.backbones.encoding import Encoding
from iqa.backbones.levels import Levels
from iqa.errors import UserError
from iqa.features.engine import fastest_engine
from iqa.features.extraction import encode
from iqa.training.examples import Augmentation


class _Stem(nn.Module):
    """Images (N, 3, S, S) in [0, 1], or their mirror images, to the stem's output in a row each."""

    def __init__(self, backbone: Backbone, mirrored: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.stem = _levels(backbone).stem
        self.mirrored = mirrored

    def forward(self, images: Tensor) -> Tensor:
        images = images.flip(3) if self.mirrored else images
        return self.stem((images - self.backbone.mean) / self.backbone.std).flatten(1)


def _levels(backbone: Backbone) -> Levels:
    if not isinstance(backbone.body, Levels):
        raise UserError(
            f"backbone {backbone.spec.name!r} has no stem to leave frozen: choose one whose name "
            "ends in /levels, or train without"
        )
    return backbone.body


class AboveStem(Backbone):
    """The layers of a `/levels` backbone above its stem; they are its own, not copies.

    Args:
        backbone: trained when this is trained.

    Raises:
        UserError: it has no stem.
    """

    def __init__(self, backbone: Backbone) -> None:
        levels = _levels(backbone)
        above = Levels(nn.Identity(), levels.middle, levels.last)
        super().__init__(backbone.spec, above, backbone.untrained, backbone.pooling)

    def encode(self, images: Tensor) -> Encoding:
        """The encoding of what the stem gave, (N, C, h, w)."""
        return Encoding(self.body(images))


@dataclass(frozen=True)
class StemMaps:
    """What a stem makes of images, with their targets: `Examples` for `fine_tune`.

    Attributes:
        maps: (2, N, C, h, w) float16, of the images and of their mirror images.
        targets: (N,), in [0, 1], higher is better.
        stride: pixels of the image per place of a map.
        augmentation: crops are cut at multiples of `stride`; None shows the whole image.
    """

    maps: np.ndarray
    targets: Tensor
    stride: int
    augmentation: Augmentation | None = None

    def __len__(self) -> int:
        """The number of images."""
        return len(self.targets)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        """Map (C, h, w) and target of one image."""
        seen = self.maps[0, position]
        if self.augmentation is not None:
            view = self.augmentation.draw(position, *seen.shape[1:])
            # A mirrored cut is a cut of the mirror image, at another place: a draw like any other.
            seen = self.maps[int(view.mirrored), position][:, view.rows, view.columns]
        return torch.from_numpy(seen.astype(np.float32)), self.targets[position]

    def take(self, rows: Sequence[int] | np.ndarray) -> "StemMaps":
        """Those at `rows` alone."""
        return replace(self, maps=self.maps[:, rows], targets=self.targets[rows])

    def augmented(self, augmentation: Augmentation) -> "StemMaps":
        """The same, cropped and flipped.

        Raises:
            UserError: the crop is larger than the images.
        """
        side = self.maps.shape[-1]
        crop = augmentation.crop and augmentation.crop // self.stride
        if crop is not None and not 1 <= crop <= side:
            raise UserError(
                f"images: crop={augmentation.crop} does not fit: choose {self.stride} to "
                f"{side * self.stride} pixels"
            )
        return replace(self, augmentation=replace(augmentation, crop=crop))

    def described(self) -> Iterator[str | bytes]:
        """The maps themselves and the targets."""
        yield from (np.ascontiguousarray(self.maps).tobytes(), repr(self.targets.tolist()))


def stem_maps(
    backbone: Backbone, paths: Sequence[str], targets: ArrayLike, input_size: int
) -> StemMaps:
    """Run the stem of a `/levels` backbone over images and their mirror images.

    They are held in memory: 0.33 MB an image at 512 px.

    Args:
        backbone: its stem is not changed by training what `AboveStem` gives.
        paths: N image files.
        targets: (N,), in [0, 1].
        input_size: side of the square that images are resized to, in pixels.

    Raises:
        UserError: an image cannot be read, or the backbone has no stem.
    """
    with torch.no_grad():
        shape = _levels(backbone).stem(torch.zeros(1, 3, input_size, input_size)).shape[1:]
    both = []
    for mirrored in (False, True):
        engine = fastest_engine(_Stem(backbone, mirrored), input_size)
        rows = encode(paths, engine, input_size)
        both.append(np.stack([row.astype(np.float16).reshape(shape) for row in rows]))
    known = torch.from_numpy(np.asarray(targets, dtype=np.float32))
    return StemMaps(np.stack(both), known, input_size // shape[-1])
