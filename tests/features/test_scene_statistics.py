import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy.stats import gennorm

from iqa.errors import UserError
from iqa.features.scene_statistics import (
    extract_scene_statistics,
    fit_asymmetric,
    mscn,
    scene_statistics,
)

# By its path: the package's own `brisque` is the function.
brisque = importlib.import_module("piq.brisque")


def noise(size=(96, 128), strength=20.0, seed=0):
    return np.random.default_rng(seed).normal(128, strength, size).clip(0, 255)


@pytest.mark.parametrize("shape", [0.6, 1.0, 2.0])
def test_a_fit_finds_the_distribution_that_made_the_values(shape):
    x = gennorm(shape, scale=2.0).rvs(400_000, random_state=0)
    variance = gennorm(shape, scale=2.0).var()
    found, mean, left, right = fit_asymmetric(x)
    assert found == pytest.approx(shape, rel=0.03)
    assert mean == pytest.approx(0, abs=0.02 * variance**0.5)
    assert left == pytest.approx(variance, rel=0.03)
    assert right == pytest.approx(variance, rel=0.03)


def test_a_fit_tells_left_from_right():
    x = gennorm(1.0).rvs(100_000, random_state=0)
    x = np.where(x < 0, 3 * x, x)
    shape, mean, left, right = fit_asymmetric(x)
    mirrored = fit_asymmetric(-x)
    assert left / right == pytest.approx(9, rel=0.05)
    assert mean < 0
    assert mirrored == pytest.approx((shape, -mean, right, left))


def test_fits_agree_with_piq():
    x = mscn(noise(strength=4.0))
    pairs = torch.tensor(x[:, 1:] * x[:, :-1])[None, None]
    expected = [float(value.squeeze()) for value in brisque._aggd_parameters(pairs)]
    shape, _, left, right = fit_asymmetric(pairs[0, 0].numpy())
    assert [shape, left**0.5, right**0.5] == pytest.approx(expected, abs=1.1e-3)
    # All 18 of one scale; piq wraps around at the border and pads with zeros.
    image = torch.tensor(noise((400, 400)))[None, None]
    theirs = brisque._natural_scene_statistics(image).squeeze().numpy()
    ours = scene_statistics(image[0, 0].numpy())[:18]
    np.testing.assert_allclose(ours, theirs, rtol=0.05, atol=0.01)


def test_coefficients_leave_brightness_out_and_are_zero_where_flat():
    image = noise()
    np.testing.assert_allclose(mscn(image + 30), mscn(image), atol=1e-6)
    assert np.abs(mscn(np.full((20, 20), 77.0))).max() < 1e-9


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(16, 24), st.integers(16, 24))))
def test_any_image_gives_36_finite_numbers(image):
    found = scene_statistics(image.astype(np.float32))
    assert found.shape == (36,)
    assert np.isfinite(found).all()
    assert (found[[0, 2, 6, 10, 14]] >= 0.2 - 1e-6).all()


def test_blur_changes_what_neighbours_share():
    sharp = noise()
    blurred = np.asarray(Image.fromarray(sharp.astype(np.uint8)).resize((64, 48)).resize((128, 96)))
    horizontal = [scene_statistics(image)[3] for image in (sharp, blurred.astype(float))]
    assert horizontal[0] < 0 < horizontal[1]


def images_at(folder, sizes):
    rows = []
    for i, size in enumerate(sizes):
        path = folder / f"{i}.png"
        Image.fromarray(noise(size, seed=i).astype(np.uint8)).save(path)
        rows.append({"id": str(i), "path": str(path)})
    return SimpleNamespace(table=pd.DataFrame(rows), images_fingerprint="some")


def test_images_of_any_size_are_measured_once(tmp_path, monkeypatch):
    monkeypatch.setenv("IQA_CACHE", str(tmp_path / "cache"))
    images = images_at(tmp_path, [(40, 60), (33, 21), (16, 16)])
    found = extract_scene_statistics(images)
    for i, path in enumerate(images.table["path"]):
        alone = scene_statistics(np.asarray(Image.open(path), dtype=float))
        np.testing.assert_array_equal(found.values[i], alone)
        (tmp_path / f"{i}.png").unlink()
    np.testing.assert_array_equal(extract_scene_statistics(images).values, found.values)


def test_an_image_that_is_too_small_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("IQA_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UserError, match=r"0\.png: 30 x 12 pixels are too few"):
        extract_scene_statistics(images_at(tmp_path, [(12, 30)]))
