"""Convolutional networks, by timm.

It is imported where a network is built: it takes seconds, and work on cached features does without.
"""

from typing import Any

import torch
from torch import Tensor, nn

from iqa.backbones.encoding import Encoding
from iqa.backbones.hub import commit_of, hub_errors
from iqa.backbones.spec import BackboneSpec, Weights
from iqa.backbones.weights import bundled_file, in_order


def from_hub(spec: BackboneSpec) -> nn.Module:
    """The whole timm model of `spec` with its weights from the hub, which have to fit strictly.

    Raises:
        UserError: They cannot be had, or do not fit.
    """
    import timm

    source = {"hf_hub_id": f"{spec.hub_id}@{commit_of(spec)}"}
    with hub_errors(spec):
        return timm.create_model(
            spec.model_id, pretrained=True, pretrained_cfg_overlay=source, **spec.options
        )


def load_classifier(spec: BackboneSpec, weights: Weights = "pretrained") -> nn.Module:
    """The timm model of the convolutional `spec` with its 1000 ImageNet classes, for evaluation.

    Takes images normalised by `spec.mean` and `spec.std`, gives logits (N, 1000).

    Raises:
        UserError: The weights are missing, damaged or do not fit the model.
    """
    import timm

    if weights == "pretrained" and spec.source == "hub":
        return from_hub(spec).eval()
    model = timm.create_model(spec.model_id, pretrained=False, **spec.options)
    if weights == "pretrained":
        state = torch.load(bundled_file(spec), map_location="cpu", weights_only=True)
        model.load_state_dict(in_order(state, model.state_dict(), spec.name), strict=True)
    return model.eval()


def build(spec: BackboneSpec, weights: Weights) -> nn.Module:
    """A module that maps normalised images (N, 3, H, W) to its last feature map (N, C, h, w)."""
    model: Any = load_classifier(spec, weights)
    if spec.blocks is not None:
        return nn.Sequential(model.conv_stem, model.bn1, model.blocks[: spec.blocks])
    # Without classes and pooling, a timm model's forward gives its last feature map.
    model.reset_classifier(0, global_pool="")
    return model


def encode(spec: BackboneSpec, body: nn.Module, images: Tensor) -> Encoding:
    """Normalised images (N, 3, H, W) -> their encoding."""
    return Encoding(body(images))
