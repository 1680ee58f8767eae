"""Pretrained image encoders behind one interface."""

from typing import TYPE_CHECKING, Any

from iqa.backbones.pooling import POOLINGS, check_pooling
from iqa.backbones.registry import REGISTRY, BackboneSpec, Weights, find
from iqa.backbones.weights import weights_id

if TYPE_CHECKING:
    from iqa.backbones.model import Backbone, load, load_classifier

__all__ = [
    "POOLINGS",
    "REGISTRY",
    "Backbone",
    "BackboneSpec",
    "Weights",
    "check_pooling",
    "find",
    "load",
    "load_classifier",
    "weights_id",
]


def __getattr__(name: str) -> Any:
    # What needs torch is imported when it is first used: torch takes seconds to import, and
    # listing the backbones or reading cached features does without it.
    if name in ("Backbone", "load", "load_classifier"):
        from iqa.backbones import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
