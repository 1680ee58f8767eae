"""Which process trains on which images in which step."""

from dataclasses import dataclass

import numpy as np

from iqa.training.adaptation import FineTuning


@dataclass(frozen=True)
class Batch:
    """The images of one forward pass.

    Attributes:
        positions: of the images in the training set; one at least.
        counted: how many of them count: all, or none where a process has no share in a step.
        weight: of their mean loss in the step's: the part of the step's images that they are.
    """

    positions: list[int]
    counted: int
    weight: float


def window_of(config: FineTuning, world: int) -> int:
    """The images of a whole step, over the accumulated batches of all `world` processes."""
    return config.batch_size * config.accumulation * world


def count_steps(n: int, config: FineTuning, world: int) -> int:
    """The steps of an epoch over `n` images, the last one perhaps incomplete."""
    return -(-n // window_of(config, world))


def plan(n: int, config: FineTuning, epoch: int, rank: int, world: int) -> list[list[Batch]]:
    """What process `rank` of `world` does in an epoch over `n` images: the batches of each step.

    All processes shuffle alike and share the images of a step out, so that each counts once.
    """
    order = np.random.default_rng([config.seed, epoch]).permutation(n)
    window = window_of(config, world)
    steps = [order[start : start + window] for start in range(0, n, window)]
    return [_share(step, config.batch_size, rank, world) for step in steps]


def _share(step: np.ndarray, size: int, rank: int, world: int) -> list[Batch]:
    share = np.array_split(step, world)[rank].tolist()
    if not share:
        # Every process has to take part in every step: here with an image that does not count.
        return [Batch([int(step[0])], 0, 0.0)]
    parts = [share[start : start + size] for start in range(0, len(share), size)]
    return [Batch(part, len(part), len(part) / len(step)) for part in parts]
