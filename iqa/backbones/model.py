"""The one interface of every backbone, and how each library's models are brought behind it."""

from typing import Any

import timm
import torch
from torch import Tensor, nn

from iqa.backbones.pooling import POOLINGS, check_pooling
from iqa.backbones.registry import BackboneSpec, Weights, find
from iqa.backbones.weights import bundled_file, in_order, weights_id


class Backbone(nn.Module):
    """A pretrained image encoder: RGB images in, one feature vector per image out.

    Args:
        spec: What it is.
        body: Maps normalised images (N, 3, H, W) to a feature map (N, C, h, w).
        untrained: Whether its parameters are random; whatever shows its results has to say so.
        pooling: A key of `POOLINGS`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: BackboneSpec, body: nn.Module, untrained: bool, pooling: str):
        super().__init__()
        self.spec = spec
        self.body = body
        self.untrained = untrained
        self.pooling = check_pooling(pooling)
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).view(1, 3, 1, 1), persistent=False)

    def feature_map(self, images: Tensor) -> Tensor:
        """The last feature map: (N, 3, H, W) floats in [0, 1] -> (N, C, h, w)."""
        return self.body((images - self.mean) / self.std)

    def forward(self, images: Tensor) -> Tensor:
        """The pooled features: (N, 3, H, W) floats in [0, 1] -> (N, D)."""
        return POOLINGS[self.pooling](self.feature_map(images))


def load_classifier(spec: BackboneSpec, weights: Weights = "pretrained") -> nn.Module:
    """The timm model of `spec` with its 1000 ImageNet classes, in evaluation mode.

    Takes images normalised by `spec.mean` and `spec.std`, gives logits (N, 1000).

    Raises:
        UserError: The weights are missing, damaged or do not fit the model.
    """
    model = timm.create_model(spec.model_id, pretrained=False)
    if weights == "pretrained":
        state = torch.load(bundled_file(spec), map_location="cpu", weights_only=True)
        model.load_state_dict(in_order(state, model.state_dict(), spec.name), strict=True)
    return model.eval()


def _timm_body(spec: BackboneSpec, weights: Weights) -> nn.Module:
    model: Any = load_classifier(spec, weights)
    if spec.blocks is not None:
        return nn.Sequential(model.conv_stem, model.bn1, model.blocks[: spec.blocks])
    # Without classes and pooling, a timm model's forward gives its last feature map.
    model.reset_classifier(0, global_pool="")
    return model


# One entry per library: spec and weights in, a body (N, 3, H, W) -> (N, C, h, w) out.
BUILDERS = {"timm": _timm_body}


def load(
    name: str, weights: Weights = "pretrained", pooling: str | None = None, seed: int = 0
) -> Backbone:
    """Load the backbone `name`, in evaluation mode, on the CPU.

    Args:
        name: A key of `REGISTRY`.
        weights: `"pretrained"`, or `"none"` for a random initialisation (an untrained backbone).
        pooling: A key of `POOLINGS`; None takes the backbone's own.
        seed: Of the random initialisation; pretrained weights do not depend on it.

    Raises:
        UserError: `name`, `weights` or `pooling` is unknown, or the weights cannot be had. Random
            weights never stand in for missing ones.
    """
    spec = find(name)
    weights_id(name, weights)
    pooling = check_pooling(pooling or spec.pooling)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = BUILDERS[spec.library](spec, weights)
    return Backbone(spec, body, untrained=weights == "none", pooling=pooling).eval()
