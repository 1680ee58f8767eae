"""The vision transformers: CLIP, SigLIP2, DINOv2, DINOv3 and the Perception Encoder.

Each has a base size under its bare name, one that stands for the paper's, and a miniature of the
same code for tests. Of the paper's checkpoints only SigLIP2's is known; for the others the large
size of the family stands.
"""

from dataclasses import replace
from typing import Any

from iqa.backbones.spec import BackboneSpec

_UNKNOWN = "checkpoint unknown"
_HALF = (0.5, 0.5, 0.5)
_QUERY_KEY = r".*\.(q_proj|k_proj)"


def _vit(width: int, depth: int, heads: int, **others: Any) -> dict[str, Any]:
    """A vision transformer in the words of transformers' configurations."""
    return {
        "hidden_size": width,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        **others,
    }


def _tiny(spec: BackboneSpec, options: dict[str, Any], **others: Any) -> BackboneSpec:
    """A miniature of `spec`: random weights only."""
    name = spec.name.partition("/")[0]
    facts: dict[str, Any] = {
        "dim": 32,
        "input_size": 4 * spec.patch,
        "source": "none",
        "hub_id": "",
        "gated": False,
    }
    return replace(spec, name=f"{name}/tiny", options=options, licence="-", **facts | others)


def _clip(depth: int, width: int, heads: int, patch: int, size: int, projected: int) -> dict:
    return _vit(
        width,
        depth,
        heads,
        intermediate_size=4 * width,
        projection_dim=projected,
        patch_size=patch,
        image_size=size,
        hidden_act="quick_gelu",
        layer_norm_eps=1e-5,
    )


_CLIP = BackboneSpec(
    name="clip",
    family="clip",
    library="transformers",
    model_id="CLIPVisionModelWithProjection",
    source="hub",
    hub_id="openai/clip-vit-base-patch16",
    options=_clip(12, 768, 12, 16, 224, 512),
    dim=768,
    own_pooling="projection",
    own_dim=512,
    input_size=224,
    patch=16,
    prefix=1,
    mean=(0.48145466, 0.4578275, 0.40821073),
    std=(0.26862954, 0.26130258, 0.27577711),
    pooling="projection",
    licence="MIT",
    cam_layer="body.vision_model.encoder.layers.11.layer_norm1",
    lora_targets=_QUERY_KEY,
)

_CLIPS = [
    _CLIP,
    replace(
        _CLIP,
        name="clip/large-336",
        hub_id="openai/clip-vit-large-patch14-336",
        options=_clip(24, 1024, 16, 14, 336, 768),
        dim=1024,
        own_dim=768,
        input_size=336,
        patch=14,
        cam_layer="body.vision_model.encoder.layers.23.layer_norm1",
        paper=_UNKNOWN,
    ),
    _tiny(
        _CLIP,
        _clip(2, 32, 2, 16, 64, 24),
        own_dim=24,
        cam_layer="body.vision_model.encoder.layers.1.layer_norm1",
    ),
]


def _siglip(depth: int, width: int, heads: int, hidden: int, size: int) -> dict:
    return _vit(
        width,
        depth,
        heads,
        intermediate_size=hidden,
        patch_size=16,
        image_size=size,
        hidden_act="gelu_pytorch_tanh",
        layer_norm_eps=1e-6,
    )


_SIGLIP2 = BackboneSpec(
    name="siglip2",
    family="siglip2",
    library="transformers",
    model_id="SiglipVisionModel",
    source="hub",
    hub_id="google/siglip2-base-patch16-224",
    options=_siglip(12, 768, 12, 3072, 224),
    dim=768,
    own_pooling="map",
    own_dim=768,
    input_size=224,
    patch=16,
    mean=_HALF,
    std=_HALF,
    pooling="map",
    licence="Apache-2.0",
    cam_layer="body.encoder.layers.11.layer_norm1",
    lora_targets=_QUERY_KEY,
)

_SIGLIPS = [
    _SIGLIP2,
    replace(
        _SIGLIP2,
        name="siglip2/so400m-512",
        hub_id="google/siglip2-so400m-patch16-512",
        options=_siglip(27, 1152, 16, 4304, 512),
        dim=1152,
        own_dim=1152,
        input_size=512,
        cam_layer="body.encoder.layers.26.layer_norm1",
        paper="its checkpoint",
    ),
    _tiny(
        _SIGLIP2,
        _siglip(2, 32, 2, 64, 64),
        own_dim=32,
        cam_layer="body.encoder.layers.1.layer_norm1",
    ),
]


