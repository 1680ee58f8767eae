"""Grad-CAM of a predicted score: which parts of a photograph raise it, and which lower it."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from torch import Tensor, nn

from iqa.backbones import Backbone
from iqa.backbones.encoding import as_map
from iqa.backbones.spec import BackboneSpec
from iqa.models import QualityModel


def _raw_score(output: Tensor) -> Tensor:
    return output.sum()


def _laid_out(spec: BackboneSpec, activations: Tensor, size: tuple[int, int]) -> Tensor:
    """A layer's output as a map (N, C, h, w), for images of `size` (H, W)."""
    if activations.ndim == 4:
        return activations
    return as_map(activations, spec.prefix, (size[0] // spec.patch, size[1] // spec.patch))


def _pixels(images: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255


def signed_maps(
    backbone: Backbone, heads: Mapping[str, nn.Module], images: NDArray[np.uint8]
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Grad-CAM before its ReLU, of several heads on one pass of the backbone.

    The map is sum_k w_k A_k as in `score_maps`, enlarged to the image (bilinear), in units of the
    score and not scaled. Its positive part is the usual map, of what raises the score (the library
    cuts off at 0 before it enlarges). Minus its negative part is the map of what lowers the score:
    the Grad-CAM of minus the score.

    Args:
        backbone: as `iqa.backbones.load` gives it.
        heads: name to head, features (N, D) to scores (N,).
        images: uint8 RGB (N, H, W, 3), at the size that the backbone is to see.

    Returns:
        Name to maps (N, H, W), and name to scores (N,).
    """
    size = images.shape[1:3]
    kept: list[Tensor] = []

    def from_here(module: nn.Module, given: object, output: Tensor) -> Tensor:
        # The gradient is asked for at this layer: nothing before it needs a graph.
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    layer = backbone.get_submodule(backbone.spec.cam_layer)
    with layer.register_forward_hook(from_here):
        features = backbone(_pixels(images))
    maps, scores = {}, {}
    for name, head in heads.items():
        score = head(features)
        (slope,) = torch.autograd.grad(score.sum(), kept[0], retain_graph=True)
        slopes, values = (_laid_out(backbone.spec, one, size) for one in (slope, kept[0]))
        cells = (slopes.mean((2, 3), keepdim=True) * values).sum(1, keepdim=True)
        enlarged = nn.functional.interpolate(cells, size, mode="bilinear", align_corners=False)
        maps[name], scores[name] = enlarged[:, 0].detach().numpy(), score.detach().numpy()
    return maps, scores


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
    layer = backbone.get_submodule(backbone.spec.cam_layer)

    def laid_out(activations: Tensor) -> Tensor:
        return _laid_out(backbone.spec, activations, images.shape[1:3])

    # The gradient is asked for at the layer, by a hook before the library's: to the pixels it
    # would go on for twice the time.
    with (
        layer.register_forward_hook(lambda _, given, output: output.detach().requires_grad_()),
        GradCAM(model=model, target_layers=[layer], reshape_transform=laid_out) as cam,
    ):
        return cam(input_tensor=_pixels(images), targets=[_raw_score] * len(images))


def overlay(image: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Blend 0.8 image + 0.4 heat (jet), scaled back to [0, 255], as the paper's code mixes them.

    Args:
        image: uint8 RGB (H, W, 3).
        heat: (H, W) in [0, 1].
    """
    return show_cam_on_image(image.astype(np.float32) / 255, heat, use_rgb=True, image_weight=2 / 3)
