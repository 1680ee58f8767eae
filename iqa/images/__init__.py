"""Image files and images of any kind as 8-bit RGB: the one place where image files are opened."""

from iqa.images.formats import FORMATS, SUFFIXES
from iqa.images.pixels import MAX_PIXELS, rgb
from iqa.images.reading import read_as, read_rgb
from iqa.images.regular_files import open_regular

__all__ = ["FORMATS", "MAX_PIXELS", "SUFFIXES", "open_regular", "read_as", "read_rgb", "rgb"]
