"""Noise: white, in colour components, impulse, multiplicative, and what denoising leaves."""

import numpy as np
import skimage
from numpy.random import Generator


def white(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Gaussian noise of standard deviation `sigma` on red, green and blue."""
    return image + rng.normal(0, sigma, image.shape)


def white_ycbcr(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Gaussian noise of standard deviation `sigma` (of full scale) on Y, Cb and Cr."""
    return skimage.color.ycbcr2rgb(
        skimage.color.rgb2ycbcr(image) + 255 * rng.normal(0, sigma, image.shape)
    )


def impulse(image: np.ndarray, fraction: float, rng: Generator) -> np.ndarray:
    """Salt and pepper: a `fraction` of all samples set to 0 or 1."""
    hit = rng.random(image.shape) < fraction
    return np.where(hit, rng.integers(0, 2, image.shape), image)


def multiplicative(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Speckle: each sample times 1 + Gaussian noise of standard deviation `sigma`."""
    return image * (1 + rng.normal(0, sigma, image.shape))


def denoised(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """White noise of standard deviation `sigma`, then total-variation denoising (Chambolle)."""
    noisy = white(image, sigma, rng)
    weight = 1.5 * sigma
    return skimage.restoration.denoise_tv_chambolle(
        noisy, weight=weight, max_num_iter=30, channel_axis=-1
    )
