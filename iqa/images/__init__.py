"""Image files and images of any kind as 8-bit RGB: the one place where image files are opened."""

from iqa.images.opening import FORMATS, open_image
from iqa.images.pixels import read_rgb, rgb

__all__ = ["FORMATS", "open_image", "read_rgb", "rgb"]
