"""A backbone and a head as one module."""

import torch
from torch import Tensor, nn

from iqa.backbones import Backbone


class QualityModel(nn.Module):
    """Images in, one score per image out.

    Args:
        backbone: (N, 3, H, W) floats in [0, 1] to features (N, D).
        head: features (N, D) to scores (N,).
    """

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) RGB floats in [0, 1] -> scores (N,), float32.

        The head computes in float32 whatever the backbone does: in bfloat16 the gate's parameters
        hardly move, and predictions tie.
        """
        features = self.backbone(images)
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features.float())
