"""Pretrained image encoders behind one interface."""

from typing import TYPE_CHECKING, Any

from iqa.backbones.catalogue import REGISTRY, find
from iqa.backbones.encoding import Encoding
from iqa.backbones.pooling import POOLINGS, check_pooling, feature_dim, poolings
from iqa.backbones.spec import BackboneSpec, Weights, check_input_size
from iqa.backbones.weights import check_weights, weights_id, weights_source, whereabouts

if TYPE_CHECKING:
    from iqa.backbones.lora import add_lora, merge_lora
    from iqa.backbones.model import Backbone, load

__all__ = [
    "POOLINGS",
    "REGISTRY",
    "Backbone",
    "BackboneSpec",
    "Encoding",
    "Weights",
    "add_lora",
    "check_input_size",
    "check_pooling",
    "check_weights",
    "feature_dim",
    "find",
    "load",
    "merge_lora",
    "poolings",
    "weights_id",
    "weights_source",
    "whereabouts",
]


def __getattr__(name: str) -> Any:
    # What needs torch is imported when it is first used: torch takes seconds to import, and
    # listing the backbones or reading cached features does without it.
    if name in ("Backbone", "load"):
        from iqa.backbones import model

        return getattr(model, name)
    if name in ("add_lora", "merge_lora"):
        from iqa.backbones import lora

        return getattr(lora, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
