"""Several sets of examples learned as one."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from iqa.training.examples import Augmentation, Examples


@dataclass(frozen=True)
class Joined:
    """`parts` one after another, as `Examples` for `fine_tune`: a batch may hold some of each.

    A ranking objective compares all images of a batch, so the targets must be on one scale.

    >>> from iqa.training import StemMaps
    >>> import numpy as np
    >>> few = StemMaps(np.zeros((2, 3, 8, 4, 4), np.float16), torch.ones(3), stride=16)
    >>> len(Joined((few, few)))
    6
    """

    parts: tuple[Examples, ...]

    @property
    def targets(self) -> Tensor:
        """(N,) float32, of all parts."""
        return torch.cat([part.targets for part in self.parts])

    def __len__(self) -> int:
        """The number of pairs."""
        return sum(map(len, self.parts))

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        """The pair at `position`: (C, H, W) float32, and a scalar."""
        ends = list(accumulate(map(len, self.parts)))
        part = bisect_right(ends, position)
        return self.parts[part][position - (ends[part - 1] if part else 0)]

    def augmented(self, augmentation: Augmentation) -> "Joined":
        """The same, seen as one epoch of training sees them; raises as the parts do."""
        return Joined(tuple(part.augmented(augmentation) for part in self.parts))

    def described(self) -> Iterator[str | bytes]:
        """What the parts are, in their order."""
        for part in self.parts:
            yield from part.described()
