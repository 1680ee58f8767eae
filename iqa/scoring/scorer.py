"""Scores of images by one model: many or few, from files or from memory."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from iqa.errors import UserError
from iqa.features.engine import fastest_engine
from iqa.images import MAX_PIXELS
from iqa.scoring.openers import open_model
from iqa.scoring.sources import Named, each, named, square_of
from iqa.threads import in_order

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
        max_pixels: Refuse images of more; a JPEG that is far larger than the model's input is
            decoded at a reduced size, which is what counts.

    Attributes:
        info: What the model is: its name, its scale, whose ratings it learned.

    Raises:
        UserError: There is no such model, or it cannot be read.

    Example:
        ``Scorer().score(["a.jpg", "b.png"])``
    """

    def __init__(self, model: str | Path | None = None, max_pixels: int = MAX_PIXELS) -> None:
        self.max_pixels = max_pixels
        is_file = model is not None and str(model).endswith(".safetensors")
        self._name = Path(str(model)).absolute() if is_file else model
        self.model, self.info = open_model(self._name)
        self.title = f"{self.info.name} (untrained)" if self.info.untrained else self.info.name
        native = NativeScale(self.model, self.info.low, self.info.high)
        self._engine = fastest_engine(native, self.info.input_size)

    def __reduce__(self) -> tuple[type["Scorer"], tuple[Any, ...]]:
        return type(self), (self._name, self.max_pixels)

    def score(self, images: Any) -> pd.DataFrame:
        """Score `images`: a table with the columns `path`, `score`, `error` and `model`.

        An image that cannot be read has a row with its error and no score, and so has what is no
        image.

        Args:
            images: One or many of these: a path; a folder, for the images below it; the bytes of a
                file; an open binary file; an image of Pillow's; an array or a tensor, or a batch
                of them: uint8 from 0 to 255, uint16 from 0 to 65535 or floats from 0 to 1, in the
                shapes that `iqa.scoring.sources.square_of` lists.
        """
        rows = list(self.stream(each(images)))
        # As objects: of a missing text pandas would make NaN.
        table = {
            field.name: pd.Series([getattr(row, field.name) for row in rows], dtype=object)
            for field in fields(Row)
        }
        return pd.DataFrame(table).astype({"score": float})

    def stream(self, images: Iterable[Any]) -> Iterator[Row]:
        """Give a row for each of `images`, in order, while later ones are being decoded.

        At most `AHEAD` + `BATCH` images are held, however many there are.

        Args:
            images: As for `score`, but folders and batches.
        """
        threads = os.cpu_count() or 1
        decoded = in_order(self._read, named(images), threads, AHEAD)
        while batch := list(islice(decoded, BATCH)):
            yield from self._rows(batch)

    def _read(self, image: Named) -> tuple[str, np.ndarray | UserError]:
        """The name of an image, and its pixels or why there are none."""
        name, source = image
        try:
            return name, square_of(source, name, self.info.input_size, self.max_pixels)
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
