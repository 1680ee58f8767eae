"""Training of heads on cached features: every preset and seed of a study at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, field_validator
from rich.progress import Progress
from torch import Tensor

from iqa.errors import UserError, unknown
from iqa.heads import MLPHead, find_preset
from iqa.heads.mlp import HIDDEN
from iqa.training import choice
from iqa.training.head_inputs import Indices, TrainingData, prepare
from iqa.training.objectives import OBJECTIVES, accumulated
from iqa.training.stack import HeadStack
from iqa.training.trained import TrainedHeads

# Bytes of first-layer weights that are trained at once. On a CPU a stack is limited by memory
# traffic, and its gradients by the largest block that the C library hands out again without
# asking the system for fresh pages (32 MiB in glibc); an accelerator wants all the work it can get.
TILE_BYTES = {"cpu": 30 * 2**20}
TILE_BYTES_ACCELERATOR = 4 * 2**30


class HeadTraining(BaseModel):
    """How heads are trained on frozen features: Adam on an objective, batches shuffled per epoch.

    The optimiser, learning rate, epochs and objective are those of arXiv:2509.17374's code; the
    batch is larger (there 12 images in steps of 2), and the features are standardised by the
    mean and standard deviation of the training images, which the paper does not do.

    `checkpoint` says which epoch of each head is kept: "best", the one of best SRCC on the images
    given as `val`, or "last", whatever the others gave.

    `feature_scale` multiplies the features, after they were standardised if they are. The smaller
    it is, the less a head's random start says of an image, and the further weights have to move.

    `gate_rate` multiplies the learning rate of the gates' logits g, and of nothing else: Adam moves
    a parameter by about its learning rate a step, so at 1e-4 no gate gets far from its start.

    `micro_batch` is the number of images that the objective sees at once: with 2 and a batch of 12,
    gradients are accumulated over six pairs, as in the paper's code. None for the whole batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=15, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    gate_rate: float = Field(default=1.0, gt=0)
    batch_size: int = Field(default=64, ge=1)
    micro_batch: int | None = Field(default=None, ge=1)
    weight_decay: float = Field(default=0.0, ge=0)
    objective: str = "mse+margin"
    standardize: bool = True
    feature_scale: float = Field(default=1.0, gt=0)
    checkpoint: Literal["best", "last"] = "best"
    hidden: int = Field(default=HIDDEN, ge=1)

    @field_validator("objective")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in OBJECTIVES:
            raise unknown("objective", name, list(OBJECTIVES))
        return name


def train_heads(
    features: ArrayLike,
    targets: ArrayLike,
    train: Indices,
    val: Indices,
    presets: Sequence[str],
    seeds: Sequence[int],
    config: HeadTraining | None = None,
    device: str = "cpu",
    progress: bool = False,
    starts: Sequence[int] | None = None,
) -> TrainedHeads:
    """Train every preset with every seed, and keep one epoch of each head: `config.checkpoint`.

    A seed names a head's start: its initialisation and the order of its images. Both are the same
    for all presets, so heads of one seed can be compared in pairs. Each head is trained as if it
    were alone: which others are trained beside it does not change its numbers beyond rounding,
    which Adam amplifies a little (at most 8e-6 in the scores after 15 epochs of 320 images).

    Args:
        features: (N, D), finite.
        targets: (N,), finite; in [0, 1], higher is better.
        train: indices into N of the images to train on.
        val: indices of those to choose the epoch on; the first of equally good epochs wins. With
            `checkpoint="last"` they choose nothing, and are only watched in the history.
        presets: names in `iqa.heads.PRESETS`.
        seeds: one or more integers.
        config: defaults to `HeadTraining()`.
        device: a torch device, such as "cpu" or "cuda".
        progress: show a progress bar.
        starts: what the random generators of each seed begin with; the seeds themselves by default.

    Raises:
        UserError: an unknown preset; features or targets that are not finite or do not fit each
            other; an empty list; training that diverged.
    """
    config = config or HeadTraining()
    for name in presets:
        find_preset(name)
    if not (len(presets) and len(seeds) and len(train) and len(val)):
        raise UserError("training: presets, seeds, train and val must each hold one entry or more")
    if len(set(presets)) < len(presets) or len(set(seeds)) < len(seeds):
        raise UserError(f"training: presets {presets} and seeds {seeds} must not repeat an entry")
    start_of = dict(zip(seeds, seeds if starts is None else starts, strict=True))
    data = prepare(features, targets, train, val, config.standardize, device, config.feature_scale)
    tiles = list(_tiles(presets, seeds, 4 * data.x_train.shape[1] * config.hidden, device))
    with Progress(disable=not progress) as bar:
        task = bar.add_task("training heads", total=len(tiles) * config.epochs)
        done = [
            _train_tile(data, *tile, start_of, config, lambda: bar.advance(task)) for tile in tiles
        ]
    merit = "val_srcc" if config.checkpoint == "best" else "epoch"
    return _gathered(presets, start_of, data, done, merit)


