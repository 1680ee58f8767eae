"""Compression: encoded and decoded again by Pillow."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from iqa.datasets.distortions.conversion import from_bytes, to_bytes
from iqa.images import read_rgb


def jpeg(image: np.ndarray, quality: float, rng: Generator) -> np.ndarray:
    """JPEG at `quality` of libjpeg's scale from 1 to 95."""
    return _round_trip(image, "JPEG", quality=int(quality))


def jpeg2000(image: np.ndarray, ratio: float, rng: Generator) -> np.ndarray:
    """JPEG 2000 at a compression ratio of `ratio` to 1 against the raw pixels."""
    return _round_trip(
        image, "JPEG2000", quality_mode="rates", quality_layers=[ratio], irreversible=True
    )


def _round_trip(image: np.ndarray, codec: str, **options: Any) -> np.ndarray:
    encoded = BytesIO()
    Image.fromarray(to_bytes(image)).save(encoded, codec, **options)
    return from_bytes(read_rgb(encoded))
