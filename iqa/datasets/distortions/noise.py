"""Noise: white, in colour components, impulse, multiplicative, and what denoising leaves."""

import numpy as np
from numpy.random import Generator
from skimage.color import rgb2ycbcr, ycbcr2rgb


def white(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Gaussian noise of standard deviation `sigma` on red, green and blue."""
    return image + rng.normal(0, sigma, image.shape)


def white_ycbcr(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Gaussian noise of standard deviation `sigma` (of full scale) on Y, Cb and Cr."""
    return ycbcr2rgb(rgb2ycbcr(image) + 255 * rng.normal(0, sigma, image.shape))


def impulse(image: np.ndarray, fraction: float, rng: Generator) -> np.ndarray:
    """Salt and pepper: a `fraction` of all samples set to 0 or 1."""
    hit = rng.random(image.shape) < fraction
    return np.where(hit, rng.integers(0, 2, image.shape), image)


def multiplicative(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Speckle: each sample times 1 + Gaussian noise of standard deviation `sigma`."""
    return image * (1 + rng.normal(0, sigma, image.shape))


def denoised(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """White noise of standard deviation `sigma`, then total-variation denoising (Chambolle)."""
    # Here, as it brings scipy.stats with it: a second for every command that knows the demo set.
    from skimage.restoration import denoise_tv_chambolle

    noisy = white(image, sigma, rng)
    return denoise_tv_chambolle(noisy, weight=1.5 * sigma, max_num_iter=30, channel_axis=-1)
