import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from iqa import backbones
from iqa.explain import (
    blur_region,
    concentration,
    localize,
    lowering,
    raising,
    regions,
    score_maps,
    sharp_photographs,
    signed_maps,
)
from iqa.explain.localization import Region
from iqa.heads import MLPHead

MASK = np.zeros((8, 8), bool)
MASK[:4, :2] = True  # an eighth of the area


class Negated(nn.Module):
    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, features):
        return -self.head(features)


@pytest.fixture(scope="module")
def backbone():
    return backbones.load("efficientnet_lite0/middle", "none").requires_grad_(False)


@pytest.fixture(scope="module")
def heads(backbone):
    torch.manual_seed(7)
    return {name: MLPHead.from_preset(name, 2 * backbone.spec.dim) for name in ("gelu", "sigmoid")}


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


def test_known_concentrations():
    assert concentration(MASK.astype(float), MASK) == pytest.approx(8)
    assert concentration(np.full((8, 8), 0.3), MASK) == pytest.approx(1)
    assert concentration((~MASK).astype(float), MASK) == 0
    assert np.isnan(concentration(np.zeros((8, 8)), MASK))


@given(arrays(float, (8, 8), elements=st.floats(0.01, 1)), st.floats(0.1, 10))
def test_concentration_has_no_scale_and_balances_with_the_rest(heat, factor):
    inside, outside = concentration(heat, MASK), concentration(heat, ~MASK)
    assert concentration(factor * heat, MASK) == pytest.approx(inside)
    assert inside / 8 + outside * 7 / 8 == pytest.approx(1)


def test_regions_lie_where_they_say_and_have_their_size():
    places = regions([0.25, 0.5])
    assert len({(place.name, place.side) for place in places}) == 10
    for place in places:
        mask = place.mask(32, 64)
        assert mask.mean() == pytest.approx(place.side**2)
        rows, columns = np.nonzero(mask)
        assert ("top" in place.name) == (rows.mean() < 15)
        assert ("right" in place.name) == (columns.mean() > 32.5)


def test_a_blur_stays_inside_its_region():
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    blurred = blur_region(image, MASK, 2)
    np.testing.assert_array_equal(blurred[~MASK], image[~MASK])
    assert blurred[MASK].std() < image[MASK].std() / 2


def test_both_signs_are_grad_cam_of_the_score_and_of_minus_the_score(backbone, heads, image):
    """Up to the library's order: it cuts off at 0 before it enlarges, and scales to [0, 1]."""
    maps, scores = signed_maps(backbone, heads, image[None])
    for name, head in heads.items():
        for part, of in ((raising, head), (lowering, Negated(head))):
            mine, theirs = part(maps[name][0]), score_maps(backbone, of, image[None])[0]
            assert mine.max() > 0
            assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.9
        alone, _ = signed_maps(backbone, {name: head}, image[None])
        np.testing.assert_allclose(alone[name], maps[name])
        assert scores[name].shape == (1,)


def test_a_table_row_is_what_its_region_gives(backbone, heads, image):
    places = regions([0.5])
    table = localize(backbone, heads, image, places, 3)
    assert len(table) == len(heads) * len(places)
    row = table[(table["head"] == "gelu") & (table["place"] == "centre")].iloc[0]
    mask = next(place for place in places if place.name == "centre").mask(64, 64)
    both = np.stack([image, blur_region(image, mask, 3)])
    maps, scores = signed_maps(backbone, heads, both)
    assert row["lowering"] == pytest.approx(concentration(lowering(maps["gelu"][1]), mask), 1e-3)
    assert row["lowering_before"] == pytest.approx(
        concentration(lowering(maps["gelu"][0]), mask), 1e-3
    )
    assert row["raising"] == pytest.approx(concentration(raising(maps["gelu"][1]), mask), 1e-3)
    assert row["change"] == pytest.approx(scores["gelu"][1] - scores["gelu"][0], abs=1e-4)


def test_references_come_before_the_best_rated():
    images = pd.DataFrame(
        {"group": ["a", "a", "b", "c"], "path": list("1234"), "target": [0.2, 0.9, 0.5, 0.7]}
    )
    assert list(sharp_photographs(images, 2)["path"]) == ["2", "4"]
    known = images.assign(reference=["A", "A", "B", "C"])
    assert list(sharp_photographs(known, 3)["path"]) == ["A", "C", "B"]


def test_a_region_may_be_wider_than_high_and_squares_are_as_they_were():
    for side, place in ((0.25, (0.1, 0.9)), (0.4, (0.5, 0.5)), (0.333, (0.9, 0.1))):
        square = Region("", side, *place)
        rows, columns = round(side * 50), round(side * 70)
        top, left = round(place[0] * (50 - rows)), round(place[1] * (70 - columns))
        expected = np.zeros((50, 70), bool)
        expected[top : top + rows, left : left + columns] = True
        np.testing.assert_array_equal(square.mask(50, 70), expected)
        np.testing.assert_array_equal(Region("", side, *place, side).mask(50, 70), expected)
    rows, columns = np.nonzero(Region("", 0.25, 0, 1, 0.5).mask(8, 8))
    assert (set(rows), set(columns)) == ({0, 1}, {4, 5, 6, 7})
