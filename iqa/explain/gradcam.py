"""Grad-CAM of a predicted score: which parts of a photograph raise it."""

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from torch import Tensor, nn

from iqa.backbones import Backbone
from iqa.backbones.encoding import as_map
from iqa.models import QualityModel


def _raw_score(output: Tensor) -> Tensor:
    return output.sum()


def score_maps(
    backbone: Backbone, head: nn.Module, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Grad-CAM (Selvaraju et al., ICCV 2017, eq. 1-2) of the raw score.

    The map is ReLU(sum_k w_k A_k), A_k the channels of `backbone.spec.cam_layer` and w_k the mean
    over positions of d score / d A_k, resized to the image and scaled to [0, 1] by its own largest
    value: maps of two images compare in shape, not in height. A transformer's layer gives tokens;
    those of the patches are laid out as in the image, the class and register tokens left out.

    Args:
        backbone: as `iqa.backbones.load` gives it.
        head: features (N, D) to scores (N,).
        images: uint8 RGB (N, H, W, 3), at the size that the backbone is to see.

    Returns:
        Maps (N, H, W) in [0, 1]; all 0 where nothing raises the score.
    """
    model = QualityModel(backbone, head).eval()
    spec = backbone.spec
    layer = backbone.get_submodule(spec.cam_layer)

    def laid_out(activations: Tensor) -> Tensor:
        if activations.ndim == 4:
            return activations
        height, width = images.shape[1:3]
        return as_map(activations, spec.prefix, (height // spec.patch, width // spec.patch))

    pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
    pixels.requires_grad_()  # without it a frozen backbone leaves no gradient
    with GradCAM(model=model, target_layers=[layer], reshape_transform=laid_out) as cam:
        return cam(input_tensor=pixels, targets=[_raw_score] * len(images))


def overlay(image: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Blend 0.8 image + 0.4 heat (jet), scaled back to [0, 255], as the paper's code mixes them.

    Args:
        image: uint8 RGB (H, W, 3).
        heat: (H, W) in [0, 1].
    """
    return show_cam_on_image(image.astype(np.float32) / 255, heat, use_rgb=True, image_weight=2 / 3)