def _dinov2(depth: int, width: int, heads: int, size: int) -> dict:
    return _vit(
        width,
        depth,
        heads,
        mlp_ratio=4,
        patch_size=14,
        image_size=size,
        hidden_act="gelu",
        layer_norm_eps=1e-6,
        qkv_bias=True,
        use_swiglu_ffn=False,
    )


_DINOV2 = BackboneSpec(
    name="dinov2",
    family="dino",
    library="transformers",
    model_id="Dinov2Model",
    source="hub",
    hub_id="facebook/dinov2-base",
    options=_dinov2(12, 768, 12, 518),
    dim=768,
    input_size=224,
    patch=14,
    prefix=1,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    pooling="tokens",
    licence="Apache-2.0",
    cam_layer="body.encoder.layer.11.norm1",
    lora_targets=_QUERY_KEY,
)

_DINOV2S = [
    _DINOV2,
    replace(
        _DINOV2,
        name="dinov2/large",
        hub_id="facebook/dinov2-large",
        options=_dinov2(24, 1024, 16, 518),
        dim=1024,
        input_size=518,
        cam_layer="body.encoder.layer.23.norm1",
        paper=_UNKNOWN,
    ),
    _tiny(_DINOV2, _dinov2(2, 32, 2, 56), cam_layer="body.encoder.layer.1.norm1"),
]


def _dinov3(depth: int, width: int, heads: int) -> dict:
    return _vit(
        width,
        depth,
        heads,
        intermediate_size=4 * width,
        patch_size=16,
        num_register_tokens=4,
        hidden_act="gelu",
        layer_norm_eps=1e-5,
        rope_theta=100.0,
        key_bias=False,
        use_gated_mlp=False,
    )


_DINOV3 = replace(
    _DINOV2,
    name="dinov3",
    model_id="DINOv3ViTModel",
    hub_id="facebook/dinov3-vitb16-pretrain-lvd1689m",
    options=_dinov3(12, 768, 12),
    patch=16,
    prefix=5,
    licence="DINOv3 License",
    gated=True,
    cam_layer="body.model.layer.11.norm1",
)

_DINOV3S = [
    _DINOV3,
    replace(
        _DINOV3,
        name="dinov3/large",
        hub_id="facebook/dinov3-vitl16-pretrain-lvd1689m",
        options=_dinov3(24, 1024, 16),
        dim=1024,
        input_size=512,
        cam_layer="body.model.layer.23.norm1",
        paper=_UNKNOWN,
    ),
    _tiny(_DINOV3, _dinov3(2, 32, 2), cam_layer="body.model.layer.1.norm1"),
]

# The paper's code takes the output of block 18; of the 24 of the large size that is three quarters,
# which for the 12 of the base size makes 9. How it is pooled is unknown: as in the DINOs, over all
# tokens.
_PERCEPTION = BackboneSpec(
    name="perception",
    family="perception",
    library="timm",
    model_id="vit_pe_core_base_patch16_224.fb",
    source="hub",
    hub_id="timm/vit_pe_core_base_patch16_224.fb",
    dim=768,
    input_size=224,
    patch=16,
    prefix=1,
    mean=_HALF,
    std=_HALF,
    pooling="tokens",
    licence="Apache-2.0",
    cam_layer="body.blocks.8.norm1",
    lora_targets=_QUERY_KEY,
    blocks=9,
)

_PERCEPTIONS = [
    _PERCEPTION,
    replace(
        _PERCEPTION,
        name="perception/large-336",
        model_id="vit_pe_core_large_patch14_336.fb",
        hub_id="timm/vit_pe_core_large_patch14_336.fb",
        dim=1024,
        input_size=336,
        patch=14,
        cam_layer="body.blocks.17.norm1",
        blocks=18,
        paper=_UNKNOWN,
    ),
    _tiny(
        _PERCEPTION,
        {"img_size": 64, "embed_dim": 32, "depth": 4, "num_heads": 2, "attn_pool_num_heads": 2},
        model_id="vit_pe_core_base_patch16_224",
        cam_layer="body.blocks.2.norm1",
        blocks=3,
    ),
]

TRANSFORMERS = [*_CLIPS, *_SIGLIPS, *_DINOV2S, *_DINOV3S, *_PERCEPTIONS]
