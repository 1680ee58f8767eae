import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from iqa.errors import UserError
from iqa.features.squares import read_image
from iqa.training import ScoredImages
from iqa.training.examples import Augmentation, read_batches

# Each pixel says where it was: red is the row, green the column.
PLACES = np.stack([*np.mgrid[:40, :48], np.zeros((40, 48))], axis=-1).astype(np.uint8)


def shown(augmentation, position):
    return augmentation.draw(position, *PLACES.shape[:2]).of(PLACES)


@given(crop=st.integers(1, 40), seed=st.integers(0, 99), position=st.integers(0, 99))
def test_a_crop_is_a_whole_square_of_the_image(crop, seed, position):
    cut = shown(Augmentation(crop, flip=False, seed=seed, epoch=1), position)
    top, left = cut[0, 0, :2]
    assert cut.shape == (crop, crop, 3)
    np.testing.assert_array_equal(cut, PLACES[top : top + crop, left : left + crop])


@given(seed=st.integers(0, 99), epoch=st.integers(1, 99), position=st.integers(0, 99))
def test_chance_depends_on_seed_epoch_and_position_alone(seed, epoch, position):
    first, again = (Augmentation(8, True, seed, epoch) for _ in range(2))
    shown(again, position + 1)
    np.testing.assert_array_equal(shown(first, position), shown(again, position))


def test_crops_reach_every_edge_and_half_of_the_images_are_mirrored():
    cuts = [shown(Augmentation(32, True, 0, epoch), p) for epoch in range(40) for p in range(20)]
    mirrored = np.array([cut[0, 0, 1] > cut[0, -1, 1] for cut in cuts])
    assert 0.45 < mirrored.mean() < 0.55
    assert {cut[0, 0, 0] for cut in cuts} == set(range(9))
    assert {cut[0, :, 1].min() for cut in cuts} == set(range(17))


def test_seed_epoch_and_position_each_draw_anew():
    def draws(**change):
        about = {"seed": 0, "epoch": 1, "position": 0} | change
        position = about.pop("position")
        return [shown(Augmentation(8, True, **about), position + k).tobytes() for k in range(9)]

    for change in ({"seed": 1}, {"epoch": 2}, {"position": 50}):
        assert draws() != draws(**change)


def test_a_file_becomes_a_tensor_and_its_target(drawn):
    paths, targets = drawn
    images = ScoredImages(paths, targets, 64)
    assert len(images) == len(paths)
    pixels, target = images[3]
    expected = read_image(paths[3], 64).astype(np.float32).transpose(2, 0, 1) / 255
    assert pixels.dtype == target.dtype == torch.float32
    np.testing.assert_array_equal(pixels.numpy(), expected)
    assert target == np.float32(targets[3])


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_come_in_order_and_alike_whatever_the_number_of_workers(drawn, workers):
    paths, targets = drawn
    images = ScoredImages(paths, targets, 64, Augmentation(32, True, 5, 2))
    batches = [[4, 1], [9, 0, 3], [2]]
    loaded = list(read_batches(images, batches, workers))
    assert len(loaded) == 3
    for batch, (pixels, scores) in zip(batches, loaded, strict=True):
        assert pixels.shape == (len(batch), 3, 32, 32)
        assert torch.equal(pixels, torch.stack([images[p][0] for p in batch]))
        assert torch.equal(scores, images.targets[batch])


def test_reading_is_not_further_ahead_than_two_batches(drawn, monkeypatch):
    read = []
    usual = ScoredImages.__getitem__
    monkeypatch.setattr(
        ScoredImages, "__getitem__", lambda self, p: read.append(p) or usual(self, p)
    )
    loaded = read_batches(ScoredImages(*drawn, 32), [[p] for p in range(10)], 2)
    next(loaded)
    assert len(read) <= 3
    loaded.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_named_in_one_line(drawn, tmp_path, workers):
    paths, targets = list(drawn[0]), drawn[1]
    paths[4] = str(tmp_path / "half.png")
    (tmp_path / "half.png").write_bytes(b"\x89PNG half a file")
    loaded = read_batches(ScoredImages(paths, targets, 32), [[0, 1], [4, 2], [3]], workers)
    next(loaded)
    with pytest.raises(UserError, match=r"half\.png: not a readable image") as caught:
        next(loaded)
    assert "\n" not in str(caught.value)


def test_pandas_columns_and_path_objects_will_do(drawn, tmp_path):
    table = pd.DataFrame({"path": drawn[0], "target": drawn[1].astype(np.float32)})
    images = ScoredImages(table["path"], table["target"], 32)
    table.loc[0, "target"] = 7
    assert images[0][1] == np.float32(drawn[1][0])
    Image.fromarray(PLACES).save(tmp_path / "a.png")
    assert ScoredImages([tmp_path / "a.png"], [0.5], 32).paths == [str(tmp_path / "a.png")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": [0.5]}, r"2 files and targets \(1,\) do not fit"),
        ({"targets": [[0.5, 0.1]]}, r"targets \(1, 2\) do not fit"),
        ({"targets": [0.5, float("nan")]}, "b.png: its target is nan"),
        ({"augmentation": Augmentation(33, False, 0, 1)}, r"crop=33 is larger .*32 px"),
    ],
)
def test_bad_images(change, message):
    given = {"paths": ["a.png", "b.png"], "targets": [0.5, 0.1], "input_size": 32}
    with pytest.raises(UserError, match=message):
        ScoredImages(**given | change)
