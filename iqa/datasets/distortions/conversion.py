"""Between float images (H, W, 3) in [0, 1] and 8-bit ones, and back from CIELAB."""

import warnings

import numpy as np
import skimage
from PIL import Image


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Round to uint8 in [0, 255]; what is outside [0, 1] is clipped."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def from_bytes(image: np.ndarray | Image.Image) -> np.ndarray:
    """An 8-bit image as floats in [0, 1], shape (H, W, 3)."""
    picture = image.convert("RGB") if isinstance(image, Image.Image) else image
    return np.asarray(picture) / 255.0


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """CIELAB to sRGB in [0, 1]; colours that no screen shows go to the nearest end of the range."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*negative Z values")
        return skimage.color.lab2rgb(lab)
