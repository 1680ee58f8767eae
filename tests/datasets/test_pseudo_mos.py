import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from iqa.datasets.pseudo_mos import METRICS, fuse, level_trend, measure


def images(count):
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    noisy = [
        np.clip(reference + rng.normal(0, 8 * n, reference.shape), 0, 255) for n in range(count)
    ]
    return np.stack(noisy).astype(np.uint8), reference


def test_the_reference_itself_is_best_and_noise_makes_every_metric_worse():
    for name, values in measure(*images(4)).items():
        sign = 1 if METRICS[name].higher_is_better else -1
        assert (np.diff(np.array(values) * sign) < 0).all(), name
        assert values[0] == pytest.approx(1 if sign == 1 else 0, abs=1e-3), name


def test_ssim_agrees_with_scikit_image_on_luminance():
    distorted, reference = images(3)
    grey = [image @ np.array([0.299, 0.587, 0.114]) / 255 for image in (*distorted, reference)]
    expected = [
        structural_similarity(
            grey[-1],
            image,
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for image in grey[:-1]
    ]
    assert measure(distorted, reference)["ssim"] == pytest.approx(expected, abs=1e-4)


def test_an_image_is_measured_alike_alone_and_in_company():
    distorted, reference = images(3)
    together = measure(distorted, reference)
    alone = measure(distorted[1:2], reference)
    for name in METRICS:
        assert alone[name][0] == pytest.approx(together[name][1], abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40, unique=True), st.integers(1, 5))
def test_fusion_depends_on_ranks_alone_and_spans_the_scale(quality, power):
    def values(bend):
        q = pd.Series(quality).rank() ** bend
        return pd.DataFrame({n: q if m.higher_is_better else -q for n, m in METRICS.items()})

    score = fuse(values(1))
    assert (score.min(), score.max()) == (1.0, 5.0)
    assert (score.rank() == pd.Series(quality).rank()).all()
    pd.testing.assert_series_equal(score, fuse(values(power)))


def test_fusion_of_known_values():
    good, bad = {"ssim": [0.9, 0.8, 0.1], "haarpsi": [0.9, 0.5, 0.1]}, [0.1, 0.2, 0.9]
    # Ranks of the rows: 3 2 1 under three metrics, 2 3 1 under ms_gmsd; (mean - 1) / 2 * 4 + 1.
    values = pd.DataFrame(good | {"mdsi": bad, "ms_gmsd": [0.2, 0.1, 0.9]})
    assert fuse(values).tolist() == [4.5, 3.5, 1.0]


def test_level_trend_tells_what_falls():
    table = pd.DataFrame(
        {
            "distortion": ["a"] * 4 + ["b"] * 4,
            "level": [1, 2, 1, 2] * 2,
            "score": [4.0, 2.0, 5.0, 3.0, 2.0, 2.0, 2.0, 2.0],
        }
    )
    trend = level_trend(table)
    assert trend.loc["a", [1, 2]].tolist() == [4.5, 2.5]
    assert trend["falls"].tolist() == [True, False]
