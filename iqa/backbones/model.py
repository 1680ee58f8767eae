"""The one interface of every backbone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from iqa.backbones import convolutional, huggingface, levels, perception
from iqa.backbones.catalogue import find
from iqa.backbones.encoding import Encoding
from iqa.backbones.pooling import POOLINGS, check_pooling
from iqa.backbones.spec import BackboneSpec, Weights, check_input_size
from iqa.backbones.weights import weights_id
from iqa.errors import UserError


@dataclass(frozen=True)
class Family:
    """How the models of a family are built and run.

    Attributes:
        build: Spec and weights in, the library's module out.
        encode: That module and normalised images (N, 3, H, W) in, their encoding out.
    """

    build: Callable[[BackboneSpec, Weights], nn.Module]
    encode: Callable[[BackboneSpec, nn.Module, Tensor], Encoding]


FAMILIES = {
    "convolutional": Family(convolutional.build, convolutional.encode),
    "levels": Family(levels.build, convolutional.encode),
    "clip": Family(huggingface.build, huggingface.encode_clip),
    "siglip2": Family(huggingface.build, huggingface.encode_siglip2),
    "dino": Family(huggingface.build, huggingface.encode_dino),
    "perception": Family(perception.build, perception.encode),
}


class Backbone(nn.Module):
    """An image encoder: RGB images in, one feature vector per image out.

    Args:
        spec: What it is.
        body: The library's module, as `FAMILIES[spec.family].build` gives it.
        untrained: Whether its parameters are random; whatever shows its results has to say so.
        pooling: One of `iqa.backbones.pooling.poolings(spec)`.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: BackboneSpec, body: nn.Module, untrained: bool, pooling: str):
        super().__init__()
        self.spec = spec
        self.body = body
        self.untrained = untrained
        self.pooling = check_pooling(spec, pooling)
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).view(1, 3, 1, 1), persistent=False)

    def encode(self, images: Tensor) -> Encoding:
        """The last layer's output, before pooling: of (N, 3, H, W) floats in [0, 1].

        Raises:
            UserError: H or W is too small or no multiple of the patch.
        """
        if not torch.jit.is_tracing():
            for side in images.shape[-2:]:
                check_input_size(self.spec, side)
        family = FAMILIES[self.spec.family]
        return family.encode(self.spec, self.body, (images - self.mean) / self.std)

    def feature_map(self, images: Tensor) -> Tensor:
        """The last feature map: (N, 3, H, W) floats in [0, 1] -> (N, C, h, w)."""
        return self.encode(images).patches

    def forward(self, images: Tensor) -> Tensor:
        """The pooled features: (N, 3, H, W) floats in [0, 1] -> (N, D)."""
        return POOLINGS[self.pooling](self.encode(images))

    def checkpoint_gradients(self) -> None:
        """Save memory in training: compute activations again on the way back, not keep them.

        Raises:
            UserError: The library has no switch for it here.
        """
        body: Any = self.body
        if hasattr(body, "activation_checkpointing_enable"):
            body.activation_checkpointing_enable({"use_reentrant": False})
        elif hasattr(body, "set_grad_checkpointing"):
            body.set_grad_checkpointing(True)
        else:
            raise UserError(
                f"backbone {self.spec.name!r} has no gradient checkpointing: train without it, "
                "with smaller batches where memory is short"
            )


def load(
    name: str, weights: Weights = "pretrained", pooling: str | None = None, seed: int = 0
) -> Backbone:
    """Load the backbone `name`, in evaluation mode, on the CPU, in float32.

    Args:
        name: A key of `REGISTRY`.
        weights: `"pretrained"`, or `"none"` for a random initialisation (an untrained backbone).
        pooling: A key of `POOLINGS` that the backbone has; None takes the backbone's own choice.
        seed: Of the random initialisation; pretrained weights do not depend on it.

    Raises:
        UserError: `name`, `weights` or `pooling` is unknown, or the weights cannot be had. Random
            weights never stand in for missing ones.
    """
    spec = find(name)
    pooling = check_pooling(spec, pooling)
    weights_id(name, weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = FAMILIES[spec.family].build(spec, weights)
    return Backbone(spec, body, untrained=weights == "none", pooling=pooling).eval()
