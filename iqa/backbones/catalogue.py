"""The table of backbones: what each one is, and where its weights come from."""

from iqa.backbones.convolutional_specs import CONVOLUTIONAL
from iqa.backbones.spec import BackboneSpec
from iqa.backbones.transformer_specs import TRANSFORMERS
from iqa.errors import unknown

REGISTRY: dict[str, BackboneSpec] = {spec.name: spec for spec in (*CONVOLUTIONAL, *TRANSFORMERS)}


def find(name: str) -> BackboneSpec:
    """The entry called `name`.

    Raises:
        UserError: No backbone has that name; the message lists those that exist.

    >>> find("efficientnet_lite0").dim
    1280
    """
    if name not in REGISTRY:
        raise unknown("backbone", name, list(REGISTRY))
    return REGISTRY[name]
