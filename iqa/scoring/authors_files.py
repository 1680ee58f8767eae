"""Reading the files of a released checkpoint: nothing in them is run, and all has to fit."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from iqa.errors import UserError

HEAD = "mlp.pt"
ADAPTER = "adapter_model.safetensors"

_TEXT = re.compile(
    r"base_model\.model\.text_model\.encoder\.layers\.\d+"
    r"\.self_attn\.[qk]_proj\.lora_[AB]\.weight"
)
_ANEW = "download the checkpoint's folder again"


class AdapterConfig(BaseModel):
    """What has to hold of `adapter_config.json`; peft writes more, which has no effect here."""

    peft_type: Literal["LORA"]
    base_model_name_or_path: Literal["google/siglip2-so400m-patch16-512"]
    r: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    bias: Literal["none"] = "none"
    use_dora: Literal[False] = False
    use_rslora: Literal[False] = False
    rank_pattern: dict = Field({}, max_length=0)
    alpha_pattern: dict = Field({}, max_length=0)


def read_config(folder: Path) -> AdapterConfig:
    """`adapter_config.json`.

    Raises:
        UserError: it is missing, or describes another adapter than the scorer can put in place.
    """
    path = _existing(folder, "adapter_config.json")
    try:
        return AdapterConfig.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(
            f"{path}: {where}: {first['msg']}; only adapters like the released ones can be loaded"
        ) from None


def read_head(folder: Path) -> dict[str, Tensor]:
    """The parameters in `mlp.pt`.

    Raises:
        UserError: it is missing or damaged, or holds anything but named tensors.
    """
    path = _existing(folder, HEAD)
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    # A damaged file and one with code fail in many types: UnpicklingError, RuntimeError, EOFError.
    except Exception as error:
        raise UserError(f"{path}: damaged, or more than tensors; {_ANEW}") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(f"{path}: not a dictionary of tensors; {_ANEW}")
    # Saved from a run on several GPUs, every key has this prefix.
    return {str(key).removeprefix("module."): values for key, values in state.items()}


def read_adapter(folder: Path) -> dict[str, Tensor]:
    """The parameters in `adapter_model.safetensors` without those of the text tower.

    The authors put adapters on both towers but trained on images alone: the text tower's B is 0,
    and no text is used here.

    Raises:
        UserError: it is missing or damaged, or the text tower was trained.
    """
    path = _existing(folder, ADAPTER)
    try:
        given = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: damaged ({error}); {_ANEW}") from error
    text = {key for key in given if _TEXT.fullmatch(key)}
    for key in sorted(text):
        if key.endswith("lora_B.weight") and given[key].any():
            raise UserError(f"{path}: {key} is not 0: a trained text tower is not supported")
    return {key: values for key, values in given.items() if key not in text}


def check_fit(path: Path, given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """See that both have the same keys and shapes, and that all of `given` is finite.

    Raises:
        UserError: they have not, or it is not; the message names `path` and the first key at fault.
    """
    for what, keys in (
        ("missing", expected.keys() - given.keys()),
        ("unexpected", given.keys() - expected.keys()),
    ):
        if keys:
            raise UserError(f"{path}: {what} {sorted(keys)[0]}, {len(keys)} in all; {_ANEW}")
    for key, values in given.items():
        if values.shape != expected[key].shape:
            shape = tuple(expected[key].shape)
            raise UserError(f"{path}: {key} is {tuple(values.shape)}, expected {shape}; {_ANEW}")
        if not values.isfinite().all():
            raise UserError(f"{path}: {key} is not finite; {_ANEW}")


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise UserError(
            f"checkpoint {folder}: {name} is missing; expected a folder with adapter_config.json, "
            f"{ADAPTER} and {HEAD}"
        )
    return path
