"""What there is to know about a backbone before it is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from iqa.errors import UserError

# "pretrained" takes the weights the entry names; "none" is a random initialisation on request.
Weights = Literal["pretrained", "none"]

# Below it the last layers of a convolutional network have nothing left to look at.
SMALLEST_INPUT = 32


@dataclass(frozen=True)
class BackboneSpec:
    """One image encoder.

    Attributes:
        name: The name users write.
        family: Which code builds and runs it, a key of `iqa.backbones.model.FAMILIES`.
        library: The library whose model it is.
        model_id: The library's own name for the architecture.
        source: `"bundled"`: the weights are a file in a pip package; `"hub"`: they are downloaded;
            `"none"`: there are none, it is a miniature for tests.
        dim: C, the channels of the feature map.
        input_size: The side of the square input used unless another is asked for, in pixels.
        mean: Mean subtracted from RGB in [0, 1].
        std: What the difference is divided by.
        pooling: The pooling used unless another is asked for.
        licence: The licence of the weights.
        cam_layer: The submodule Grad-CAM looks at. Of a convolutional network, the last whose
            output is a (N, C, h, w) map; of a transformer, the first normalisation of the last
            block, beyond which a pooling that reads the class token only leaves no gradient.
        lora_targets: The submodules of the body that adapters sit on, as a regular expression that
            their whole name matches.
        options: The architecture, in the words of the library's configuration.
        package: The pip package of bundled weights.
        weights_file: The file inside `package`.
        sha256: The checksum of that file; features are cached under it.
        hub_id: The hub's repository of the weights.
        gated: Whether the hub gives them only to those who accepted the licence there.
        revision: Its commit; None where no commit is known to be the paper's, then the one that is
            in the hub's cache, else the newest, is taken.
        patch: The side of a patch in pixels; input sides are multiples of it. 1 of convolutions.
        prefix: How many tokens (class, registers) precede those of the patches.
        own_pooling: The pooling that only this model has, `"map"` or `"projection"`, if any.
        own_dim: D of that pooling.
        blocks: How many of the network's (groups of) blocks are run; None runs all of it.
        paper: Where it stands for one of the paper's backbones: how sure that is.
    """

    name: str
    family: str
    library: str
    model_id: str
    source: Literal["bundled", "hub", "none"]
    dim: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    pooling: str
    licence: str
    cam_layer: str
    lora_targets: str
    options: Mapping[str, Any] = field(default_factory=dict)
    package: str = ""
    weights_file: str = ""
    sha256: str = ""
    hub_id: str = ""
    gated: bool = False
    revision: str | None = None
    patch: int = 1
    prefix: int = 0
    own_pooling: str = ""
    own_dim: int = 0
    blocks: int | None = None
    paper: str = ""


def check_input_size(spec: BackboneSpec, size: int) -> int:
    """Give `size`, a side of the input in pixels, back when `spec` can take it.

    Raises:
        UserError: It is too small, or no multiple of the patch: what remains at the border would be
            left out unseen. The message names the sizes next to it.
    """
    if size < SMALLEST_INPUT:
        raise UserError(f"input size {size}: give at least {SMALLEST_INPUT} pixels")
    if size % spec.patch:
        below = size - size % spec.patch
        sizes = [side for side in (below, below + spec.patch) if side >= SMALLEST_INPUT]
        raise UserError(
            f"input size {size}: backbone {spec.name!r} takes multiples of its patch of "
            f"{spec.patch} pixels; the next are {' and '.join(map(str, sizes))}"
        )
    return size
