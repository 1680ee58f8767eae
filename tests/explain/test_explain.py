import numpy as np
import pytest
import torch
from torch import nn

from iqa import backbones
from iqa.errors import UserError
from iqa.explain import FEATURE, embed, hidden_spaces, overlay, quality_buckets, score_maps
from iqa.heads import MLPHead
from iqa.training import HeadTraining, train_heads


@pytest.fixture(scope="module")
def backbone():
    return backbones.load("efficientnet_lite0/middle", "none")


def test_a_map_is_the_formula(backbone):
    """ReLU of the channels weighed by their mean gradient, written out, before any resizing."""
    torch.manual_seed(0)
    head = MLPHead.from_preset("tanh", 2 * backbone.spec.dim)
    size = 64
    image = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    pixels = torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255
    maps = backbone.feature_map(pixels).detach().requires_grad_()
    head(backbones.POOLINGS[backbone.pooling](backbones.Encoding(maps))).sum().backward()
    weights = maps.grad.mean((2, 3), keepdim=True)
    expected = (weights * maps).sum(1).relu().detach().numpy()[0]
    found = score_maps(backbone, head, image)[0]
    assert found.shape == (size, size)
    # The map is enlarged; its cells' centres keep the order of the formula's values.
    centres = found[8::16, 8::16]
    assert np.corrcoef(centres.ravel(), expected.ravel())[0, 1] > 0.9
    assert found.min() >= 0
    assert found.max() <= 1


def test_maps_do_not_depend_on_their_neighbours(backbone):
    head = MLPHead.from_preset("gelu", 2 * backbone.spec.dim)
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    together = score_maps(backbone, head, images)
    alone = np.concatenate([score_maps(backbone, head, images[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_score_that_nothing_raises_gives_an_empty_map(backbone):
    class Constant(nn.Module):
        def forward(self, features):
            return 0 * features.sum(1)

    image = np.full((1, 64, 64, 3), 100, np.uint8)
    assert score_maps(backbone, Constant(), image).max() == 0


def test_overlay_keeps_the_picture_visible():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    blended = overlay(image, np.zeros((8, 8), np.float32))
    assert blended.dtype == np.uint8
    assert np.corrcoef(image.ravel(), blended.ravel())[0, 1] > 0.8


def test_buckets_are_equally_filled():
    buckets = quality_buckets(np.random.default_rng(0).permutation(100))
    np.testing.assert_array_equal(np.bincount(buckets), [25] * 4)


def test_numbers_tell_ordered_features_from_noise():
    rng = np.random.default_rng(0)
    target = rng.uniform(size=80)
    groups = np.arange(80) % 4
    buckets = quality_buckets(target)
    along = target[:, None] * np.ones(5) + rng.normal(0, 0.01, (80, 5))
    ordered = embed(along, target, groups, buckets)
    noise = embed(rng.normal(size=(80, 5)), target, groups, buckets)
    assert ordered.neighbour_srcc > 0.95
    assert abs(noise.neighbour_srcc) < 0.4
    assert ordered.silhouette > noise.silhouette + 0.2
    assert ordered.points.shape == (80, 2)


def test_neighbours_of_the_same_content_do_not_count():
    """Features that only know the content say nothing about the quality of another one."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(8), 10)
    level = rng.uniform(size=8)[groups]
    hidden = 10 * np.eye(8)[groups] + rng.normal(0, 0.1, (80, 8))
    found = embed(hidden, level, groups, quality_buckets(level))
    assert found.silhouette_groups > 0.9
    assert found.neighbour_srcc < 0.5


def test_too_few_images_to_embed_is_said():
    with pytest.raises(UserError, match="20 images: at least 25 are needed; take a larger data"):
        embed(np.zeros((20, 3)), np.zeros(20), np.arange(20) % 4, np.zeros(20))


@pytest.mark.parametrize(("groups", "neighbours_known"), [(np.zeros(40), False), (range(40), True)])
def test_what_one_content_or_single_images_cannot_say_is_left_open(groups, neighbours_known):
    rng = np.random.default_rng(0)
    target = rng.uniform(size=40)
    found = embed(rng.normal(size=(40, 3)), target, groups, quality_buckets(target))
    assert np.isnan(found.silhouette_groups)
    assert np.isnan(found.neighbour_srcc) != neighbours_known
    assert not np.isnan(found.silhouette)


def test_spaces_are_the_heads_own_and_what_they_are_given():
    rng = np.random.default_rng(0)
    features = rng.normal(3, 2, (60, 4)).astype(np.float32)
    trained = train_heads(
        features, rng.random(60), range(40), range(40, 60), ["relu", "gelu"], [8],
        HeadTraining(epochs=1, hidden=6),
    )  # fmt: skip
    spaces = hidden_spaces(trained, features, 8)
    assert list(spaces) == [FEATURE, "relu", "gelu"]
    np.testing.assert_allclose(spaces[FEATURE][:40].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(spaces[FEATURE][:40].std(0), 1, atol=1e-4)
    head = trained.head("gelu", 8)
    scores = spaces["gelu"] @ head.fc3.weight.detach().numpy()[0] + head.fc3.bias.item()
    np.testing.assert_allclose(scores, trained.predict(features)[1, 0], atol=1e-5)
