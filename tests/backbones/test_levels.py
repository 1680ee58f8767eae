import torch

from iqa.backbones import load


@torch.no_grad()
def test_levels_are_the_middle_and_the_last_map_of_one_network():
    images = torch.rand(2, 3, 64, 96)
    both = load("efficientnet_lite0/levels", weights="none", pooling="mean", seed=3)
    middle = load("efficientnet_lite0/middle", weights="none", pooling="mean", seed=3)
    last = load("efficientnet_lite0", weights="none", pooling="mean", seed=3)
    assert both.feature_map(images).shape == (2, 1392, 4, 6)
    expected = torch.cat([middle(images), last(images)], dim=1)
    torch.testing.assert_close(both(images), expected)


@torch.no_grad()
def test_the_upper_level_may_be_of_any_size():
    assert load("efficientnet_lite0/levels", weights="none")(torch.rand(1, 3, 72, 50)).shape == (
        1,
        2784,
    )
