import numpy as np
import pandas as pd
import pytest
from scipy import stats

from iqa.evaluation import mean_over_folds, summarize_folds, summarize_means

RNG = np.random.default_rng(0)


def test_without_shared_training_images_it_is_the_t_test():
    values = RNG.normal(1, 1, 12)
    found = mean_over_folds(values, 0)
    test = stats.ttest_1samp(values, 0)
    assert found["p"] == pytest.approx(test.pvalue)
    low, high = test.confidence_interval()
    assert (found["low"], found["high"]) == pytest.approx((low, high))


def test_shared_training_images_widen_by_the_published_factor():
    values = RNG.normal(1, 1, 10)
    plain, corrected = mean_over_folds(values, 0), mean_over_folds(values, 1 / 8)
    widened = (corrected["high"] - corrected["mean"]) / (plain["high"] - plain["mean"])
    assert widened == pytest.approx(np.sqrt((1 / 10 + 1 / 8) / (1 / 10)))


def test_folds_without_a_figure_are_left_out_and_one_fold_has_no_interval():
    values = RNG.normal(1, 1, 5)
    assert mean_over_folds([*values, np.nan], 0.2) == mean_over_folds(values, 0.2)
    assert mean_over_folds([0.3], 0.2)["mean"] == 0.3
    assert np.isnan(mean_over_folds([0.3], 0.2)["low"])


def test_differences_are_paired_over_folds_and_seeds_averaged_first():
    folds = pd.DataFrame(
        [
            {"head": head, "seed": seed, "fold": fold, "figure": gain + fold + seed / 100}
            for head, gain in (("a", 0.0), ("b", 0.5), ("c", -0.2))
            for seed in (1, 2)
            for fold in range(4)
        ]
    )
    heads, gaps = summarize_folds(folds, {"a": ["b", "c"]}, 0.1)
    assert heads.set_index("head").loc["a", "mean"] == pytest.approx(1.515)
    found = gaps.set_index("head")
    assert found.loc["b", "mean"] == pytest.approx(0.5)
    assert found.loc["c", "high"] == pytest.approx(-0.2)
    assert (found["p_holm"] < 0.001).all()


def means(strength, contents=30):
    noise, own = RNG.normal(size=contents), RNG.normal(0, 0.1, contents)
    own -= own.mean()
    rows = [
        {"head": head, "group": str(g), "one": level[g] + noise[g] + part, "two": 1.0}
        for head, level in (("a", 0 * own), ("b", strength + own))
        for g in range(contents)
        for part in (-0.1, 0.1)
    ]
    return pd.DataFrame(rows)


def test_a_mean_is_over_contents_whatever_their_number_of_rows():
    table = means(0.5)
    more = pd.concat([table, table[table["group"] == "0"]])
    found = summarize_means(table, "a", 300)
    pd.testing.assert_frame_equal(found, summarize_means(more, "a", 300))
    one = found[found["measure"] == "one"].set_index("head")
    assert one.loc["b", "difference"] == pytest.approx(0.5)
    assert 0.4 < one.loc["b", "low_gap"] < 0.5 < one.loc["b", "high_gap"] < 0.6
    assert one.loc["a", "low"] < one.loc["a", "value"] < one.loc["a", "high"]
    assert np.isnan(one.loc["a", "difference"])


def test_a_content_that_one_head_lacks_is_left_out_for_all():
    table = means(0.5)
    missing = table.copy()
    missing.loc[(missing["head"] == "b") & (missing["group"] == "3"), "one"] = np.nan
    found = summarize_means(missing, "a", 300).query("measure == 'one'")
    without = summarize_means(table[table["group"] != "3"], "a", 300).query("measure == 'one'")
    assert list(found["contents"]) == [29, 29]
    np.testing.assert_allclose(found["value"], without["value"])
