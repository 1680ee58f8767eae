"""Blur: Gaussian, out-of-focus lens, motion."""

import numpy as np
import scipy
from numpy.random import Generator


def gaussian(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Gaussian blur of standard deviation `sigma` pixels."""
    return scipy.ndimage.gaussian_filter(image, (sigma, sigma, 0), mode="nearest")


def lens(image: np.ndarray, radius: float, rng: Generator) -> np.ndarray:
    """Average over a disc of `radius` pixels, as an aperture out of focus gives."""
    y, x = _grid(radius)
    return _convolve(image, np.clip(radius + 0.5 - np.hypot(x, y), 0, 1))


def motion(image: np.ndarray, length: float, rng: Generator) -> np.ndarray:
    """Average along a line of `length` pixels in a random direction."""
    y, x = _grid(length / 2)
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    beyond = np.maximum(np.abs(along) - length / 2, 0)
    return _convolve(image, np.clip(1 - np.hypot(across, beyond), 0, 1))


def _grid(reach: float) -> np.ndarray:
    """Rows and columns (2, K, K) around the centre of a kernel that reaches `reach` pixels."""
    half = int(np.ceil(reach)) + 1
    return np.mgrid[-half : half + 1, -half : half + 1]


def _convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    half = len(kernel) // 2
    padded = np.pad(image, ((half, half), (half, half), (0, 0)), mode="edge")
    return scipy.signal.fftconvolve(
        padded, (kernel / kernel.sum())[..., None], "valid", axes=(0, 1)
    )
