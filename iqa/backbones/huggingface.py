"""CLIP, SigLIP2, DINOv2 and DINOv3, by transformers."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from iqa.backbones.encoding import Encoding, from_tokens
from iqa.backbones.hub import commit_of, hub_errors, misfit
from iqa.backbones.spec import BackboneSpec, Weights

# The other half of a model of images and texts, which checkpoints hold and we leave out.
_TEXTS = ("text_model.", "text_projection.", "logit_scale", "logit_bias")


def build(spec: BackboneSpec, weights: Weights) -> nn.Module:
    """The library's vision model."""
    # Imported here: it takes seconds, which a backbone of another library does without.
    import transformers

    kind = getattr(transformers, spec.model_id)
    if weights == "none":
        return kind(kind.config_class(**spec.options))
    commit = commit_of(spec)
    with hub_errors(spec), _without_report():
        model, report = kind.from_pretrained(
            spec.hub_id, revision=commit, dtype="float32", output_loading_info=True
        )
    _check(spec, model, report)
    return model


@contextmanager
def _without_report() -> Iterator[None]:
    """Without the library's table of keys that do not fit: `_check` says what matters of it."""
    logger = logging.getLogger("transformers.modeling_utils")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _check(spec: BackboneSpec, model: Any, report: dict[str, Any]) -> None:
    """See that every parameter was loaded and the checkpoint is of the architecture expected."""
    left_over = [key for key in report["unexpected_keys"] if not key.startswith(_TEXTS)]
    for what, keys in (("missing", report["missing_keys"]), ("unexpected", left_over)):
        if keys:
            raise misfit(spec, f"{what}: {sorted(keys)[0]}, {len(keys)} in all")
    # A scoring model that was saved is built again from these options.
    for key, value in spec.options.items():
        given = getattr(model.config, key)
        if given != value:
            raise misfit(spec, f"its {key} is {given}, expected {value}")


def _grid(spec: BackboneSpec, images: Tensor) -> tuple[int, int]:
    height, width = images.shape[-2:]
    return height // spec.patch, width // spec.patch


def encode_clip(spec: BackboneSpec, body: nn.Module, images: Tensor) -> Encoding:
    """Normalised images (N, 3, H, W) -> their encoding."""
    out = body(images, interpolate_pos_encoding=True)
    return from_tokens(out.last_hidden_state, spec.prefix, _grid(spec, images), out.image_embeds)


def encode_siglip2(spec: BackboneSpec, body: nn.Module, images: Tensor) -> Encoding:
    """Normalised images (N, 3, H, W) -> their encoding."""
    out = body(images, interpolate_pos_encoding=True)
    return from_tokens(out.last_hidden_state, spec.prefix, _grid(spec, images), out.pooler_output)


def encode_dino(spec: BackboneSpec, body: nn.Module, images: Tensor) -> Encoding:
    """Normalised images (N, 3, H, W) -> their encoding; positions are interpolated by the model."""
    out = body(images)
    return from_tokens(out.last_hidden_state, spec.prefix, _grid(spec, images))
