from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from iqa.backbones import load
from iqa.errors import UserError
from iqa.heads import MLPHead
from iqa.models import QualityModel
from iqa.training import AboveStem, FineTuning, ScoredImages, fine_tune, predict, stem_maps
from iqa.training.examples import Augmentation

NAME = "efficientnet_lite0/levels"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    rng = np.random.default_rng(0)
    folder, paths = tmp_path_factory.mktemp("images"), []
    for name in "abcdef":
        paths.append(str(folder / f"{name}.png"))
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(paths[-1])
    return paths, np.linspace(0.1, 0.9, len(paths))


@pytest.fixture
def backbone():
    return load(NAME, weights="none", seed=4)


@pytest.fixture(scope="module")
def maps(drawn):
    return stem_maps(load(NAME, weights="none", seed=4), *drawn, 64)


def model_of(backbone):
    torch.manual_seed(0)
    return QualityModel(backbone, MLPHead.from_preset("sigmoid", 2784, 16)).eval()


def test_scores_from_maps_are_those_of_the_images(drawn, backbone, maps):
    whole = model_of(backbone)
    above = QualityModel(AboveStem(backbone), whole.head)
    np.testing.assert_allclose(
        predict(above, maps), predict(whole, ScoredImages(*drawn, 64)), atol=2e-3
    )


def test_the_second_maps_are_those_of_the_mirror_images(drawn, backbone, maps, tmp_path):
    turned = Image.open(drawn[0][1]).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turned.save(tmp_path / "turned.png")
    alone = stem_maps(backbone, [str(tmp_path / "turned.png")], [0.5], 64)
    np.testing.assert_array_equal(alone.maps[0, 0], maps.maps[1, 1])


def test_training_changes_the_layers_above_the_stem_in_place(backbone, maps):
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    model = QualityModel(AboveStem(backbone), model_of(backbone).head)
    config = FineTuning(regime="full", epochs=1, batch_size=2, crop=32, flip=True)
    fine_tune(model, maps.take([0, 1, 2, 3]), maps.take([4, 5]), config)
    changed = {n for n, value in backbone.state_dict().items() if not value.equal(before[n])}
    assert {name.split(".")[1] for name in changed} == {"middle", "last"}
    assert not any("running" in name for name in changed)


def test_crops_are_places_of_the_map(maps):
    seen = maps.augmented(Augmentation(32, True, seed=1, epoch=1))
    found = [seen[position][0].numpy() for position in range(len(seen))]
    for position, cut in enumerate(found):
        assert cut.shape == (80, 2, 2)
        both = maps.maps[:, position].astype(np.float32)
        places = [
            both[m, :, i : i + 2, j : j + 2] for m in (0, 1) for i in range(3) for j in range(3)
        ]
        assert any(np.array_equal(cut, place) for place in places)


def test_faults_are_told(backbone, maps):
    with pytest.raises(UserError, match="crop=80 does not fit: choose 16 to 64 pixels"):
        maps.augmented(Augmentation(80, True, 1, 1))
    with pytest.raises(UserError, match="no stem"):
        AboveStem(load("efficientnet_lite0", weights="none"))


def test_other_maps_are_told_apart(maps):
    other = replace(maps, maps=maps.maps + np.float16(1))
    assert [*maps.described()] != [*other.described()]
