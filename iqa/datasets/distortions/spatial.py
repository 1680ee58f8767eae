"""Spatial: jitter, displaced patches, pixelation, quantization, colour blocks."""

import numpy as np
import scipy
from numpy.random import Generator
from PIL import Image

from iqa.datasets.distortions.conversion import from_bytes, to_bytes


def jitter(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Each pixel taken from a place `sigma` pixels away (standard deviation, each axis)."""
    height, width, _ = image.shape
    places = np.mgrid[:height, :width] + rng.normal(0, sigma, (2, height, width))
    channels = [
        scipy.ndimage.map_coordinates(image[..., c], places, order=1, mode="nearest")
        for c in range(3)
    ]
    return np.stack(channels, axis=-1)


def displaced_patches(image: np.ndarray, number: float, rng: Generator) -> np.ndarray:
    """`number` square patches, an 18th of the height wide, replaced by their neighbourhood's."""
    result = image.copy()
    height, width, _ = image.shape
    size = max(height // 18, 2)
    for _ in range(int(number)):
        y, x = rng.integers(size, (height - 2 * size, width - 2 * size))
        dy, dx = rng.integers(-size, size, 2, endpoint=True)
        result[y : y + size, x : x + size] = image[y + dy : y + dy + size, x + dx : x + dx + size]
    return result


def pixelate(image: np.ndarray, block: float, rng: Generator) -> np.ndarray:
    """Averaged over blocks `block` pixels wide, then repeated to the old size."""
    picture = Image.fromarray(to_bytes(image))
    small = (max(round(picture.width / block), 1), max(round(picture.height / block), 1))
    shrunk = picture.resize(small, Image.Resampling.BOX)
    return from_bytes(shrunk.resize(picture.size, Image.Resampling.NEAREST))


def quantize(image: np.ndarray, steps: float, rng: Generator) -> np.ndarray:
    """Each channel rounded to `steps` evenly spaced values."""
    return np.rint(image * (steps - 1)) / (steps - 1)


def colour_blocks(image: np.ndarray, number: float, rng: Generator) -> np.ndarray:
    """`number` squares of one random colour each, a 9th of the height wide, at random places."""
    result = image.copy()
    height, width, _ = image.shape
    size = height // 9
    for _ in range(int(number)):
        y, x = rng.integers(0, (height - size, width - size))
        result[y : y + size, x : x + size] = rng.random(3)
    return result