def _tiles(
    presets: Sequence[str], seeds: Sequence[int], head_bytes: int, device: str
) -> Iterator[tuple[Sequence[str], Sequence[int]]]:
    """Cut presets x seeds into grids that are small enough for the device."""
    limit = TILE_BYTES.get(torch.device(device).type, TILE_BYTES_ACCELERATOR)
    n_seeds = min(len(seeds), max(1, limit // head_bytes))
    n_presets = max(1, limit // (head_bytes * n_seeds))
    for i in range(0, len(presets), n_presets):
        for j in range(0, len(seeds), n_seeds):
            yield presets[i : i + n_presets], seeds[j : j + n_seeds]


def new_head(preset: str, start: int, in_features: int, hidden: int = HIDDEN) -> MLPHead:
    """The head that training starts from; the global random generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(start)
        return MLPHead.from_preset(preset, in_features, hidden)


def _train_tile(
    data: TrainingData,
    presets: Sequence[str],
    seeds: Sequence[int],
    start_of: Mapping[int, int],
    config: HeadTraining,
    advance: Callable[[], None],
) -> tuple[dict[str, dict[str, Tensor]], list[dict]]:
    """Train a grid of heads as one stack: the states kept, per preset, and the history's rows."""
    width = data.x_train.shape[1]
    heads = [[new_head(p, start_of[s], width, config.hidden) for s in seeds] for p in presets]
    stack = HeadStack(heads, str(data.x_train.device))
    logits, others = stack.parameters()
    groups: list[dict[str, Any]] = [{"params": others}]
    if logits:
        groups.append({"params": logits, "lr": config.gate_rate * config.learning_rate})
    adam = torch.optim.Adam(
        groups, config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    orders = [torch.Generator().manual_seed(start_of[seed]) for seed in seeds]
    best = np.full(stack.shape, np.nan)
    kept = {preset: _copied(stack.state(p)) for p, preset in enumerate(presets)}
    rows: list[dict] = []
    for epoch in range(1, config.epochs + 1):
        loss = _train_epoch(stack, adam, data, orders, config)
        _check_finite(loss, presets, seeds, config.learning_rate)
        srcc = choice.srcc(stack.predict(data.x_val).cpu().numpy(), data.y_val.cpu().numpy())
        # The first epoch is kept whatever it gives; constant predictions (NaN) never beat another.
        merit = srcc if config.checkpoint == "best" else np.full(stack.shape, float(epoch))
        better = (merit > best) | (np.isnan(best) & ~np.isnan(merit)) | (epoch == 1)
        best = np.where(better, merit, best)
        for p, preset in enumerate(presets):
            _overwrite(kept[preset], stack.state(p), torch.as_tensor(better[p]))
        rows += _rows(presets, seeds, epoch, loss, srcc)
        advance()
    return kept, rows


def _train_epoch(
    stack: HeadStack,
    adam: torch.optim.Optimizer,
    data: TrainingData,
    orders: Sequence[torch.Generator],
    config: HeadTraining,
) -> np.ndarray:
    """One pass over the training images, an order per seed; the mean loss of each head (P, S)."""
    objective, n = OBJECTIVES[config.objective], len(data.y_train)
    if config.micro_batch:
        objective = accumulated(objective, config.micro_batch)
    order = torch.stack([torch.randperm(n, generator=g) for g in orders]).to(data.y_train.device)
    total = torch.zeros(stack.shape, device=order.device)
    for batch in order.split(config.batch_size, dim=1):  # (S, B)
        loss = objective(stack(data.x_train[batch]), data.y_train[batch])  # (P, S)
        adam.zero_grad()
        loss.sum().backward()
        adam.step()
        total += loss.detach() * batch.shape[1]
    return (total / n).cpu().numpy()


def _check_finite(
    loss: np.ndarray, presets: Sequence[str], seeds: Sequence[int], learning_rate: float
) -> None:
    for p, s in np.argwhere(~np.isfinite(loss)):
        raise UserError(
            f"training diverged: head {presets[p]!r}, seed {seeds[s]}, has a loss that is not "
            f"finite; lower learning_rate (now {learning_rate:g})"
        )


def _copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: values.clone(memory_format=torch.contiguous_format) for name, values in state.items()
    }


def _overwrite(kept: dict[str, Tensor], new: dict[str, Tensor], seeds: Tensor) -> None:
    """Copy the rows of `seeds`, a mask (S,), from `new` into `kept`."""
    for name, values in kept.items():
        for row in seeds.nonzero().flatten().tolist():
            values[row].copy_(new[name][row])


def _rows(
    presets: Sequence[str], seeds: Sequence[int], epoch: int, loss: np.ndarray, srcc: np.ndarray
) -> list[dict]:
    return [
        {"preset": preset, "seed": seed, "epoch": epoch}
        | {"train_loss": float(loss[p, s]), "val_srcc": float(srcc[p, s])}
        for p, preset in enumerate(presets)
        for s, seed in enumerate(seeds)
    ]


def _gathered(
    presets: Sequence[str],
    start_of: Mapping[int, int],
    data: TrainingData,
    tiles: Sequence[tuple[dict[str, dict[str, Tensor]], list[dict]]],
    merit: str,
) -> TrainedHeads:
    """Put the tiles together again; those of one preset come in the order of its seeds.

    `merit` is the column of the history whose largest value marks the chosen epoch.
    """
    state = {}
    for preset in presets:
        parts = [kept[preset] for kept, _ in tiles if preset in kept]
        state[preset] = {n: torch.cat([part[n].cpu() for part in parts]) for n in parts[0]}
    history = pd.DataFrame([row for _, rows in tiles for row in rows])
    history["order"] = history["preset"].map(presets.index)
    history = history.sort_values(["order", "seed", "epoch"], kind="stable", ignore_index=True)
    # NaN counts as worst; idxmax takes the first of equals.
    ranked = history[merit].fillna(-np.inf).groupby([history["order"], history["seed"]])
    history["chosen"] = history.index.isin(ranked.idxmax())
    return TrainedHeads(
        tuple(presets),
        tuple(start_of),
        tuple(start_of.values()),
        data.mean,
        data.std,
        state,
        history.drop(columns="order"),
    )
