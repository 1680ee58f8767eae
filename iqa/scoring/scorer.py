"""Scores of images by one model: many or few, from files or from memory."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from iqa.errors import UserError
from iqa.features.openvino_cpu import Precision
from iqa.images import MAX_PIXELS
from iqa.scoring.conversions import open_engine
from iqa.scoring.openers import open_model
from iqa.scoring.sources import Named, each, named, square_of
from iqa.threads import in_order

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

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
        model: Whose score it is; says "untrained" where its parameters are random, and "bf16"
            where that was the precision.
        better_than: The percentage of the model's reference photographs whose scores are lower
            (`iqa.models.Reference`); None where there is no score or the model has none.
    """

    path: str
    score: float | None
    error: str | None
    model: str
    better_than: int | None = None


class Scorer:
    """Scores images with a model.

    On CPUs the network runs in OpenVINO, on CUDA in PyTorch (`iqa.features.engine`). On a CPU the
    score of an image does not depend on the others it is scored with. Threads may share a scorer;
    a forked process may use its parent's; pickled, it is the model's name, opened again elsewhere.

    Args:
        model: The name of a model that comes with iqa, such as "lite0-photographs", which None
            stands for. Or "PATH.safetensors", a file that `iqa.models.save_model` wrote. Or
            "zero-shot:MODEL" with open_clip's name of a model, such as
            "zero-shot:ViT-B-32/openai". Or "authors:FOLDER" with a checkpoint of the paper's
            authors.
        max_pixels: Refuse images of more; a JPEG that is far larger than the model's input is
            decoded at a reduced size, which is what counts.
        precision: "bf16" computes in bfloat16, on a CPU with units for it: faster, and scores
            differ a little from those of "f32".

    Attributes:
        info: What the model is: its name, its scale, whose ratings it learned.
        title: What a row calls the model.

    Raises:
        UserError: There is no such model, it cannot be read, or this machine has no such precision.

    Example:
        ``Scorer().score(["a.jpg", "b.png"])``
    """

    def __init__(
        self,
        model: str | Path | None = None,
        max_pixels: int = MAX_PIXELS,
        precision: Precision = "f32",
    ) -> None:
        self.max_pixels = max_pixels
        self._precision = precision
        is_file = model is not None and str(model).endswith(".safetensors")
        self._name = Path(str(model)).absolute() if is_file else model
        self._engine, self.info = open_engine(self._name, precision)
        notes = ["untrained"] * self.info.untrained + [precision] * (precision != "f32")
        self.title = self.info.name + (f" ({', '.join(notes)})" if notes else "")

    @cached_property
    def model(self) -> "nn.Module":
        """The network, in PyTorch: images (N, 3, H, W) to outputs; scoring does without."""
        return open_model(self._name)[0]

    def __reduce__(self) -> tuple[type["Scorer"], tuple[Any, ...]]:
        return type(self), (self._name, self.max_pixels, self._precision)

    def score(self, images: Any) -> "pd.DataFrame":
        """Score `images`: a table whose columns are the attributes of `Row`.

        An image that cannot be read has a row with its error and no score, and so has what is no
        image.

        Args:
            images: One or many of these: a path; a folder, for the images below it; the bytes of a
                file; an open binary file; an image of Pillow's; an array, or a tensor of
                PyTorch's. An array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); a tensor is
                (H, W), (1, H, W), (3, H, W) or (4, H, W): grey, RGB or RGBA. A batch has four
                dimensions, the images first. Values are uint8 from 0 to 255, uint16 from 0 to
                65535, or floats from 0 to 1.
        """
        import pandas as pd  # the command line does without, and it takes half a second

        rows = list(self.stream(each(images)))
        # As objects: of a missing text pandas would make NaN.
        table = {
            field.name: pd.Series([getattr(row, field.name) for row in rows], dtype=object)
            for field in fields(Row)
        }
        return pd.DataFrame(table).astype({"score": float, "better_than": "Int64"})

    def stream(self, images: Iterable[Any]) -> Iterator[Row]:
        """Give a row for each of `images`, in order, while later ones are being decoded.

        At most `AHEAD` + `BATCH` images are held, however many there are.

        Args:
            images: Of the kinds that `score` takes, but no folders and no batches.
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
                score, known = float(str(next(scores))), self.info.reference
                better_than = known.better_than(score) if known else None
                yield Row(name, score, None, self.title, better_than)
