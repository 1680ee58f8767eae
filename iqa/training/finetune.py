"""Fine-tuning of a backbone and its head, on one device or many, resumable after every epoch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import (
    DistributedDataParallelKwargs,
    broadcast_object_list,
    gather_object,
)
from accelerate.utils.memory import should_reduce_batch_size
from rich.progress import Progress as Bar
from torch import Tensor

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
from iqa.training.examples import Augmentation, Examples, read_batches
from iqa.training.objectives import OBJECTIVES
from iqa.training.resume import (
    Progress,
    described,
    put_back,
    read_progress,
    trained_parameters,
    write_progress,
)
from iqa.training.scores import scores_of
from iqa.training.steps import Batch, count_steps, plan, window_of


@dataclass(frozen=True)
class FineTuned:
    """What fine-tuning leaves.

    Attributes:
        model: at the epoch that was kept, adapters merged into the weights they change, in
            evaluation mode, on the device it was trained on.
        history: a row per epoch: epoch (from 1), train_loss, val_srcc, chosen.
        trained: how many parameters were trained, those of the head among them.
    """

    model: QualityModel
    history: pd.DataFrame
    trained: int


def fine_tune(
    model: QualityModel,
    train: Examples,
    val: Examples,
    config: FineTuning,
    folder: Path | None = None,
    progress: bool = False,
) -> FineTuned:
    """Train `model` in place under `config.regime`, and keep one epoch: `config.checkpoint`.

    Runs on what accelerate finds: a CPU, a GPU, or the processes that `accelerate launch` or
    `torchrun` started. A step then averages over the images of all processes, each counted once,
    the last incomplete batch included. Precision and accumulation are those of `config`, whatever
    accelerate was launched with.

    Args:
        model: a backbone with a head; a head that was trained on its frozen features is the better
            start (Kumar et al., ICLR 2022).
        train: training images, not augmented.
        val: images to choose the epoch on, by SRCC; the first of equally good epochs wins.
        config: how to train.
        folder: where progress is kept after every epoch. A run that was killed goes on from there,
            on a CPU to the very weights of one that was not; a finished one is read, without its
            images. None keeps nothing.
        progress: show a progress bar.

    Raises:
        UserError: an unreadable image; a crop larger than the images; no images; training that
            diverged or ran out of memory; no gradient checkpointing where it is asked for.
    """
    if not (len(train) and len(val)):
        raise UserError("fine-tuning: train and val must each hold one image or more")
    accelerator = _accelerator()
    run = _Run(model, train, val, config, accelerator)
    path = None if folder is None else folder / f"{run.key()}.pt"
    # The main process alone reads and writes: the others need not see its disk.
    states = [read_progress(path) if accelerator.is_main_process else Progress()]
    state = broadcast_object_list(states)[0]
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
    return FineTuned(model.eval(), history, sum(v.numel() for v in state.kept.values()))


def _accelerator() -> Accelerator:
    try:
        return Accelerator(
            mixed_precision="no",
            # Without an accelerator it has to be told, or else processes would not be joined.
            cpu=not torch.accelerator.is_available(),
            # A backbone may hold parameters that its pooling does not use.
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"fine-tuning: accelerate is already set up in another way in this process ({reason}); "
            "start a new one, and choose the precision in FineTuning"
        ) from None


@contextmanager
def _memory_hint(config: FineTuning) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        raise UserError(
            f"fine-tuning: out of memory with batch_size={config.batch_size}; halve it and double "
            "accumulation, or set gradient_checkpointing"
        ) from None


class _Run:
    """The moving parts of one training run, on one of its processes."""

    def __init__(
        self,
        model: QualityModel,
        train: Examples,
        val: Examples,
        config: FineTuning,
        accelerator: Accelerator,
    ) -> None:
        self.model, self.train, self.val, self.config = model, train, val, config
        self.accelerator = accelerator
        self._given = fingerprint(*described(model))
        REGIMES[config.regime](model, config)
        if config.gradient_checkpointing:
            model.backbone.checkpoint_gradients()
        model.to(accelerator.device).to(memory_format=torch.channels_last)
        self.optimizer = optimizer_of(model, config)
        steps = config.epochs * count_steps(len(train), config, accelerator.num_processes)
        self.schedule = SCHEDULES[config.schedule](self.optimizer, steps)
        # Only the model: accelerate would step a schedule once per process.
        self.wrapped = accelerator.prepare(model)

    def key(self) -> str:
        """Fingerprint of all that the trained weights depend on, but for pixels and code.

        Whoever gives the folder tells these apart, as `iqa.experiments.regimes.adapt` does.
        """
        window = window_of(self.config, self.accelerator.num_processes)
        about = [self.config.model_dump_json(exclude={"workers"}), str(window)]
        about += [name for name, p in self.model.named_parameters() if p.requires_grad]
        return fingerprint(self._given, *about, *self.train.described(), *self.val.described())

    def restore(self, state: Progress) -> None:
        """Take up where `state` stands."""
        put_back(self.model, state.trained)
        if state.optimizer:
            self.optimizer.load_state_dict(state.optimizer)
            self.schedule.load_state_dict(state.schedule)

    def epoch(self, state: Progress) -> Progress:
        """One pass over the training images, and a look at the validation images."""
        epoch = state.epoch + 1
        device = self.accelerator.device
        with (
            _memory_hint(self.config),
            torch.random.fork_rng([device] if device.type == "cuda" else []),
        ):
            # Dropout's draws: set again in each epoch, a run that goes on draws alike.
            torch.manual_seed(_seed(self.config.seed, epoch, self.accelerator.process_index))
            loss = self._train(epoch)
            preds = self._predictions()
        if not (np.isfinite(loss) and np.isfinite(preds).all()):
            raise UserError(
                f"fine-tuning diverged in epoch {epoch}: loss or predictions are not finite; lower "
                f"head_learning_rate (now {self.config.head_learning_rate:g}) or "
                f"backbone_learning_rate (now {self.config.backbone_learning_rate:g})"
            )
        srcc = float(choice.srcc(preds, self.val.targets.numpy()))
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
        config, accelerator, train = self.config, self.accelerator, self.train
        train_mode(self.wrapped)
        rank, world = accelerator.process_index, accelerator.num_processes
        steps = plan(len(train), config, epoch, rank, world)
        augmentation = Augmentation(config.crop, config.flip, config.seed, epoch)
        images = train.augmented(augmentation)
        positions = [batch.positions for step in steps for batch in step]
        loaded = read_batches(images, positions, config.workers)
        total = torch.zeros((), device=accelerator.device)
        for step in steps:
            for batch in step[:-1]:
                with accelerator.no_sync(self.wrapped):
                    total += self._backward(next(loaded), batch)
            total += self._backward(next(loaded), step[-1])
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.schedule.step()
        return accelerator.reduce(total, "sum").item() / len(train)

    def _backward(self, loaded: tuple[Tensor, Tensor], batch: Batch) -> Tensor:
        """Add the gradients of a batch; gives the sum of its images' losses."""
        device = self.accelerator.device
        images, targets = loaded
        images = images.to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            scores = self.wrapped(images)
        loss = OBJECTIVES[self.config.objective](scores, targets.to(device))
        # Gradients are averaged over processes afterwards, which the factor undoes.
        (loss * (batch.weight * self.accelerator.num_processes)).backward()
        return loss.detach() * batch.counted

    def _predictions(self) -> np.ndarray:
        """Scores of the validation images, which the processes share out."""
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        mine = np.array_split(np.arange(len(self.val)), world)[rank].tolist()
        scores = scores_of(self.model, self.val, mine, self.config.batch_size, self.config.workers)
        return np.concatenate(gather_object([scores]))


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
