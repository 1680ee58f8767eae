from collections import Counter

import numpy as np
import pytest

from iqa.datasets.distortions import DISTORTIONS, blur, colour, compression, noise, spatial, tone
from iqa.datasets.photographs import PHOTOGRAPHS, reference


@pytest.fixture(scope="module")
def photograph():
    return np.asarray(reference(PHOTOGRAPHS["chelsea"], (128, 96))) / 255


def rng():
    return np.random.default_rng(0)


def error(distorted, image):
    return float(np.mean((distorted - image) ** 2))


def test_the_table_has_the_types_of_kadid10k():
    assert Counter(d.family for d in DISTORTIONS.values()) == {
        "blur": 3,
        "colour": 5,
        "compression": 2,
        "noise": 5,
        "brightness": 3,
        "spatial": 5,
        "sharpness and contrast": 2,
    }


@pytest.mark.parametrize("distortion", DISTORTIONS.values(), ids=lambda d: d.name)
def test_damage_grows_with_level_and_repeats_from_a_seed(distortion, photograph):
    before = photograph.copy()
    images = [distortion.apply(photograph, level, rng()) for level in range(1, 6)]
    for image in images:
        assert image.shape == photograph.shape
        assert image.min() >= 0
        assert image.max() <= 1
    errors = [error(image, photograph) for image in images]
    assert errors[0] > 0
    assert errors == sorted(errors)
    assert np.array_equal(photograph, before)
    assert np.array_equal(distortion.apply(photograph, 3, rng()), images[2])


@pytest.mark.parametrize("function", [blur.gaussian, blur.lens, blur.motion, spatial.pixelate])
def test_a_mean_over_pixels_leaves_a_flat_image_alone(function):
    flat = np.full((48, 64, 3), (51, 102, 204)) / 255
    np.testing.assert_allclose(function(flat, 4.0, rng()), flat, atol=1e-9)


def test_motion_blur_spreads_a_point_over_its_length():
    point = np.zeros((41, 41, 3))
    point[20, 20] = 1
    y, x = np.nonzero(blur.motion(point, 12.0, rng())[..., 0] > 1e-6)
    assert 12 <= np.hypot(np.ptp(x), np.ptp(y)) <= 15


def test_lens_blur_spreads_a_point_evenly_over_a_disc():
    point = np.zeros((21, 21, 3))
    point[10, 10] = 1
    disc = blur.lens(point, 4.0, rng())[..., 0]
    inside = np.hypot(*(np.mgrid[:21, :21] - 10)) <= 3.5
    np.testing.assert_allclose(disc[inside], disc[10, 10], rtol=1e-6)
    assert disc[10, 10] == pytest.approx(1 / (np.pi * 4.0**2), rel=0.1)


def test_colour_operations_reach_their_ends(photograph):
    grey = colour.desaturation(photograph, 1.0, rng())
    np.testing.assert_allclose(grey, photograph.max(axis=-1, keepdims=True).repeat(3, -1))
    np.testing.assert_allclose(colour.oversaturation(photograph, 1.0, rng()), photograph, atol=2e-3)
    few = colour.palette(photograph, 6, rng())
    assert len(np.unique(few.reshape(-1, 3), axis=0)) <= 6


def test_colour_shift_moves_green_alone(photograph):
    shifted = colour.misregistration(photograph, 4.0, rng())
    assert np.array_equal(shifted[..., ::2], photograph[..., ::2])
    assert not np.array_equal(shifted[..., 1], photograph[..., 1])


@pytest.mark.parametrize(
    ("function", "sigma"), [(noise.white, 0.05), (noise.multiplicative, 0.05 / 0.5)]
)
def test_noise_has_the_deviation_asked_for(function, sigma):
    flat = np.full((200, 200, 3), 0.5)
    assert (function(flat, sigma, rng()) - flat).std() == pytest.approx(0.05, rel=0.02)


def test_impulse_noise_hits_the_fraction_asked_for():
    flat = np.full((200, 200, 3), 0.5)
    values, counts = np.unique(noise.impulse(flat, 0.1, rng()), return_counts=True)
    assert values.tolist() == [0.0, 0.5, 1.0]
    assert counts[1] / flat.size == pytest.approx(0.9, abs=0.01)
    assert counts[0] == pytest.approx(counts[2], rel=0.1)


def test_denoising_removes_most_of_the_noise():
    flat = np.full((64, 64, 3), 0.5)
    assert noise.denoised(flat, 0.05, rng()).std() < 0.2 * noise.white(flat, 0.05, rng()).std()


def test_brightness_keeps_black_and_white_and_moves_the_rest():
    ramp = np.linspace(0, 1, 11).reshape(1, 11, 1).repeat(3, -1)
    brighter, darker = tone.brighten(ramp, 0.5, rng()), tone.darken(ramp, 0.5, rng())
    for image in (brighter, darker):
        np.testing.assert_allclose(image[0, [0, -1]], ramp[0, [0, -1]], atol=1e-3)
    assert (brighter[0, 1:-1] > ramp[0, 1:-1]).all()
    assert (darker[0, 1:-1] < ramp[0, 1:-1]).all()


@pytest.mark.parametrize("seed", range(4))
def test_contrast_and_mean_shift_do_what_their_names_say(seed, photograph):
    shifted = tone.mean_shift(photograph, 0.1, np.random.default_rng(seed))
    np.testing.assert_allclose(np.abs(shifted - photograph), 0.1)
    changed = tone.contrast(photograph, 0.5, np.random.default_rng(seed))
    assert changed.mean() == pytest.approx(photograph.mean())
    assert changed.std() / photograph.std() == pytest.approx(0.5) or (
        changed.std() / photograph.std() == pytest.approx(2.0)
    )


def test_quantization_and_blocks_leave_what_they_should(photograph):
    assert len(np.unique(spatial.quantize(photograph, 5, rng()))) <= 5
    blocks = spatial.colour_blocks(photograph, 2, rng())
    changed = (blocks != photograph).any(axis=-1).sum()
    assert 10**2 <= changed <= 2 * 10**2


def test_codecs_at_their_best_are_nearly_lossless(photograph):
    assert error(compression.jpeg(photograph, 95, rng()), photograph) < 1e-3
    assert error(compression.jpeg2000(photograph, 2, rng()), photograph) < 1e-4
