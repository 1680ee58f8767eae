"""The checkpoints that the paper's authors released: a LoRA adapter of SigLIP2 and an MLP head.

Source: github.com/drkkgy/NR_IQA_AGM, `pretrained_checkpoints/`. A checkpoint is a folder with
`adapter_config.json` and `adapter_model.safetensors` as peft writes them, and `mlp.pt`, the head's
parameters. Nothing in them is run as code, and every parameter has to find its place.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from iqa import backbones
from iqa.backbones import Backbone, Weights
from iqa.errors import UserError
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel
from iqa.scoring.authors_files import (
    ADAPTER,
    HEAD,
    AdapterConfig,
    check_fit,
    read_adapter,
    read_config,
    read_head,
)

DATA = {
    "CLIVE": ("CLIVE", 0, 100),
    # Scores from 1 to 5 were divided by 100 too; times 100, outputs are scores from 1 to 5 again.
    "KonIQ": ("KonIQ-10k", 0, 100),
    "SPAQ": ("SPAQ", 0, 100),
    "FLIVE": ("FLIVE", 0, 100),
    "KADID": ("KADID-10k", 1, 5),
    "AGIQA3K": ("AGIQA-3K", 0, 5),
    "AGIQA1K": ("AGIQA-1K", 0, 5),
}
"""By a word in the authors' folder names: the data a head was trained on, and what its outputs 0
and 1 mean. The authors' targets: MOS / 100, of KADID-10k (DMOS - 1) / 4, of AGIQA MOS / 5."""

_PLAIN = {"fc1": "adapter.0", "fc2": "adapter.2", "fc3": "adapter.4"}
_GATED = {"act1.candidates.0": "act1.sig_act", "act1.candidates.1": "act1.lrelu_act"}


def open_authors(
    spec: str, backbone: str = "siglip2/so400m-512", weights: Weights = "pretrained"
) -> tuple[QualityModel, ModelInfo]:
    """The scorer of a released checkpoint, its adapter merged into the backbone.

    The head is recognised by its parameters: a gate, with or without an amplitude gamma, or none.
    Without a gate, B (ReLU) and B_Sig (sigmoid, leaky ReLU) have the same parameters: a folder
    whose name holds "sigmoid" or "b_sig" is B_Sig's, for any other say which it is.

    Args:
        spec: the folder; `FOLDER#relu` or `FOLDER#sigmoid` says which head it is.
        backbone: the entry of the catalogue that the adapter is put on. Another than the default
            does not give the authors' scores; it is there for trying things out.
        weights: `"none"` for an untrained backbone, likewise.

    Returns:
        The scorer, in evaluation mode, in float32, on the CPU, and what it is. Scores are on the
        scale of the data that the folder's name mentions first, else as the head puts them out.

    Raises:
        UserError: a file is missing or damaged, holds code, a parameter too many or too few, one of
            another shape, one that is not finite; the adapter is for another model; the head
            cannot be told; or the backbone's own weights cannot be had.
    """
    path, _, asked = spec.partition("#")
    folder = Path(path).resolve()
    config = read_config(folder)
    kind, head = _head(folder, asked, backbones.feature_dim(backbones.find(backbone)))
    adapter = read_adapter(folder)
    base = backbones.load(backbone, weights)
    _adapt(base, folder, config, adapter)
    trained_on, low, high = _training_data(folder.name)
    info = ModelInfo(
        name=f"authors:{folder.name}",
        backbone=backbone,
        pooling=base.pooling,
        head=kind,
        input_size=base.spec.input_size,
        low=low,
        high=high,
        trained_on=trained_on,
        untrained=base.untrained,
    )
    return QualityModel(base, head).eval(), info


def _head(folder: Path, asked: str, in_features: int) -> tuple[str, MLPHead]:
    """The name of the preset, and the head with its parameters."""
    given = read_head(folder)
    kind = _kind(given, folder, asked)
    head = MLPHead.from_preset(kind, in_features)
    theirs = _GATED if kind.startswith("gated") else _PLAIN
    state = head.state_dict()
    names = {_renamed(key, theirs): key for key in state}
    check_fit(folder / HEAD, given, {name: state[key] for name, key in names.items()})
    head.load_state_dict({names[name]: values for name, values in given.items()})
    return kind, head


def _kind(given: Mapping[str, Tensor], folder: Path, asked: str) -> str:
    """The preset that the keys, the request and the folder's name point to."""
    if asked not in ("", "relu", "sigmoid"):
        raise UserError(f"checkpoint {folder}#{asked}: after # comes relu or sigmoid")
    if "act1.g" in given:
        if asked:
            raise UserError(f"checkpoint {folder}: its head has a gate; leave out #{asked}")
        return "gated_gamma" if "act1.sig_act.gamma" in given else "gated"
    if "adapter.0.weight" not in given:
        raise UserError(
            f"{folder / HEAD}: neither act1.g nor adapter.0.weight is in it; expected a head that "
            "the authors' code saved"
        )
    if asked:
        return asked
    if "sigmoid" in folder.name.lower() or "b_sig" in folder.name.lower():
        return "sigmoid"
    raise UserError(
        f"checkpoint {folder}: a head without a gate can be B or B_Sig, whose parameters have the "
        f"same names; say which: {folder}#relu or {folder}#sigmoid"
    )


def _renamed(key: str, names: Mapping[str, str]) -> str:
    """`key` with the beginning that `names` holds, if any, replaced."""
    for ours, theirs in names.items():
        if key.startswith(f"{ours}."):
            return theirs + key.removeprefix(ours)
    return key


def _adapt(
    base: Backbone, folder: Path, config: AdapterConfig, given: Mapping[str, Tensor]
) -> None:
    """Put the adapter `given` into `base` and merge it; in place."""
    backbones.add_lora(base, config.r, config.lora_alpha, dropout=0)
    body = base.body.state_dict()
    names = {
        f"base_model.model.vision_model.{key.replace('.default.', '.')}": key
        for key in body
        if ".lora_" in key
    }
    check_fit(folder / ADAPTER, given, {name: body[key] for name, key in names.items()})
    base.body.load_state_dict({names[key]: v for key, v in given.items()}, strict=False)
    backbones.merge_lora(base)


def _training_data(name: str) -> tuple[str, float, float]:
    """Of the data that a folder's name mentions first: its name, low and high."""
    places = {word: name.lower().find(word.lower()) for word in DATA}
    mentioned = [word for word in DATA if places[word] >= 0]
    return DATA[min(mentioned, key=places.__getitem__)] if mentioned else ("unknown", 0, 1)
