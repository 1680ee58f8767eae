"""Scores of image files by a whole model."""

from collections.abc import Sequence

import numpy as np
import torch

from iqa.models import QualityModel
from iqa.training.examples import Examples, read_batches


def predict(
    model: QualityModel, images: Examples, batch_size: int = 16, workers: int = 2
) -> np.ndarray:
    """Scores (N,) in float32 of whole images, in their order, on the model's own device."""
    return scores_of(model, images, range(len(images)), batch_size, workers)


def scores_of(
    model: QualityModel,
    images: Examples,
    positions: Sequence[int],
    batch_size: int,
    workers: int,
) -> np.ndarray:
    """Scores (N,) of the images at `positions`, which may be none; else as `predict`."""
    device = next(model.parameters()).device
    batches = [positions[i : i + batch_size] for i in range(0, len(positions), batch_size)]
    model.eval()
    scores = [torch.empty(0)]
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        for pixels, _ in read_batches(images, batches, workers):
            pixels = pixels.to(device, memory_format=torch.channels_last)
            scores.append(model(pixels).cpu())
    return torch.cat(scores).numpy()
