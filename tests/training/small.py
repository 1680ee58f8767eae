"""Images and models small enough to be trained in a test, and a process that trains."""

import json
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from iqa import backbones
from iqa.heads import MLPHead
from iqa.models import QualityModel
from iqa.training import FineTuning, ScoredImages, fine_tune, finetune


def draw(folder: Path, n: int) -> tuple[list[str], np.ndarray]:
    """Write `n` images of more and more noise; give their paths and targets."""
    rng = np.random.default_rng(1)
    targets = np.linspace(0.9, 0.1, n)[rng.permutation(n)]
    paths = []
    for i, target in enumerate(targets):
        grey = rng.integers(60, 190, size=(6, 8, 3)).repeat(10, axis=0).repeat(10, axis=1)
        noise = rng.normal(0, 100 * (1 - target), size=grey.shape)
        paths.append(str(folder / f"{i}.png"))
        Image.fromarray((grey + noise).clip(0, 255).astype(np.uint8)).save(paths[-1])
    return paths, targets


def tiny(backbone: str = "siglip2/tiny", head: str = "gated", pooling: str | None = None, seed=0):
    """An untrained model; where it normalises batches, as if it had been trained.

    A ResNet begins with the last scale of each block at zero, which leaves adapters no gradient.
    """
    body = backbones.load(backbone, weights="none", pooling=pooling, seed=seed)
    torch.manual_seed(seed)
    for module in body.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 2)
    width = backbones.feature_dim(body.spec, pooling)
    return QualityModel(body, MLPHead.from_preset(head, width, hidden=8)).eval()


def run(paths, targets, n, size=64, backbone="siglip2/tiny", folder=None, **config) -> dict:
    """Fine-tune on the first `n` images, choosing by the last three.

    `folder` may name variables of the environment, in braces. Gives the gradients of every step,
    the weights in the end and the history.
    """
    gradients = []
    usual = finetune.optimizer_of

    def recording(model, config):
        optimizer = usual(model, config)

        def record(*_):
            named = model.named_parameters()
            gradients.append({k: p.grad.clone() for k, p in named if p.grad is not None})

        optimizer.register_step_pre_hook(record)
        return optimizer

    finetune.optimizer_of = recording
    try:
        train = ScoredImages(paths[:n], targets[:n], size)
        val = ScoredImages(paths[-3:], targets[-3:], size)
        folder = Path(folder.format(**os.environ)) if folder else None
        tuned = fine_tune(tiny(backbone), train, val, FineTuning(**config), folder)
    finally:
        finetune.optimizer_of = usual
    history = tuned.history.to_dict("list")
    return {"gradients": gradients, "weights": tuned.model.state_dict(), "history": history}


def main(job: str, out: str) -> None:
    """Run the jobs of a file {name: arguments of `run`}, and save what each gives.

    In one of the processes that `torchrun` starts, or in a single one.
    """
    torch.set_num_threads(1)
    if "WORLD_SIZE" in os.environ:
        # A file to meet at, in place of a port that another program may have taken.
        torch.distributed.init_process_group(
            "gloo",
            init_method=f"file://{job}.meet",
            rank=int(os.environ["RANK"]),
            world_size=int(os.environ["WORLD_SIZE"]),
        )
    jobs = json.loads(Path(job).read_text())
    torch.save({name: run(**arguments) for name, arguments in jobs.items()}, out)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
