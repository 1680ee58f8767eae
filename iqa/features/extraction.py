"""The features of a dataset: computed once, then read from the cache."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from typing import Protocol

import numpy as np
import pandas as pd

from iqa.backbones import Weights, check_input_size, check_pooling, find, weights_id
from iqa.errors import UserError
from iqa.features.cache import through_cache
from iqa.features.squares import read_ahead
from iqa.files import fingerprint

# Images per call of the engine: enough to fill a GPU, 25 MB at 512 px.
BATCH = 32
# Raised when the same images would give other features than before: a new way to read or resize.
VERSION = "1"


class Images(Protocol):
    """What features are computed of: any dataset."""

    @property
    def table(self) -> pd.DataFrame:
        """One row per image, with the columns `id` (unique) and `path`."""

    @property
    def images_fingerprint(self) -> str:
        """Changes whenever the images do; not with their scores or groups."""


@dataclass(frozen=True)
class Features:
    """The features of a dataset's images.

    Attributes:
        ids: The images, in the order of the dataset's table.
        values: float32 (N, D), a row per image.
        key: Names what they were computed from; the cache's folder is called so.
    """

    ids: tuple[str, ...]
    values: np.ndarray
    key: str


@dataclass(frozen=True)
class _Job:
    """All that the values depend on, names resolved."""

    backbone: str
    weights: Weights
    weights_id: str
    input_size: int
    pooling: str

    def key(self, dataset: Images) -> str:
        about = (self.backbone, self.weights_id, str(self.input_size), self.pooling)
        return fingerprint(VERSION, dataset.images_fingerprint, *about, *dataset.table["id"])


def extract(
    dataset: Images,
    backbone: str,
    input_size: int | None = None,
    pooling: str | None = None,
    weights: Weights = "pretrained",
    progress: bool = False,
) -> Features:
    """Compute the features of every image of `dataset`, or read them from the cache.

    They are kept under `cache_root()/features/<key>/` in shards of 128 images, so a run that was
    cut goes on with the first unfinished shard; a damaged shard is reported and computed again. A
    complete cache is read without the backbone, its weights or PyTorch. One image's features do
    not depend on which others are computed with it.

    Args:
        dataset: Has a `table` with columns `id` and `path`, and an `images_fingerprint`.
        backbone: A key of `iqa.backbones.REGISTRY`.
        input_size: Side of the square that images are resized to, in pixels; None takes the size
            the backbone was trained on.
        pooling: A key of `iqa.backbones.POOLINGS`; None takes the backbone's own.
        weights: `"pretrained"`, or `"none"` for an untrained backbone (seed 0).
        progress: Whether to show a progress bar.

    Raises:
        UserError: An unknown name, missing weights, or an image that cannot be read; its shard is
            not written, earlier ones stay.
    """
    spec = find(backbone)
    job = _Job(
        backbone,
        weights,
        weights_id(backbone, weights),
        check_input_size(spec, spec.input_size if input_size is None else input_size),
        check_pooling(spec, pooling),
    )
    if dataset.table.empty:
        raise UserError("features of an empty dataset: it has no images; check its table")
    key = job.key(dataset)
    about = {name: str(value) for name, value in asdict(job).items()}
    values = through_cache(
        dataset.table, key, about, partial(_computed, job), f"features {backbone}", progress
    )
    return Features(tuple(dataset.table["id"]), values, key)


def _computed(job: _Job, paths: Sequence[str]) -> Iterator[np.ndarray]:
    # Imported here because it imports torch, which a complete cache does without.
    from iqa.backbones import load
    from iqa.features.engine import fastest_engine

    engine = fastest_engine(load(job.backbone, job.weights, job.pooling), job.input_size)
    return encode(paths, engine, job.input_size)


def encode(
    paths: Iterable[str], engine: Callable[[np.ndarray], np.ndarray], input_size: int
) -> Iterator[np.ndarray]:
    """Give the feature (D,) of each image file, in order; files are read ahead by threads.

    Args:
        paths: Image files of any size and mode.
        engine: As `fastest_engine` makes it.
        input_size: Side of the square that images are resized to, in pixels.

    Raises:
        UserError: An image cannot be read.
    """
    images = read_ahead(paths, input_size, threads=os.cpu_count() or 1, ahead=2 * BATCH)
    while batch := list(islice(images, BATCH)):
        yield from engine(np.stack(batch))
