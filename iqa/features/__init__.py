"""Backbone features of a dataset's images, computed once and cached."""

from iqa.features.extraction import Features, Images, encode, extract
from iqa.features.squares import read_image

__all__ = ["Features", "Images", "encode", "extract", "read_image"]
