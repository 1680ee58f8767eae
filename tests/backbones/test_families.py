"""Each family in miniature, from features to a saved model: the code that the large sizes run."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch

from iqa import backbones
from iqa.backbones import add_lora, feature_dim, find, load, merge_lora, perception
from iqa.errors import UserError
from iqa.explain import score_maps
from iqa.features.engine import openvino_engine
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, load_model, save_model

TINY = [name for name, spec in backbones.REGISTRY.items() if spec.source == "none"]
TRANSFORMERS = [name for name in TINY if find(name).patch > 1]


def images(name, size=None, count=2):
    size = size or find(name).input_size
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=TINY)
def name(request):
    return request.param


@pytest.mark.parametrize("scale", [1, 1.5])
def test_an_encoding_has_the_shapes_the_entry_says(name, scale):
    """At the size of its position encodings, and at one they are interpolated to."""
    spec, backbone = find(name), load(name, "none")
    size = int(scale * spec.input_size)
    encoding = backbone.encode(images(name, size))
    cell = spec.patch if spec.patch > 1 else 32
    assert encoding.patches.shape == (2, spec.dim, size // cell, size // cell)
    assert (encoding.prefix.shape[1] if spec.prefix else encoding.prefix) == (spec.prefix or None)
    assert (encoding.own is not None) == bool(spec.own_pooling)


def test_every_pooling_has_the_length_that_is_told(name):
    for pooling, length in backbones.poolings(find(name)).items():
        features = load(name, "none", pooling)(images(name))
        assert features.shape == (2, length)
        assert feature_dim(find(name), pooling) == length
        assert torch.isfinite(features).all()


def test_a_map_has_the_height_and_width_of_the_image(name):
    spec = find(name)
    wide = torch.rand(1, 3, 2 * spec.input_size, 3 * spec.input_size)
    height, width = load(name, "none").feature_map(wide).shape[2:]
    assert width * 2 == height * 3


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_tokens_lie_where_their_patches_are(name):
    """With positions left out of account, a patch that differs shows at its place of the map.

    Attention spreads a change to all tokens; the token of the changed patch moves most.
    """
    backbone = load(name, "none")
    spec = find(name)
    plain = torch.full((1, 3, spec.input_size, spec.input_size), 0.5)
    changed = plain.clone()
    row, column, side = 1, 2, spec.patch
    place = (slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side))
    changed[0, :, *place] = torch.rand(3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        moved = (backbone.feature_map(changed) - backbone.feature_map(plain)).norm(dim=1)[0]
    assert divmod(int(moved.argmax()), moved.shape[1]) == (row, column)


def test_mean_and_std_are_applied(name):
    backbone = load(name, "none")
    spec = find(name)
    plain = replace(spec, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    bare = backbones.Backbone(plain, backbone.body, untrained=True, pooling=spec.pooling)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (spec.mean, spec.std))
    with torch.no_grad():
        given = backbone(images(name))
        torch.testing.assert_close(given, bare((images(name) - mean) / std))
        assert not torch.allclose(given, bare(images(name)), rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "pooling", "said"),
    [
        ("siglip2/tiny", "cls", "'siglip2/tiny' has no pooling 'cls': choose one of mean, .*map"),
        ("resnet/tiny", "tokens", "choose one of mean, std, max, mean"),
        ("dinov3/tiny", "map", "choose one of .*tokens, cls"),
        ("clip/tiny", "map", "choose one of .*projection"),
    ],
)
def test_a_pooling_the_backbone_lacks_names_those_it_has(name, pooling, said):
    with pytest.raises(UserError, match=said):
        load(name, "none", pooling)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("dinov2/tiny", 512, "multiples of its patch of 14 pixels; the next are 504 and 518"),
        ("siglip2/tiny", 40, "the next are 32 and 48"),
        ("clip/tiny", 16, "at least 32 pixels"),
    ],
)
def test_a_size_that_does_not_fit_names_those_that_do(name, size, said):
    with pytest.raises(UserError, match=said):
        load(name, "none")(images(name, size))


def stepped(backbone):
    """Two steps on whatever is trainable; what moved."""
    before = copy.deepcopy(backbone.state_dict())
    trainable = [value for value in backbone.parameters() if value.requires_grad]
    optimiser = torch.optim.Adam(
        trainable, lr=0.01, eps=1e-30
    )  # moves by lr, however small the gradient
    for _ in range(2):  # at the first step an adapter's B is zero, so its A has no gradient
        optimiser.zero_grad()
        backbone(images(backbone.spec.name)).pow(4).mean().backward()
        optimiser.step()
    return {name for name, value in backbone.state_dict().items() if (value != before[name]).any()}


def test_lora_moves_its_adapters_only_and_merges_to_the_same_features(name):
    backbone = load(name, "none")
    names = list(backbone.state_dict())
    add_lora(backbone, dropout=0)
    adapters = {key for key in backbone.state_dict() if ".lora_" in key}
    assert stepped(backbone) == adapters
    with torch.no_grad():
        adapted = backbone(images(name))
        torch.testing.assert_close(
            merge_lora(backbone)(images(name)), adapted, atol=1e-5, rtol=1e-4
        )
    assert list(backbone.state_dict()) == names


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_lora_on_a_transformer_is_on_the_queries_and_keys_of_all_blocks(name):
    backbone = add_lora(load(name, "none"))
    blocks = find(name).blocks or find(name).options["num_hidden_layers"]
    keys = [key for key, value in backbone.named_parameters() if value.requires_grad]
    assert all(".q_proj." in key or ".k_proj." in key for key in keys)
    assert len(keys) == blocks * 2 * 2  # blocks, two projections, A and B


def test_a_full_step_moves_every_parameter_that_the_feature_depends_on(name):
    backbone = load(name, "none").train()
    moved = stepped(backbone)
    # A mask token is for pretraining; the rest of CLIP and SigLIP2 is read by their own poolings.
    idle = {key for key, _ in backbone.named_parameters() if "mask_token" not in key} - moved
    assert {
        key for key in idle if "k_proj.bias" not in key
    } == set()  # softmax ignores a key's bias


def test_gradients_with_checkpoints_are_the_same(name):
    plain, saving = load(name, "none").train(), load(name, "none").train()
    saving.checkpoint_gradients()
    grads = []
    for backbone in (plain, saving):
        torch.manual_seed(0)  # DINOv3 jitters positions in training
        backbone(images(name)).pow(2).mean().backward()
        grads.append([p.grad for p in backbone.parameters() if p.grad is not None])
    for given, expected in zip(*grads, strict=True):
        torch.testing.assert_close(given, expected)


def test_without_a_switch_for_checkpoints_it_is_said():
    with pytest.raises(UserError, match="has no gradient checkpointing"):
        load("efficientnet_lite0/middle", "none").checkpoint_gradients()


@pytest.mark.parametrize("frozen", [False, True])
def test_grad_cam_has_the_shape_of_the_image_and_something_on_it(name, frozen):
    backbone = load(name, "none").requires_grad_(not frozen)
    torch.manual_seed(0)
    head = MLPHead.from_preset("tanh", feature_dim(find(name)), 16)
    size = find(name).input_size
    pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    maps = score_maps(backbone, head, pictures)
    opposite = score_maps(backbone, lambda_head(head), pictures)
    assert maps.shape == (2, size, size)
    # A map may be empty where nothing raises the score; then something lowers it.
    assert (maps + opposite).max() > 0.9
    assert maps.min() >= 0


def lambda_head(head):
    class Opposite(torch.nn.Module):
        def forward(self, features):
            return -head(features)

    return Opposite()


def test_openvino_agrees_with_pytorch(name):
    backbone = load(name, "none")
    size = int(1.5 * find(name).input_size)  # positions are interpolated
    pictures = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
    with torch.no_grad():
        expected = backbone(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255).numpy()
    given = openvino_engine(backbone, size)(pictures)
    np.testing.assert_allclose(given, expected, atol=1e-4)


def test_a_saved_model_scores_alike(name, tmp_path):
    spec = find(name)
    torch.manual_seed(1)
    head = MLPHead.from_preset("gated", feature_dim(spec), 16)
    model = QualityModel(load(name, "none", seed=7), head).eval()
    facts = {"backbone": name, "pooling": spec.pooling, "head": "gated", "untrained": True}
    info = ModelInfo(name="tiny", input_size=spec.input_size, trained_on="nothing", **facts)
    save_model(tmp_path / "m.safetensors", model, info)
    again, _ = load_model(tmp_path / "m.safetensors")
    with torch.no_grad():
        assert torch.equal(model(images(name)), again(images(name)))


def test_perception_with_queries_keys_and_values_apart_is_the_librarys_fused_model():
    """Its own forward_intermediates, of the fused network, to the block that we stop at."""
    spec = find("perception/tiny")
    torch.manual_seed(0)
    fused = timm.create_model(spec.model_id, **spec.options).eval()
    backbone = load(spec.name, "none")
    parts = perception.unfused(fused.state_dict())
    kept = {key: parts[key] for key in backbone.body.state_dict()}
    backbone.body.load_state_dict(kept)
    pictures = images(spec.name)
    with torch.no_grad():
        (tokens, prefix) = fused.forward_intermediates(
            (pictures - 0.5) / 0.5,
            indices=[spec.blocks - 1],
            return_prefix_tokens=True,
            intermediates_only=True,
        )[0]
        given = backbone.encode(pictures)
    torch.testing.assert_close(given.patches, tokens, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(given.prefix, prefix, atol=1e-6, rtol=1e-6)


LARGE = {"siglip2/so400m-512": 497_664, "clip/large-336": 393_216, "dinov2/large": 393_216}
LARGE |= {"dinov3/large": 393_216, "perception/large-336": 294_912}


@pytest.mark.parametrize("name", LARGE)
def test_adapters_of_the_papers_size(name):
    """Blocks x 2 projections x 2 matrices x width x rank 4; of SigLIP2 the paper's adapters' count.

    PAPER.md counts 497,664 useful parameters in the authors' released adapters.
    """
    spec = find(name)
    with torch.device("meta"):
        backbone = add_lora(load(name, "none"))
    blocks = spec.blocks or spec.options["num_hidden_layers"]
    count = sum(value.numel() for value in backbone.parameters() if value.requires_grad)
    assert count == LARGE[name] == blocks * 2 * 2 * spec.dim * 4
    backbone.get_submodule(spec.cam_layer)
