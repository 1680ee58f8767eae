"""Backbone features of a dataset's images, computed once and cached."""

from typing import TYPE_CHECKING, Any

from iqa.features.squares import read_image

if TYPE_CHECKING:
    from iqa.features.extraction import Features, Images, encode, extract

__all__ = ["Features", "Images", "encode", "extract", "read_image"]


def __getattr__(name: str) -> Any:
    # Imported when it is first used, for scoring does without: pandas takes half a second.
    if name in __all__:
        from iqa.features import extraction

        return getattr(extraction, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
