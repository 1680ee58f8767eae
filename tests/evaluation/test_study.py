import numpy as np
import pandas as pd
import pytest
from scipy import stats

from iqa.errors import UserError
from iqa.evaluation import compare_with, evaluate, figures_by_fold, srcc, summarize_heads


def predictions(noise, n=120, groups=12, seeds=(0, 1)):
    """A study in which head `name` predicts with Gaussian noise of `noise[name]`."""
    rng = np.random.default_rng(0)
    target = rng.uniform(size=n)
    rows = [
        pd.DataFrame(
            {
                "head": head,
                "seed": seed,
                "fold": np.arange(n) % 3,
                "side": "test",
                "id": [f"i{i:03d}" for i in range(n)],
                "group": [f"g{i % groups}" for i in range(n)],
                "target": target,
                "prediction": target + rng.normal(0, sd, n),
            }
        )
        for head, sd in noise.items()
        for seed in seeds
    ]
    return pd.concat(rows, ignore_index=True)


def test_table_is_the_mean_over_seeds_best_first():
    data = predictions({"relu": 0.3, "sigmoid": 0.1})
    table = summarize_heads(data, "relu", resamples=200).heads
    assert table["head"].to_list() == ["sigmoid", "relu"]
    one = data[data["head"] == "sigmoid"]
    expected = np.mean([srcc(d["prediction"], d["target"]) for _, d in one.groupby("seed")])
    assert table.loc[0, "srcc"] == pytest.approx(expected)
    assert (table["low"] < table["srcc"]).all()
    assert (table["srcc"] < table["high"]).all()


def test_a_clear_gain_is_significant_and_a_copy_is_not():
    data = predictions({"relu": 0.3, "sigmoid": 0.05})
    copy = data[data["head"] == "relu"].assign(head="copy")
    result = summarize_heads(pd.concat([data, copy]), "relu", resamples=500).comparisons
    assert set(result["figure"]) == {"srcc", "srcc_within"}
    result = result[result["figure"] == "srcc"].set_index("head")
    assert result.loc["sigmoid", "p_holm"] < 0.05
    assert result.loc["sigmoid", "low"] > 0
    assert result.loc["copy", "difference"] == 0
    assert result.loc["copy", "p_holm"] == 1


def test_row_order_does_not_matter():
    data = predictions({"relu": 0.3, "sigmoid": 0.2})
    shuffled = data.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        summarize_heads(data, "relu", 50).heads, summarize_heads(shuffled, "relu", 50).heads
    )


@pytest.mark.parametrize("spoil", [lambda d: d.iloc[1:], lambda d: pd.concat([d, d.iloc[:1]])])
def test_a_missing_or_doubled_prediction_is_an_error(spoil):
    with pytest.raises(UserError, match="not one per head, seed and image"):
        summarize_heads(spoil(predictions({"relu": 0.3, "gelu": 0.2})), "relu", 50)


def test_p_values_agree_with_the_normal_theory_and_holm_steps_down():
    # Differences N(d, 1) around the observed d: two-sided p = 2 Phi(-d).
    noise = np.random.default_rng(0).normal(size=(3, 400_000))
    observed = np.array([0.0, 2.5, 2.2, 0.5])
    samples = np.vstack([np.zeros(400_000), noise + observed[1:, None]])
    table = compare_with("base", ["base", "a", "b", "c"], observed, samples)
    p = 2 * stats.norm.cdf(-observed[1:])
    np.testing.assert_allclose(table["p"], p, rtol=0.05)
    np.testing.assert_allclose(table["p_holm"], [3 * p[0], 2 * p[1], p[2]], rtol=0.05)
    np.testing.assert_allclose(table["low"], observed[1:] - 1.96, atol=0.02)


def test_srcc_within_contents_ignores_what_differs_between_them():
    data = predictions({"relu": 0.0001}, groups=4)
    offset = data["group"].map({"g0": 0, "g1": 5, "g2": -5, "g3": 9})
    table = summarize_heads(data.assign(prediction=data["prediction"] + offset), "relu", 50).heads
    assert table.loc[0, "srcc_within"] > 0.99
    assert table.loc[0, "within_low"] > 0.99
    assert table.loc[0, "srcc"] < 0.5


def test_without_contents_of_several_images_the_figure_within_is_undefined():
    data = predictions({"relu": 0.1, "gelu": 0.2}, groups=120)
    result = summarize_heads(data, "relu", 50)
    assert result.heads["srcc_within"].isna().all()
    assert result.heads["srcc"].notna().all()


def test_seeds_may_be_tested_on_images_of_their_own():
    data = predictions({"relu": 0.3, "sigmoid": 0.1})
    number = data["id"].str[1:].astype(int)
    own = data[(data["seed"] == 0) & (number < 60) | (data["seed"] == 1) & (number >= 40)]
    table = summarize_heads(own, "relu", resamples=300).heads.set_index("head")
    for head, part in own.groupby("head"):
        by_seed = [srcc(d["prediction"], d["target"]) for _, d in part.groupby("seed")]
        assert table.loc[head, "srcc"] == pytest.approx(np.mean(by_seed))
        within = [
            np.mean([srcc(d["prediction"], d["target"]) for _, d in of_group.groupby("seed")])
            for _, of_group in part.groupby("group")
        ]
        assert table.loc[head, "srcc_within"] == pytest.approx(np.mean(within))
    assert (table["low"] < table["srcc"]).all()
    assert (table["srcc"] < table["high"]).all()


def test_seeds_on_equal_images_share_their_draws():
    data = predictions({"relu": 0.3, "sigmoid": 0.1}, seeds=(0,))
    twice = pd.concat([data, data.assign(seed=1)])
    columns = ["head", "srcc", "low", "high", "srcc_within", "within_low", "within_high"]
    pd.testing.assert_frame_equal(
        summarize_heads(twice, "relu", 200).heads[columns],
        summarize_heads(data, "relu", 200).heads[columns],
    )


def test_unknown_baseline_lists_the_heads():
    with pytest.raises(UserError, match="unknown baseline 'rleu'"):
        summarize_heads(predictions({"relu": 0.3}), "rleu", 50)


def test_figures_of_a_fold_use_its_own_validation_images():
    test = predictions({"relu": 0.3}, seeds=(0,))
    val = predictions({"relu": 0.1}, seeds=(0,)).assign(side="val")
    table = figures_by_fold(pd.concat([test, val]))
    assert table["fold"].to_list() == [0, 1, 2]
    one, fit = test[test["fold"] == 1], val[val["fold"] == 1]
    expected = evaluate(one["prediction"], one["target"], fit["prediction"], fit["target"])
    assert table.loc[1, list(expected)].to_dict() == pytest.approx(expected)


def test_without_validation_images_nothing_is_fitted_on_them():
    test = predictions({"relu": 0.3}, seeds=(0,))
    table = figures_by_fold(test)
    assert table["plcc_val_fit"].isna().all()
    assert table[["srcc", "plcc_raw", "plcc_test_fit"]].notna().all(axis=None)
