"""How a model is adapted: the settings of fine-tuning, and what each regime lets change."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from iqa.errors import unknown
from iqa.models import QualityModel
from iqa.training.objectives import OBJECTIVES


class FineTuning(BaseModel):
    """How a backbone and its head are trained together.

    The defaults are those of arXiv:2509.17374's code where it has one, but for float32, no
    accumulation and the batch (there 2 images, accumulated 6 times, in bfloat16).

    Attributes:
        regime: a name in `REGIMES`.
        epochs: passes over the training images.
        batch_size: images of one step on one process.
        accumulation: batches whose gradients are averaged, image by image, before a step.
        head_learning_rate: of the head.
        backbone_learning_rate: of adapters, or of the backbone itself.
        weight_decay: of AdamW; with 0 it is Adam.
        schedule: a name in `SCHEDULES`.
        objective: a name in `iqa.training.OBJECTIVES`, on the images of one batch.
        precision: of the backbone's convolutions and matrix products, and of what passes between
            its layers. Parameters, their updates, the arithmetic inside norms, the head and the
            loss stay in float32, and so do predictions.
        rank: of LoRA.
        alpha: of LoRA; an adapter's output is scaled by alpha / rank.
        dropout: before LoRA's adapters.
        crop: side of a random square cut out in training, in pixels; None takes the whole image.
        flip: mirror training images at random.
        checkpoint: the epoch that is kept: "best" by SRCC on the validation images, or "last".
        gradient_checkpointing: compute activations again in the backward pass, to save memory.
        workers: threads that read images ahead; 0 reads when they are needed.
        seed: of the order of the images, crops, flips, adapters and dropout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    regime: str
    epochs: int = Field(default=15, ge=1)
    batch_size: int = Field(default=16, ge=1)
    accumulation: int = Field(default=1, ge=1)
    head_learning_rate: float = Field(default=1e-4, gt=0)
    backbone_learning_rate: float = Field(default=1e-4, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: str = "constant"
    objective: str = "mse+margin"
    precision: Literal["fp32", "bf16"] = "fp32"
    rank: int = Field(default=4, ge=1)
    alpha: int = Field(default=8, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    crop: int | None = Field(default=None, ge=32)
    flip: bool = False
    checkpoint: Literal["best", "last"] = "best"
    gradient_checkpointing: bool = False
    workers: int = Field(default=2, ge=0)
    seed: int = Field(default=0, ge=0)

    def model_post_init(self, _: object) -> None:
        """Check the names."""
        known: dict[str, Mapping[str, object]] = {
            "regime": REGIMES,
            "schedule": SCHEDULES,
            "objective": OBJECTIVES,
        }
        for kind, table in known.items():
            if getattr(self, kind) not in table:
                raise unknown(kind, getattr(self, kind), list(table))


def _frozen(model: QualityModel, config: FineTuning) -> None:
    model.backbone.requires_grad_(False)


def _lora(model: QualityModel, config: FineTuning) -> None:
    from iqa.backbones.lora import add_lora

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        add_lora(model.backbone, config.rank, config.alpha, config.dropout)


def _full(model: QualityModel, config: FineTuning) -> None:
    model.backbone.requires_grad_(True)


REGIMES: dict[str, Callable[[QualityModel, FineTuning], None]] = {
    "frozen": _frozen,
    "lora": _lora,
    "full": _full,
}
"""Name -> what it does to a model before training. The head is trained under each."""


def _constant(optimizer: torch.optim.Optimizer, steps: int) -> LRScheduler:
    return LambdaLR(optimizer, lambda step: 1.0)


def _one_cycle(optimizer: torch.optim.Optimizer, steps: int) -> LRScheduler:
    peaks = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, max_lr=peaks, total_steps=steps, cycle_momentum=False)


SCHEDULES: dict[str, Callable[[torch.optim.Optimizer, int], LRScheduler]] = {
    "constant": _constant,
    "one-cycle": _one_cycle,
}
"""Name -> how learning rates move over all steps. "one-cycle" rises over the first 30 % of the
steps to the rates that were asked for, then falls to almost nothing."""


def optimizer_of(model: QualityModel, config: FineTuning) -> torch.optim.AdamW:
    """AdamW on what is trained, the head and the backbone each at their own learning rate."""
    groups: list[dict] = [
        {"params": [p for p in part.parameters() if p.requires_grad], "lr": rate}
        for part, rate in (
            (model.head, config.head_learning_rate),
            (model.backbone, config.backbone_learning_rate),
        )
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, weight_decay=config.weight_decay, fused=True)


def train_mode(model: nn.Module) -> None:
    """Training mode, but for batch normalisation, which keeps the statistics of pretraining.

    With a few images a batch its own statistics are noise, and they would make an image's gradient
    depend on how images are spread over batches, accumulation steps and processes.
    """
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
