"""Fine-tuning of a backbone and its head, on one device or many, resumable after every epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from rich.progress import Progress as Bar
from torch import Tensor
from torch.utils.data import DataLoader

from iqa.backbones.lora import merge_lora
from iqa.errors import UserError
from iqa.files import fingerprint
from iqa.models import QualityModel
from iqa.training import choice
from iqa.training.adaptation import (
    REGIMES,
    SCHEDULES,
    FineTuning,
    optimizer_of,
    train_mode,
)
from iqa.training.images import Augmentation, ScoredImages
from iqa.training.objectives import OBJECTIVES
from iqa.training.resume import (
    Progress,
    put_back,
    read_progress,
    trained_parameters,
    write_progress,
)


@dataclass(frozen=True)
class FineTuned:
    """What fine-tuning leaves.

    Attributes:
        model: at the epoch that was kept, adapters merged into the weights they change, in
            evaluation mode, on the device it was trained on.
        history: a row per epoch: epoch (from 1), train_loss, val_srcc, chosen.
    """

    model: QualityModel
    history: pd.DataFrame


def fine_tune(
    model: QualityModel,
    train: ScoredImages,
    val: ScoredImages,
    config: FineTuning,
    folder: Path | None = None,
    progress: bool = False,
) -> FineTuned:
    """Train `model` in place under `config.regime`, and keep one epoch: `config.checkpoint`.

    Runs on what accelerate finds: a CPU, a GPU, or the processes that `accelerate launch` or
    `torchrun` started. A step then averages over the images of all processes, each counted once,
    the last incomplete batch included.

    Args:
        model: a backbone with a head; a head that was trained on its frozen features is the better
            start (Kumar et al., ICLR 2022).
        train: training images, not augmented.
        val: images to choose the epoch on, by SRCC; the first of equally good epochs wins.
        config: how to train.
        folder: where progress is kept after every epoch. A run that was killed goes on from there
            to the same weights on the same machine; a finished one is read. None keeps nothing.
        progress: show a progress bar.

    Raises:
        UserError: an unreadable image; a crop larger than the images; no images; training that
            diverged or ran out of memory.
    """
    _check(train, val, config)
    accelerator = Accelerator(
        # A backbone may hold parameters that its pooling does not use.
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    run = _Run(model, train, val, config, accelerator)
    path = None if folder is None else folder / f"{run.key()}.pt"
    state = read_progress(path)
    run.restore(state)
    with Bar(disable=not (progress and accelerator.is_main_process)) as bar:
        task = bar.add_task(f"fine-tuning ({config.regime})", total=config.epochs)
        bar.update(task, completed=state.epoch)
        while state.epoch < config.epochs:
            state = run.epoch(state)
            if path is not None and accelerator.is_main_process:
                write_progress(path, state)
            bar.update(task, completed=state.epoch)
    put_back(model, state.kept)
    merge_lora(model.backbone)
    history = pd.DataFrame(state.history)
    merit = history["val_srcc" if config.checkpoint == "best" else "epoch"]
    history["chosen"] = history.index == merit.fillna(-np.inf).idxmax()
    return FineTuned(model.eval(), history)


def _check(train: ScoredImages, val: ScoredImages, config: FineTuning) -> None:
    if not (len(train) and len(val)):
        raise UserError("fine-tuning: train and val must each hold one image or more")
    if config.crop is not None and config.crop > train.input_size:
        raise UserError(
            f"fine-tuning: crop={config.crop} is larger than the images ({train.input_size} px); "
            "choose a smaller crop or a larger input size"
        )


@dataclass(frozen=True)
class _Batch:
    """Images of one forward pass: their positions, how many count, their weight in the step."""

    positions: list[int]
    counted: int
    weight: float


class _Run:
    """The moving parts of one training run, on one of its processes."""

    def __init__(
        self,
        model: QualityModel,
        train: ScoredImages,
        val: ScoredImages,
        config: FineTuning,
        accelerator: Accelerator,
    ) -> None:
        self.model, self.train, self.val, self.config = model, train, val, config
        self.accelerator = accelerator
        self._untouched = fingerprint(*_bytes_of(model))
        REGIMES[config.regime](model, config)
        if config.gradient_checkpointing:
            model.backbone.checkpoint_gradients()
        self.window = config.batch_size * config.accumulation * accelerator.num_processes
        steps = config.epochs * -(-len(train) // self.window)
        optimizer = optimizer_of(model, config)
        # The schedule is not prepared: accelerate would step it once per process.
        self.schedule = SCHEDULES[config.schedule](optimizer, steps)
        model.to(memory_format=torch.channels_last)
        self.wrapped, self.optimizer = accelerator.prepare(model, optimizer)

    def key(self) -> str:
        """Fingerprint of all that the trained weights depend on."""
        about = [self.config.model_dump_json(exclude={"workers"}), str(self.window)]
        for part in (self.train, self.val):
            about += [*part.paths, str(part.input_size)]
            about += [repr(part.targets.tolist())]
        return fingerprint(self._untouched, *about)

    def restore(self, state: Progress) -> None:
        """Take up where `state` stands."""
        put_back(self.model, state.trained)
        if state.optimizer:
            self.optimizer.load_state_dict(state.optimizer)
            self.schedule.load_state_dict(state.schedule)

    def epoch(self, state: Progress) -> Progress:
        """One pass over the training images, and a look at the validation images."""
        epoch = state.epoch + 1
        # Dropout draws from the global generator: set anew here, a run that goes on draws alike.
        torch.manual_seed(_seed(self.config.seed, epoch, self.accelerator.process_index))
        try:
            loss = self._train(epoch)
        except torch.OutOfMemoryError:
            raise UserError(
                f"fine-tuning: out of memory with batch_size={self.config.batch_size}; halve it "
                "and double accumulation, or set gradient_checkpointing"
            ) from None
        srcc = float(choice.srcc(self._predictions(), self.val.targets.numpy()))
        merit = epoch if self.config.checkpoint == "last" else srcc
        better = epoch == 1 or merit > state.best or (np.isnan(state.best) and not np.isnan(merit))
        now = trained_parameters(self.model)
        done = epoch == self.config.epochs
        return replace(
            state,
            epoch=epoch,
            trained={} if done else now,
            optimizer={} if done else self.optimizer.state_dict(),
            schedule={} if done else self.schedule.state_dict(),
            best=merit if better else state.best,
            kept=now if better else state.kept,
            history=[*state.history, {"epoch": epoch, "train_loss": loss, "val_srcc": srcc}],
        )

    def _train(self, epoch: int) -> float:
        """One pass; the mean loss per image, over all processes."""
        config, accelerator = self.config, self.accelerator
        train_mode(self.wrapped)
        steps = self._steps(epoch)
        augmentation = Augmentation(config.crop, config.flip, config.seed, epoch)
        images = ScoredImages(
            self.train.paths, self.train.targets, self.train.input_size, augmentation
        )
        loaded = iter(self._loader(images, [batch.positions for step in steps for batch in step]))
        total = torch.zeros((), device=accelerator.device)
        for step in steps:
            for batch in step[:-1]:
                with accelerator.no_sync(self.wrapped):
                    total += self._backward(next(loaded), batch)
            total += self._backward(next(loaded), step[-1])
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.schedule.step()
        mean = accelerator.reduce(total, "sum").item() / len(self.train)
        if not np.isfinite(mean):
            raise UserError(
                f"fine-tuning diverged in epoch {epoch}: the loss is not finite; lower "
                f"head_learning_rate (now {config.head_learning_rate:g}) or "
                f"backbone_learning_rate (now {config.backbone_learning_rate:g})"
            )
        return mean

    def _backward(self, loaded: tuple[Tensor, Tensor], batch: "_Batch") -> Tensor:
        """Add the gradients of a batch; gives the sum of its images' losses."""
        device = self.accelerator.device
        images, targets = loaded
        images = images.to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            scores = self.wrapped(images)
        loss = OBJECTIVES[self.config.objective](scores, targets.to(device))
        # Gradients are averaged over processes afterwards, which the factor undoes.
        self.accelerator.backward(loss * (batch.weight * self.accelerator.num_processes))
        return loss.detach() * batch.counted

    def _steps(self, epoch: int) -> list[list["_Batch"]]:
        """What this process does in an epoch: a list of batches for each step.

        All processes shuffle alike, and share the images of a step out among them.
        """
        order = np.random.default_rng([self.config.seed, epoch]).permutation(len(self.train))
        cuts = range(self.window, len(order), self.window)
        return [self._batches(step) for step in np.split(order, cuts)]

    def _batches(self, step: np.ndarray) -> list["_Batch"]:
        """This process's share of a step."""
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        share = np.array_split(step, world)[rank].tolist()
        if not share:
            # Every process has to take part in every step: here with an image that does not count.
            return [_Batch([int(step[0])], 0, 0.0)]
        size = self.config.batch_size
        parts = [share[start : start + size] for start in range(0, len(share), size)]
        return [_Batch(part, len(part), len(part) / len(step)) for part in parts]

    def _loader(self, images: ScoredImages, batches: Sequence[list[int]]) -> DataLoader:
        return DataLoader(images, batch_sampler=batches, num_workers=self.config.workers)

    def _predictions(self) -> np.ndarray:
        return predict(self.model, self.val, self.config.batch_size, self.config.workers)


def predict(
    model: QualityModel, images: ScoredImages, batch_size: int = 16, workers: int = 2
) -> np.ndarray:
    """Scores (N,) in float32 of whole images, in their order, on the model's own device."""
    device = next(model.parameters()).device
    loader = DataLoader(images, batch_size=batch_size, num_workers=workers)
    model.eval()
    with torch.inference_mode(), torch.autocast(device.type, enabled=False):
        scores = [
            model(batch.to(device, memory_format=torch.channels_last)).cpu() for batch, _ in loader
        ]
    return torch.cat(scores).numpy()


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def _bytes_of(model: torch.nn.Module) -> Iterator[str | bytes]:
    for name, values in model.state_dict().items():
        yield name
        yield values.detach().cpu().contiguous().view(-1).numpy().tobytes()
