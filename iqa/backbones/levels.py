"""Two levels of an EfficientNet-Lite seen together, and the stem below them."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from iqa.backbones.convolutional import load_classifier
from iqa.backbones.spec import BackboneSpec, Weights

STEM_GROUPS = 4
"""Groups of blocks below both levels: edges, textures and their like."""


class Levels(nn.Module):
    """The map of the fifth group of blocks with that of the last layer laid over it.

    The last layer knows what a picture shows and has forgotten much of how sharp or noisy it is;
    the fifth group is the other way round. At each place both are joined, a hypercolumn (Hariharan
    et al., CVPR 2015).

    Args:
        stem: normalised images to the input of `middle`; an identity where that is given instead.
        middle: to the lower level, (N, C1, h, w), at 1/16 of the images.
        last: from there to the upper level, (N, C2, h / 2, w / 2).
    """

    def __init__(self, stem: nn.Module, middle: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.middle = middle
        self.last = last
        self.joined = nn.Identity()  # where Grad-CAM looks at both

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, C1 + C2, h, w), the upper level repeated to the size of the lower."""
        middle = self.middle(self.stem(images))
        last = functional.interpolate(self.last(middle), size=middle.shape[-2:], mode="nearest")
        return self.joined(torch.cat([middle, last], dim=1))


def build(spec: BackboneSpec, weights: Weights) -> Levels:
    """The levels of the EfficientNet-Lite that `spec` names."""
    model: Any = load_classifier(spec, weights)
    stem = nn.Sequential(model.conv_stem, model.bn1, model.blocks[:STEM_GROUPS])
    middle, upper = model.blocks[STEM_GROUPS], model.blocks[STEM_GROUPS + 1 :]
    return Levels(stem, middle, nn.Sequential(upper, model.conv_head, model.bn2))
