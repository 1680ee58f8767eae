"""The Perception Encoder (Bolya et al., 2025, arXiv 2504.13181), by timm."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

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
    import timm

    model: Any = timm.create_model(spec.model_id, pretrained=False, **{**spec.options, **_OPTIONS})
    if weights == "pretrained":
        state = convolutional.from_hub(spec).state_dict()
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
    """Normalised images (N, 3, H, W) -> their encoding: timm's forward pass, block by block."""
    patches = body.patch_embed(images)  # (N, h, w, C)
    # As plain numbers: ONNX has no exact counterpart of rotations whose size follows the image.
    height, width = (int(side) for side in patches.shape[1:3])
    grid = (height, width)
    tokens = torch.cat([body.cls_token.expand(patches.shape[0], -1, -1), patches.flatten(1, 2)], 1)
    tokens = body.norm_pre(tokens + _positions(body, grid))
    rotations = body.rope.get_embed(shape=grid)
    for block in body.blocks:
        if body.grad_checkpointing:
            tokens = checkpoint(block, tokens, rope=rotations, use_reentrant=False)
        else:
            tokens = block(tokens, rope=rotations)
    return from_tokens(tokens, spec.prefix, grid)


def _positions(body: Any, grid: tuple[int, int]) -> Tensor:
    """The position encodings (1, 1 + h w, C), interpolated to the patches (h, w) of the image."""
    from timm.layers import resample_abs_pos_embed

    found = resample_abs_pos_embed(
        body.pos_embed, new_size=grid, old_size=body.patch_embed.grid_size, num_prefix_tokens=1
    )
    if torch.jit.is_tracing():
        # OpenVINO 2026.4 folds the antialiased interpolation of a constant to wrong values.
        return torch.from_numpy(found.detach().cpu().numpy()).to(found.device)
    return found
