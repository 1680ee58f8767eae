import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from iqa.explain import area, compare_orders, minus_random, random_heat
from iqa.explain.deletion import curves

RNG = np.random.default_rng(0)
WEIGHTS = RNG.uniform(0.5, 1, (4, 4))
SHARP, GONE = np.full((4, 4, 3), 100), np.zeros((4, 4, 3))


def linear(images):
    """A score that is a weighted sum over pixels."""
    return (images[..., 0] * WEIGHTS).sum((1, 2))


def test_a_linear_models_curves_are_the_sums_of_what_is_left():
    heat = RNG.permutation(16).reshape(4, 4)
    found = curves(SHARP, GONE, heat, 4, linear)
    order = np.argsort(-heat.ravel())
    weights = WEIGHTS.ravel()[order]
    left = [100 * weights[4 * k :].sum() for k in range(5)]
    np.testing.assert_allclose(found.deletion, left)
    np.testing.assert_allclose(found.insertion, [100 * weights.sum() - one for one in left])


def test_the_order_of_the_weights_is_the_best_of_all():
    best = curves(SHARP, GONE, WEIGHTS, 16, linear)
    worst = curves(SHARP, GONE, -WEIGHTS, 16, linear)
    for _ in range(20):
        other = curves(SHARP, GONE, RNG.random((4, 4)), 16, linear)
        assert area(best.deletion) <= area(other.deletion) <= area(worst.deletion)
        assert area(best.insertion) >= area(other.insertion) >= area(worst.insertion)


@pytest.mark.parametrize("heads", [1, 3])
def test_scores_of_several_heads_keep_their_places(heads):
    scales = np.arange(1, heads + 1)
    found = curves(SHARP, GONE, WEIGHTS, 3, lambda x: linear(x)[:, None] * scales)
    assert found.deletion.shape == (heads, 4)
    np.testing.assert_allclose(found.deletion[-1], heads * found.deletion[0])
    assert area(found.deletion).shape == (heads,)


def test_area_is_the_trapezoid_rule():
    curve = RNG.random(9)
    assert area(curve) == pytest.approx(np.trapezoid(curve, dx=1 / 8))
    assert area(np.full(5, 0.4)) == pytest.approx(0.4)


def test_noise_is_as_coarse_as_a_map():
    noise = random_heat((64, 64), (4, 4), np.random.default_rng(0))
    fine = random_heat((64, 64), (64, 64), np.random.default_rng(0))
    assert np.abs(np.diff(noise)).mean() < np.abs(np.diff(fine)).mean() / 5
    again = random_heat((64, 64), (4, 4), np.random.default_rng(0))
    np.testing.assert_array_equal(noise, again)


class Red(nn.Module):
    """The contrast of the red channel, as a feature gives it."""

    def forward(self, features):
        return features[:, 0]


def test_a_map_of_the_textured_half_beats_chance_and_its_opposite_does_not():
    image = np.full((16, 16, 3), 128, np.uint8)
    image[:, :8:2] = 255
    image[:, 1:8:2] = 0

    def contrast(images):
        return images[..., :1].astype(np.float32).std((1, 2)) / 255

    half = np.zeros((16, 16))
    half[:, :8] = 1
    rows = compare_orders(
        contrast,
        {"right": Red(), "wrong": Red()},
        image,
        {"right": half, "wrong": -half},
        [random_heat((16, 16), (4, 4), np.random.default_rng(i)) for i in range(4)],
        sigma=4,
        steps=4,
    )
    found = minus_random(rows.assign(group="one")).set_index("head")
    assert list(found.index) == ["right", "wrong"]
    assert found.loc["right", "deletion"] < 0 < found.loc["right", "insertion"]
    assert found.loc["wrong", "deletion"] > 0 > found.loc["wrong", "insertion"]
    starts = pd.concat([rows.assign(group="one", seed=seed) for seed in (8, 19)])
    assert minus_random(starts)[["head", "seed"]].to_numpy().tolist() == [
        ["right", 8],
        ["right", 19],
        ["wrong", 8],
        ["wrong", 19],
    ]
    ends = rows.pivot_table(index=["head", "kind", "order"], columns="share", values="score")
    np.testing.assert_allclose(ends.loc[("right", "deletion", "map"), 0], contrast(image[None])[0])


def test_a_mean_of_two_controls_is_taken():
    score = torch.nn.Identity()
    heads = {"h": nn.Sequential(score, nn.Flatten(0))}
    image = RNG.integers(0, 256, (8, 8, 3), np.uint8)

    def engine(images):
        return images[..., :1].astype(np.float32).std((1, 2))

    one, two = RNG.random((2, 8, 8))
    alone = [compare_orders(engine, heads, image, {"h": one}, [c], 2, 3) for c in (one, two)]
    both = compare_orders(engine, heads, image, {"h": one}, [one, two], 2, 3)
    chance = pd.concat(alone).query("order == 'random'").groupby(["kind", "share"])["score"].mean()
    found = both.query("order == 'random'").set_index(["kind", "share"])["score"]
    np.testing.assert_allclose(found.loc[chance.index], chance, rtol=1e-6)
