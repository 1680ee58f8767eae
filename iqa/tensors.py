"""Tensors, and in the header what they are, in one safetensors file with a checksum over both."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from iqa.errors import UserError
from iqa.files import fingerprint, written_whole


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """Write `tensors` and `about` atomically; `about["format"]` says what the file is."""
    tensors = {name: values.detach().cpu().contiguous() for name, values in tensors.items()}
    header = {**about, "checksum": _checksum(tensors, about)}
    with written_whole(path) as draft:
        # Through Python's own writing, whose errors tell a full disk.
        draft.write_bytes(save(tensors, header))


def read_tensors(path: Path, kind: str, format_: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read what `write_tensors` wrote: the tensors, and what they are.

    Args:
        path: of the file.
        kind: what an error calls it, such as "model".
        format_: that the file must say it has.

    Raises:
        UserError: the file is not there, is damaged or altered, or holds something else or NaN.
    """
    try:
        if not path.is_file():
            raise UserError(f"{kind} {path}: No such file; check the path")
        with path.open("rb"):
            pass  # safetensors says of any file that it cannot open that it is not there
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise UserError(f"{kind} {path}: {error}; expected a file that iqa saved") from error
    if about.get("format") != format_:
        found = about.get("format", "another")
        raise UserError(f"{kind} {path}: its format is {found}, expected {format_}; save it again")
    if about.pop("checksum", "") != _checksum(tensors, about):
        raise UserError(f"{kind} {path}: it is damaged or was altered; get or save it again")
    for name, values in tensors.items():
        if not values.isfinite().all():
            raise UserError(
                f"{kind} {path}: {name} holds values that are not finite; train it again"
            )
    return tensors, about


def _checksum(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> str:
    described = {name: [str(v.dtype), v.shape] for name, v in tensors.items()}
    said = json.dumps([described, dict(about)], sort_keys=True)
    return fingerprint(said, *(_bytes_of(tensors[name]) for name in sorted(tensors)))


def _bytes_of(values: Tensor) -> bytes:
    return values.view(-1).view(torch.uint8).numpy().tobytes()
