"""The Perception Encoder (Bolya et al., 2025, arXiv 2504.13181), by timm."""

from collections.abc import Mapping
from typing import Any

import timm
from torch import Tensor, nn

from iqa.backbones import convolutional
from iqa.backbones.encoding import Encoding, from_tokens
from iqa.backbones.spec import BackboneSpec, Weights

# Any size: positions are interpolated. Queries, keys and values apart: adapters sit on the first
# two only.
_OPTIONS = {"dynamic_img_size": True, "qkv_fused": False}


def build(spec: BackboneSpec, weights: Weights) -> nn.Module:
    """A module that maps normalised images (N, 3, H, W) to the tokens (N, 1 + h w, C) of a block.

    The block is number `spec.blocks`; what comes after it is not kept, and its output is not
    normalised, as in the encoder's own code for intermediate layers.
    """
    model: Any = timm.create_model(spec.model_id, pretrained=False, **{**spec.options, **_OPTIONS})
    if weights == "pretrained":
        state = convolutional.create(spec).state_dict()
        model.load_state_dict(unfused(state), strict=True)
    assert spec.blocks is not None
    model.prune_intermediate_layers([spec.blocks - 1], prune_norm=True, prune_head=True)
    return model


def unfused(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The parameters of fused projections, rows of queries, keys and values, as those of three."""
    apart: dict[str, Tensor] = {}
    for name, values in state.items():
        before, fused, after = name.partition(".attn.qkv.")
        parts = ("q_proj", "k_proj", "v_proj")
        if fused:
            rows = zip(parts, values.chunk(3), strict=True)
            apart |= {f"{before}.attn.{part}.{after}": part_rows for part, part_rows in rows}
        else:
            apart[name] = values
    return apart


def encode(spec: BackboneSpec, body: Any, images: Tensor) -> Encoding:
    """Normalised images (N, 3, H, W) -> their encoding."""
    height, width = images.shape[-2:]
    grid = (height // spec.patch, width // spec.patch)
    return from_tokens(body.forward_features(images), spec.prefix, grid)
