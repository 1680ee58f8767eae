"""Pretrained image encoders behind one interface."""

from typing import TYPE_CHECKING, Any

from iqa.backbones.pooling import POOLINGS, check_pooling
from iqa.backbones.registry import REGISTRY, BackboneSpec, Weights, find
from iqa.backbones.weights import weights_id

if TYPE_CHECKING:
    from iqa.backbones.lora import add_lora, merge_lora
    from iqa.backbones.model import Backbone, load, load_classifier

__all__ = [
    "POOLINGS",
    "REGISTRY",
    "Backbone",
    "BackboneSpec",
    "Weights",
    "add_lora",
    "check_pooling",
    "find",
    "load",
    "load_classifier",
    "merge_lora",
    "weights_id",
]


def __getattr__(name: str) -> Any:
    # What needs torch is imported when it is first used: torch takes seconds to import, and
    # listing the backbones or reading cached features does without it.
    if name in ("Backbone", "load", "load_classifier"):
        from iqa.backbones import model

        return getattr(model, name)
    if name in ("add_lora", "merge_lora"):
        from iqa.backbones import lora

        return getattr(lora, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
