"""Scores of images by one model: many or few, from files or from memory."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from iqa.errors import UserError
from iqa.features.engine import fastest_engine
from iqa.features.images import in_order, square
from iqa.images import read_rgb, rgb
from iqa.scoring.openers import open_model

# A file, an image of Pillow's, or uint8 pixels: grey (H, W), RGB (H, W, 3) or RGBA (H, W, 4).
Source = str | Path | Image.Image | NDArray[np.uint8]

# Images per call of the engine, and how many are decoded in advance: 50 MB at 512 px.
BATCH = 32
AHEAD = 2 * BATCH


@dataclass(frozen=True)
class Row:
    """What became of one image.

    Attributes:
        path: The file, as it was given; "image 3" for the third one from memory.
        score: On the model's scale; None where there is an error.
        error: One line; None where there is a score.
        model: Whose score it is; says "untrained" where its parameters are random.
    """

    path: str
    score: float | None
    error: str | None
    model: str


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


class Scorer:
    """Scores images with a model.

    On CPUs the network runs in OpenVINO, on CUDA in PyTorch (`iqa.features.engine`). On a CPU the
    score of an image does not depend on the others it is scored with. Threads may share a scorer;
    a forked process may use its parent's; pickled, it is the model's name, opened again elsewhere.

    Args:
        model: As `iqa.scoring.open_model` takes it; None takes the model that comes with iqa.

    Attributes:
        info: What the model is: its name, its scale, whose ratings it learned.

    Raises:
        UserError: There is no such model, or it cannot be read.

    Example:
        ``Scorer().score(["a.jpg", "b.png"])``
    """

    def __init__(self, model: str | Path | None = None) -> None:
        is_file = model is not None and str(model).endswith(".safetensors")
        self._name = Path(str(model)).absolute() if is_file else model
        self.model, self.info = open_model(self._name)
        self.title = f"{self.info.name} (untrained)" if self.info.untrained else self.info.name
        native = NativeScale(self.model, self.info.low, self.info.high)
        self._engine = fastest_engine(native, self.info.input_size)

    def __reduce__(self) -> tuple[type["Scorer"], tuple[str | Path | None]]:
        return type(self), (self._name,)

    def score(self, images: Source | Iterable[Source]) -> pd.DataFrame:
        """Score `images`: a table with the columns `path`, `score`, `error` and `model`.

        An image that cannot be read has a row with its error and no score.
        """
        many: Iterable[Any] = [images] if _is_one(images) else images  # type: ignore[assignment]
        columns = [field.name for field in fields(Row)]
        return pd.DataFrame([asdict(row) for row in self.stream(many)], columns=columns)

    def stream(self, images: Iterable[Source]) -> Iterator[Row]:
        """Give a row for each of `images`, in order, while later ones are being decoded.

        At most `AHEAD` + `BATCH` images are held, however many there are.
        """
        threads = os.cpu_count() or 1
        decoded = in_order(self._read, enumerate(images, 1), threads, AHEAD)
        while batch := list(islice(decoded, BATCH)):
            yield from self._rows(batch)

    def _read(self, numbered: tuple[int, Source]) -> tuple[str, np.ndarray | UserError]:
        """The name of an image, and its pixels or why there are none."""
        number, source = numbered
        name = str(source) if isinstance(source, (str, Path)) else f"image {number}"
        try:
            return name, square(_rgb(source, name), self.info.input_size)
        except UserError as fault:
            return name, fault

    def _rows(self, batch: list[tuple[str, np.ndarray | UserError]]) -> Iterator[Row]:
        pixels = [found for _, found in batch if not isinstance(found, UserError)]
        scores: Iterator[Any] = iter(self._engine(np.stack(pixels)) if pixels else [])
        for name, found in batch:
            if isinstance(found, UserError):
                yield Row(name, None, str(found), self.title)
            else:
                # By way of text: the shortest decimal number that is this float32.
                yield Row(name, float(str(next(scores))), None, self.title)


def _is_one(images: Source | Iterable[Source]) -> bool:
    if isinstance(images, np.ndarray):
        return images.ndim in (2, 3)
    return isinstance(images, (str, Path, Image.Image))


def _rgb(source: Source, name: str) -> Image.Image:
    if isinstance(source, (str, Path)):
        return read_rgb(source)
    if isinstance(source, np.ndarray):
        layouts = {(), (1,), (3,), (4,)}
        if source.dtype != np.uint8 or source.ndim < 2 or source.shape[2:] not in layouts:
            raise UserError(
                f"{name}: an array of {source.dtype} {source.shape}; expected uint8 of shape "
                "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
            )
        source = Image.fromarray(source[..., 0] if source.shape[2:] == (1,) else source)
    return rgb(source, name)
