"""Scores without training on ratings: an image between two opposite sentences (CLIP-IQA)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from textwrap import shorten

import open_clip
import torch
from huggingface_hub import is_offline_mode
from open_clip.pretrained import get_pretrained_cfg
from torch import Tensor, nn
from torch.nn import functional as F

from iqa.backbones.hub import hub_or_cache
from iqa.errors import UserError
from iqa.models import ModelInfo

PROMPTS = ("Good photo.", "Bad photo.")


class ZeroShot(nn.Module):
    """The probability of the first of two prompts, given an image.

    score = exp(s cos(x, t1)) / (exp(s cos(x, t1)) + exp(s cos(x, t2))), where x is the image's
    embedding, t1 and t2 are the prompts' and s is the scale that the model learned for its
    similarities. Source: antonym prompt pairing, Wang, Chan, Loy, "Exploring CLIP for Assessing
    the Look and Feel of Images", AAAI 2023 (arXiv:2207.12396), with s as in the authors' code. Two
    differences: they drop CLIP's position embedding to feed images at their own size, here images
    are resized to the model's square; and other models than CLIP are allowed. SigLIP was trained
    with sigmoids of s cos + b in place of a softmax; b is the same for both prompts and cancels.

    Args:
        clip: an open_clip model; only its image tower is kept.
        tokens: (2, L), the better prompt first.
    """

    mean: Tensor
    std: Tensor
    texts: Tensor
    scale: Tensor

    def __init__(self, clip: open_clip.CLIP | open_clip.CustomTextCLIP, tokens: Tensor) -> None:
        super().__init__()
        self.visual = clip.visual
        preprocess = open_clip.get_model_preprocess_cfg(clip)
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(preprocess[name]).view(1, 3, 1, 1))
        with torch.no_grad():
            self.register_buffer("texts", clip.encode_text(tokens, normalize=True))
            self.register_buffer("scale", clip.logit_scale.exp())

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, S, S) RGB floats in [0, 1], S the model's own size -> scores (N,) in [0, 1]."""
        embeddings = F.normalize(self.visual((images - self.mean) / self.std), dim=-1)
        logits = self.scale * embeddings @ self.texts.T  # (N, 2)
        return logits.softmax(dim=1)[:, 0]


def open_zero_shot(spec: str) -> tuple[nn.Module, ModelInfo]:
    """The zero-shot scorer of a CLIP, SigLIP or PE model of open_clip.

    Args:
        spec: `MODEL/PRETRAINED` as open_clip names them, such as `ViT-B-32/openai`. `MODEL` alone
            takes the first weights that open_clip lists for it, `MODEL/none` random ones.

    Returns:
        The scorer, in evaluation mode, in float32, on the CPU, and what it is.

    Raises:
        UserError: the model or the weights are unknown, or they or the model's tokenizer are
            neither cached nor can be downloaded. Random weights never stand in for them.
    """
    name, tag = _known(spec)
    with hub_or_cache():
        # CLIP's and PE's tokenizer comes with open_clip; SigLIP's is on the hub, even for "none".
        tokens = _tokens(name)
        model = ZeroShot(_clip(name, tag), tokens).eval()
    size = open_clip.get_model_config(name)["vision_cfg"]["image_size"]
    return model, ModelInfo(
        name=f"zero-shot:{name}/{tag}",
        backbone=f"{name}/{tag}",
        head=" or ".join(PROMPTS),
        input_size=size,
        trained_on="no ratings",
        untrained=tag == "none",
    )


def _known(spec: str) -> tuple[str, str]:
    """The model and the tag of `spec`, both known to open_clip."""
    name, _, tag = spec.partition("/")
    configs = {known: open_clip.get_model_config(known) for known in open_clip.list_models()}
    # CoCa is more than a pair of towers: its image tower gives tokens for a decoder besides.
    names = [known for known, config in configs.items() if "multimodal_cfg" not in config]
    if name not in names:
        raise UserError(
            f"zero-shot: open_clip has no CLIP model {name!r}; {_close(name, names)}, and "
            "`open_clip.list_models()` lists all"
        )
    tags = open_clip.list_pretrained_tags_by_model(name)
    if not tag and not tags:
        raise UserError(
            f"zero-shot: open_clip lists no weights for {name!r}; choose another model, or "
            f"{name}/none (untrained)"
        )
    tag = tag or tags[0]
    if tag not in [*tags, "none"]:
        raise UserError(
            f"zero-shot: open_clip has no weights {tag!r} for {name!r}; "
            f"{_close(tag, [*tags, 'none'])}"
        )
    return name, tag


def _close(name: str, names: list[str]) -> str:
    """Up to five of `names` that look like `name`, or the first five."""
    lower = {known.lower(): known for known in names}
    found = [lower[key] for key in get_close_matches(name.lower(), lower, n=5)]
    return f"close names are {', '.join(found)}" if found else f"such as {', '.join(names[:5])}"


def _clip(name: str, tag: str) -> open_clip.CLIP | open_clip.CustomTextCLIP:
    untrained = tag == "none"
    quick_gelu = get_pretrained_cfg(name, tag).get("quick_gelu", False)
    try:
        with _quiet(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            clip = open_clip.create_model(
                name,
                pretrained=None if untrained else tag,
                require_pretrained=not untrained,
                pretrained_text=False,
                # open_clip only warns when weights were trained with another activation.
                force_quick_gelu=quick_gelu,
            )
            return clip.eval()
    # Hub, network, file and checkpoint each fail in types of their own.
    except Exception as error:
        raise UserError(
            f"zero-shot {name}/{tag}: the weights cannot be loaded ({_reason(error)}); run it once "
            f"with access to the hub, or ask for {name}/none (untrained)"
        ) from error


def _tokens(name: str) -> Tensor:
    try:
        with _quiet():
            return open_clip.get_tokenizer(name)(list(PROMPTS))
    except Exception as error:
        raise UserError(
            f"zero-shot {name}: its tokenizer is on the hub and cannot be loaded "
            f"({_reason(error)}); run it once with access to the hub, or choose a model whose "
            "tokenizer comes with open_clip, such as ViT-B-32"
        ) from error


def _reason(error: Exception) -> str:
    said = shorten(str(error), 320, placeholder=" ...")
    return (
        f"the hub does not answer, or HF_HUB_OFFLINE is set: {said}" if is_offline_mode() else said
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines: what fails is raised as well, and the caller tells it in one line."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
