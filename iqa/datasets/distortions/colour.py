"""Colour: diffusion, shift, quantization, less and more saturation."""

import numpy as np
import scipy
import skimage
from numpy.random import Generator
from PIL import Image

from iqa.datasets.distortions.conversion import from_bytes, lab_to_rgb, to_bytes


def diffusion(image: np.ndarray, sigma: float, rng: Generator) -> np.ndarray:
    """Gaussian blur of `sigma` pixels on a and b of CIELAB; lightness stays sharp."""
    lab = skimage.color.rgb2lab(image)
    lab[..., 1:] = scipy.ndimage.gaussian_filter(lab[..., 1:], (sigma, sigma, 0), mode="nearest")
    return lab_to_rgb(lab)


def misregistration(image: np.ndarray, pixels: float, rng: Generator) -> np.ndarray:
    """Green moved by `pixels` in a random direction, blended in where there are edges."""
    angle = rng.uniform(0, 2 * np.pi)
    green = image[..., 1]
    moved = scipy.ndimage.shift(
        green, (pixels * np.sin(angle), pixels * np.cos(angle)), order=1, mode="nearest"
    )
    edges = skimage.filters.sobel(skimage.color.rgb2gray(image))
    weight = scipy.ndimage.gaussian_filter(edges, 1) / max(edges.max(), 1e-6)
    # The square root lets ordinary edges count beside the strongest one of the picture.
    weight = np.sqrt(np.clip(weight, 0, 1))
    return np.stack([image[..., 0], weight * moved + (1 - weight) * green, image[..., 2]], axis=-1)


def palette(image: np.ndarray, colours: float, rng: Generator) -> np.ndarray:
    """A palette of `colours` by median cut, with Floyd-Steinberg dithering."""
    picture = Image.fromarray(to_bytes(image))
    chosen = picture.quantize(int(colours), method=Image.Quantize.MEDIANCUT)
    dithered = picture.quantize(palette=chosen, dither=Image.Dither.FLOYDSTEINBERG)
    return from_bytes(dithered)


def desaturation(image: np.ndarray, loss: float, rng: Generator) -> np.ndarray:
    """Saturation of HSV multiplied by 1 - `loss`."""
    hsv = skimage.color.rgb2hsv(image)
    hsv[..., 1] *= 1 - loss
    return skimage.color.hsv2rgb(hsv)


def oversaturation(image: np.ndarray, gain: float, rng: Generator) -> np.ndarray:
    """The colour axes a and b of CIELAB multiplied by `gain`."""
    return lab_to_rgb(skimage.color.rgb2lab(image) * (1, gain, gain))
