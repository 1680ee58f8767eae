import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from iqa.errors import UserError
from iqa.features import cache, engine, extract
from iqa.files import cache_root

# By its path: the package's own `extract` is the function.
extraction = importlib.import_module("iqa.features.extraction")
LITE0 = "efficientnet_lite0"


@pytest.fixture
def counted(monkeypatch):
    """Small shards, and in the engine's place the mean colour; counts the images it is given."""

    def run(images):
        run.images += len(images)
        return images.mean((1, 2), dtype=np.float32)

    run.images = 0
    monkeypatch.setattr(engine, "fastest_engine", lambda backbone, input_size: run)
    monkeypatch.setattr(cache, "SHARD", 4)
    monkeypatch.setattr(extraction, "BATCH", 2)
    return run


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Ten images of mixed sizes; image i has the colour (i, 10 i, 255 - i)."""
    monkeypatch.setenv("IQA_CACHE", str(tmp_path / "cache"))
    rows = []
    for number in range(10):
        path = tmp_path / f"{number}.png"
        colour = (number, 10 * number, 255 - number)
        Image.new("RGB", (20 + 7 * number, 90 - 5 * number), colour).save(path)
        rows.append({"id": f"image {number}", "path": str(path)})
    return SimpleNamespace(table=pd.DataFrame(rows), images_fingerprint="ten")


def compute(dataset, **options):
    return extract(dataset, LITE0, **{"input_size": 64, "weights": "none", **options})


def shards():
    return sorted((cache_root() / "features").glob("*/*.safetensors"))


def test_real_engine_end_to_end(dataset, monkeypatch):
    monkeypatch.setattr(cache, "SHARD", 4)
    together = compute(dataset, weights="pretrained")
    assert together.ids == tuple(dataset.table["id"])
    assert together.values.shape == (10, 1280)
    assert together.values.dtype == np.float32
    one = SimpleNamespace(table=dataset.table.iloc[[7]], images_fingerprint="ten")
    alone = compute(one, weights="pretrained")
    np.testing.assert_allclose(alone.values[0], together.values[7], rtol=0, atol=1e-5)


def test_rows_belong_to_their_images(dataset, counted):
    number = np.arange(10)
    expected = np.stack([number, 10 * number, 255 - number], axis=1)
    np.testing.assert_array_equal(compute(dataset).values, expected)


def test_a_complete_cache_needs_no_backbone(dataset, counted, monkeypatch):
    first = compute(dataset)
    monkeypatch.setattr("iqa.backbones.model.load", None)
    again = compute(dataset)
    np.testing.assert_array_equal(again.values, first.values)
    assert (again.ids, again.key, counted.images) == (first.ids, first.key, 10)


@pytest.mark.parametrize(
    "change", [{"input_size": 96}, {"pooling": "max"}, {"weights": "pretrained"}]
)
def test_other_settings_are_other_features(dataset, counted, change):
    assert compute(dataset).key != compute(dataset, **change).key
    assert counted.images == 20


def test_other_data_are_other_features(dataset, counted):
    key = compute(dataset).key
    assert key != compute(SimpleNamespace(table=dataset.table, images_fingerprint="new")).key
    assert key != compute(SimpleNamespace(table=dataset.table[:4], images_fingerprint="ten")).key


def test_defaults_are_the_backbones_own(dataset, counted):
    implied = extract(dataset, LITE0, weights="none")
    stated = extract(dataset, LITE0, input_size=224, pooling="mean", weights="none")
    assert implied.key == stated.key


def test_goes_on_after_a_kill(dataset, counted):
    """A kill leaves whole shards and none for the rest: only those are computed."""
    first = compute(dataset)
    assert len(shards()) == 3
    shards()[1].unlink()
    again = compute(dataset)
    assert counted.images == 10 + 4
    np.testing.assert_array_equal(again.values, first.values)


def cut(path):
    path.write_bytes(path.read_bytes()[:-2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def swap(path):
    path.write_bytes(shards()[0].read_bytes())


@pytest.mark.parametrize("damage", [cut, flip, empty, swap])
def test_damaged_shard_is_reported_and_computed_anew(dataset, counted, damage):
    first = compute(dataset)
    damage(shards()[1])
    with pytest.warns(UserWarning, match=r"000004\.safetensors are damaged .* computed again"):
        again = compute(dataset)
    assert counted.images == 10 + 4
    np.testing.assert_array_equal(again.values, first.values)
    compute(dataset)
    assert counted.images == 10 + 4


@pytest.mark.parametrize("fault", ["truncated", "missing"])
def test_unreadable_image_is_named_and_its_shard_not_cached(dataset, counted, fault):
    path = Path(dataset.table["path"][6])
    content = path.read_bytes()
    if fault == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"6\.png"):
        compute(dataset)
    assert [shard.name for shard in shards()] == ["000000.safetensors"]
    counted.images = 0
    path.write_bytes(content)
    assert compute(dataset).values[6, 0] == 6
    assert counted.images == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "sum"}, "unknown pooling 'sum'"),
        ({"weights": "imagenet"}, "unknown weights 'imagenet'"),
        ({"input_size": 8}, "input size 8: give at least 32 pixels"),
    ],
)
def test_unknown_settings(dataset, options, message):
    with pytest.raises(UserError, match=message):
        compute(dataset, **options)


def test_unknown_backbone_and_empty_dataset(dataset):
    with pytest.raises(UserError, match="unknown backbone 'resnet'"):
        extract(dataset, "resnet")
    empty_dataset = SimpleNamespace(table=dataset.table[:0], images_fingerprint="ten")
    with pytest.raises(UserError, match="no images"):
        extract(empty_dataset, LITE0)
