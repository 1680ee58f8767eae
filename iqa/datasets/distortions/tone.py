"""Brightness, sharpness and contrast."""

import numpy as np
import scipy
import skimage
from numpy.random import Generator

from iqa.datasets.distortions.conversion import lab_to_rgb


def brighten(image: np.ndarray, bend: float, rng: Generator) -> np.ndarray:
    """Lightness of CIELAB raised to 1 / (1 + `bend`); black and white stay."""
    return _bend_lightness(image, 1 / (1 + bend))


def darken(image: np.ndarray, bend: float, rng: Generator) -> np.ndarray:
    """Lightness of CIELAB raised to 1 + `bend`; black and white stay."""
    return _bend_lightness(image, 1 + bend)


def _bend_lightness(image: np.ndarray, exponent: float) -> np.ndarray:
    lab = skimage.color.rgb2lab(image)
    lab[..., 0] = 100 * np.clip(lab[..., 0] / 100, 0, 1) ** exponent
    return lab_to_rgb(lab)


def mean_shift(image: np.ndarray, shift: float, rng: Generator) -> np.ndarray:
    """All samples up or down (at random) by `shift`; what leaves the range is clipped."""
    return image + shift * rng.choice((-1, 1))


def sharpen(image: np.ndarray, amount: float, rng: Generator) -> np.ndarray:
    """Unsharp masking: `amount` times the difference from a blur of 1.5 pixels is added."""
    return image + amount * (
        image - scipy.ndimage.gaussian_filter(image, (1.5, 1.5, 0), mode="nearest")
    )


def contrast(image: np.ndarray, change: float, rng: Generator) -> np.ndarray:
    """Distance from the mean times 1 - `change`, or divided by it, at random."""
    factor = (1 - change) ** rng.choice((-1, 1))
    centre = image.mean()
    return centre + factor * (image - centre)
