"""A scoring model as one safetensors file: its parameters, and in its header what it is."""

from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from iqa import backbones
from iqa.errors import UserError
from iqa.files import written_whole
from iqa.heads import MLPHead
from iqa.models.info import ModelInfo
from iqa.models.quality import QualityModel

FORMAT = "iqa-model-1"


def save_model(
    path: Path, model: QualityModel, info: ModelInfo, dtype: torch.dtype = torch.float32
) -> None:
    """Write `model` and `info`, whole or not at all.

    Args:
        path: ends in .safetensors.
        model: a backbone of the registry with a preset's head; adapters are merged before.
        info: `backbone`, `pooling` and `head` say how to build it again.
        dtype: of the parameters in the file; half of float32's bytes cost little precision.
    """
    tensors = {
        name: (values.to(dtype) if values.is_floating_point() else values).contiguous()
        for name, values in model.state_dict().items()
    }
    with written_whole(path) as draft:
        save_file(tensors, draft, metadata={"format": FORMAT, "info": info.model_dump_json()})


def load_model(path: Path) -> tuple[QualityModel, ModelInfo]:
    """Read what `save_model` wrote; the model is in evaluation mode, in float32, on the CPU.

    Raises:
        UserError: the file is missing, damaged or something else, or names a backbone or a head
            that does not exist, or its parameters do not fit them.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise UserError(f"model {path}: {error}; expected a file that iqa saved") from error
    if about.get("format") != FORMAT:
        raise UserError(f"model {path}: not a scoring model; expected format {FORMAT}")
    try:
        info = ModelInfo.model_validate_json(about["info"])
    except (KeyError, ValidationError):
        raise UserError(f"model {path}: its header does not say what it is; get it anew") from None
    try:
        model = QualityModel(*_untrained_parts(info, tensors))
        model.load_state_dict(tensors, strict=True)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"model {path}: its parameters do not fit ({reason})") from None
    return model.eval(), info


def _untrained_parts(
    info: ModelInfo, tensors: dict[str, torch.Tensor]
) -> tuple[backbones.Backbone, MLPHead]:
    """The model's backbone and head before its parameters are put in."""
    backbone = backbones.load(info.backbone, weights="none", pooling=info.pooling or None)
    backbone.untrained = info.untrained
    hidden, in_features = tensors["head.fc1.weight"].shape
    return backbone, MLPHead.from_preset(info.head, in_features, hidden)
