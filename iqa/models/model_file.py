"""A scoring model as one file: its parameters, and in its header what it is."""

from pathlib import Path

import torch
from pydantic import ValidationError

from iqa import backbones
from iqa.backbones import check_input_size, feature_dim
from iqa.errors import UserError
from iqa.heads import MLPHead
from iqa.models.info import ModelInfo
from iqa.models.quality import QualityModel
from iqa.tensors import read_tensors, write_tensors

FORMAT = "iqa-model-2"


def save_model(
    path: Path, model: QualityModel, info: ModelInfo, dtype: torch.dtype = torch.float32
) -> None:
    """Write `model` and `info` atomically.

    Args:
        path: ends in .safetensors.
        model: a backbone of the registry with a preset's head; adapters are merged before.
        info: `backbone`, `pooling` and `head` say how to build it again.
        dtype: of the parameters in the file; half of float32's bytes cost little precision.
    """
    tensors = {
        name: values.to(dtype) if values.is_floating_point() else values
        for name, values in model.state_dict().items()
    }
    write_tensors(path, tensors, {"format": FORMAT, "info": info.model_dump_json()})


def load_model(path: Path) -> tuple[QualityModel, ModelInfo]:
    """Read what `save_model` wrote; the model is in evaluation mode, in float32, on the CPU.

    Raises:
        UserError: the file is missing, damaged or something else, or names a backbone or a head
            that does not exist, or its parameters do not fit them.
    """
    tensors, about = read_tensors(path, "model", FORMAT)
    try:
        info = ModelInfo.model_validate_json(about["info"])
    except (KeyError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "none"
        raise UserError(
            f"model {path}: its header does not say what it is ({reason}); save it again"
        ) from None
    try:
        model = QualityModel(*_untrained_parts(info, tensors))
        model.load_state_dict(tensors, strict=True)
    except (UserError, KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"model {path}: its parameters do not fit ({reason})") from None
    return model.eval(), info


def _untrained_parts(
    info: ModelInfo, tensors: dict[str, torch.Tensor]
) -> tuple[backbones.Backbone, MLPHead]:
    """The model's backbone and head before its parameters are put in."""
    backbone = backbones.load(info.backbone, weights="none", pooling=info.pooling or None)
    check_input_size(backbone.spec, info.input_size)
    backbone.untrained = info.untrained
    shape, features = tensors["head.fc1.weight"].shape, feature_dim(backbone.spec, backbone.pooling)
    if len(shape) != 2 or not shape[0] or shape[1] != features:
        raise ValueError(f"head.fc1.weight is {tuple(shape)}, expected (hidden, {features})")
    return backbone, MLPHead.from_preset(info.head, features, shape[0])
