"""What of a training run is on disk, so that a killed one goes on and a finished one is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

import torch
from torch import Tensor

from iqa.files import written_whole
from iqa.models import QualityModel


@dataclass
class Progress:
    """Where a training run stands after an epoch.

    Attributes:
        epoch: the last one that is finished, from 1.
        trained: name -> tensor of every parameter that is trained, as they are now.
        optimizer: state dict; empty when training is done.
        schedule: state dict; empty when training is done.
        best: merit of the best epoch so far.
        kept: the parameters at that epoch.
        history: a row per epoch.
    """

    epoch: int = 0
    trained: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict = field(default_factory=dict)
    schedule: dict = field(default_factory=dict)
    best: float = float("-inf")
    kept: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict] = field(default_factory=list)


def write_progress(path: Path, progress: Progress) -> None:
    """Replace the file atomically.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    with written_whole(path) as draft, draft.open("wb") as file:
        try:
            torch.save(vars(progress), file)
        except RuntimeError as error:
            # PyTorch says "unexpected pos" of a full disk.
            raise error.__context__ or error from None


def read_progress(path: Path | None) -> Progress:
    """What `write_progress` left there, or a beginning where there is none.

    A damaged file is a beginning too: it can be made again. Nothing but tensors and plain values is
    loaded.
    """
    if path is None or not path.is_file():
        return Progress()
    try:
        with ZipFile(path) as archive:  # PyTorch's format; its reader checks no checksums
            if archive.testzip() is not None:
                return Progress()
        return Progress(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception:
        return Progress()


def trained_parameters(model: torch.nn.Module) -> dict[str, Tensor]:
    """Copies, on the CPU, of the parameters that are trained."""
    return {n: p.detach().cpu().clone() for n, p in model.named_parameters() if p.requires_grad}


def put_back(model: torch.nn.Module, values: Mapping[str, Tensor]) -> None:
    """Overwrite parameters of `model` by those of `trained_parameters`."""
    with torch.no_grad():
        for name, value in values.items():
            model.get_parameter(name).copy_(value)


def described(model: QualityModel) -> Iterator[str | bytes]:
    """All that the scores of a model depend on, in parts of a fingerprint."""
    yield repr((model.backbone.spec, model.backbone.pooling, model.head))
    for name, values in model.state_dict().items():
        yield name
        yield values.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
