import numpy as np
import pandas as pd
import pytest
from scipy import stats

from iqa.errors import UserError
from iqa.evaluation import (
    content_means,
    evaluate,
    evaluate_splits,
    pooled_folds,
    single_splits,
    split_means,
    srcc,
    transferred,
    within_contents,
)

HEADS = {"relu": 0.9, "gelu": 0.7, "sigmoid": 0.3}  # the size of their errors


def study(contents=30, each=4, seeds=(8, 19), folds=5, rates=(0.1,)):
    """Test predictions of three heads: a fold for each content, every image once a seed."""
    rng, n = np.random.default_rng(0), contents * each
    content = np.repeat(np.arange(contents), each)
    target = rng.random(n)
    images = pd.DataFrame({"id": [f"i{i}" for i in range(n)], "group": [f"g{c}" for c in content]})
    images = images.assign(target=target, split=0, fold=content % folds)
    return pd.concat(
        [
            images.assign(head=head, seed=seed, learning_rate=rate, prediction=target + error)
            for head, size in HEADS.items()
            for seed in seeds
            for rate in rates
            for error in [size * (1 + rate) * rng.normal(size=n)]
        ],
        ignore_index=True,
    )


def test_pooled_folds_are_the_mean_over_seeds_of_scipys_srcc():
    made = study()
    found = pooled_folds(made, ["head"]).table("srcc").set_index("head")["srcc"]
    for head, part in made.groupby("head"):
        by_seed = [
            stats.spearmanr(p["prediction"], p["target"])[0] for _, p in part.groupby("seed")
        ]
        assert found[head] == pytest.approx(np.mean(by_seed), abs=1e-12)


def test_single_splits_are_the_mean_over_splits_of_scipys_srcc():
    made = study()
    found = single_splits(made, ["head"], 0.25).table("srcc").set_index("head")["srcc"]
    for head, part in made.groupby("head"):
        by_split = [srcc(p["prediction"], p["target"]) for _, p in part.groupby(["seed", "fold"])]
        assert found[head] == pytest.approx(np.mean(by_split), abs=1e-12)


def test_where_all_splits_have_the_same_test_images_their_choice_is_covered_too():
    made = study(seeds=(8,), folds=1)
    noise = np.random.default_rng(1).normal(0, 0.01, (5, len(made)))
    owners = [
        made.assign(split=split, prediction=made["prediction"] + error)
        for split, error in enumerate(noise)
    ]
    same = pd.concat(owners, ignore_index=True)
    found = single_splits(same, ["head"], 0.25).table("srcc")
    pd.testing.assert_frame_equal(found, transferred(same, ["head"], 0.25).table("srcc"))
    # A bootstrap over contents alone is a lower bound of the width.
    one = pooled_folds(made, ["head"]).table("srcc")
    assert (found["high"] - found["low"] > 0.9 * (one["high"] - one["low"])).all()


def test_a_better_head_is_judged_better_and_itself_left_out():
    table = single_splits(study(), ["head"], 0.25).minus(head="relu").verdicts()
    assert table["head"].tolist() == ["gelu", "sigmoid"]
    row = table.set_index("head").loc["sigmoid"]
    assert row["verdict"] == "better"
    assert row["low"] < row["difference"] < row["high"]


def test_differences_are_surer_than_the_scores_they_are_made_of():
    """Errors that heads share go out when one is subtracted from the other, draw by draw."""
    made = study()
    common = dict(zip(made["id"].unique(), np.random.default_rng(1).normal(size=120), strict=True))
    made["prediction"] += 3 * made["id"].map(common)
    scores = pooled_folds(made, ["head"])
    width = {
        name: (table["high"] - table["low"]).mean()
        for name, table in (
            ("one", scores.table("v")),
            ("gap", scores.minus(head="relu").table("v")),
        )
    }
    assert width["gap"] < 0.6 * width["one"]


def test_holm_is_applied_within_a_family():
    scores = pooled_folds(study(rates=(0.1, 0.5)), ["head", "learning_rate"])
    table = scores.minus(head="relu").verdicts(family=["learning_rate"])
    for _, part in table.groupby("learning_rate"):
        assert part["p_holm"].max() <= min(1, 2 * part["p"].max())
    assert (scores.minus(head="relu").verdicts()["p_holm"] >= table["p_holm"]).all()


def test_means_and_differences_commute():
    scores = pooled_folds(study(rates=(0.1, 0.5)), ["head", "learning_rate"])
    one = scores.mean("learning_rate").minus(head="relu")
    other = scores.minus(head="relu").mean("learning_rate")
    np.testing.assert_allclose(one.values, other.values)
    assert one.labels.equals(other.labels)


def test_a_difference_of_differences():
    scores = pooled_folds(study(rates=(0.1, 0.5)), ["head", "learning_rate"])
    change = scores.minus(head="relu").minus(learning_rate=0.1).select(head="sigmoid")
    s = scores.table("srcc").set_index(["head", "learning_rate"])["srcc"]
    expected = (s["sigmoid", 0.5] - s["relu", 0.5]) - (s["sigmoid", 0.1] - s["relu", 0.1])
    assert change.observed[0] == pytest.approx(expected)


def test_of_one_thing_alone_there_are_no_differences():
    alone = study(rates=(0.1, 0.5)).query("head == 'relu'")
    gaps = single_splits(alone, ["head", "learning_rate"], 0.25).minus(head="relu")
    assert gaps.verdicts(family=["learning_rate"]).empty
    assert gaps.minus(learning_rate=0.1).table("change").empty


def test_less_subtracts_by_label_whatever_the_order():
    scores = pooled_folds(study(), ["head"])
    assert scores.less(scores.select(head=["sigmoid", "relu", "gelu"])).observed == pytest.approx(0)


def test_what_is_compared_may_be_reported_on_other_images():
    made = study()
    fewer = made[~made["id"].isin(["i0", "i1"])]
    both = pd.concat([made.assign(defect="none"), fewer.assign(defect="B7")])
    found = pooled_folds(both, ["defect", "head"]).minus(defect="none")
    assert found.labels["head"].tolist() == list(HEADS)
    assert (np.abs(found.observed) < 0.05).all()


def test_within_contents_is_the_mean_over_contents():
    made = study(seeds=(8,))
    found = within_contents(made, ["head"]).table("srcc").set_index("head")["srcc"]
    part = made.query("head == 'gelu'").groupby("group")
    expected = np.mean([srcc(p["prediction"], p["target"]) for _, p in part])
    assert found["gelu"] == pytest.approx(expected)


def test_heads_tested_on_another_set_vary_by_replicate_too():
    """The same images for all replicates: heads that differ widen the interval."""
    made = study(folds=1, seeds=range(6))
    quality = made["seed"].map(dict(enumerate([0.2, 4, 0.3, 3, 0.2, 2])))
    error = made["prediction"] - made["target"]
    varied = made.assign(prediction=made["target"] + quality * error)
    widths = [
        np.diff(transferred(table, ["head"], 0.25).table("v")[["low", "high"]].to_numpy()).mean()
        for table in (made, varied)
    ]
    assert widths[1] > 1.2 * widths[0]


def test_contents_where_something_is_undefined_are_left_out_for_all():
    measures = pd.DataFrame(
        {
            "head": ["relu"] * 30 + ["gelu"] * 30,
            "group": [f"g{i}" for i in range(30)] * 2,
            "share": [1.0] * 29 + [np.nan] + [2.0] * 29 + [100.0],
        }
    )
    found = content_means(measures, ["head"], "share")
    assert found.observed.tolist() == [1.0, 2.0]
    assert found.law.contents == 29


def test_splits_where_something_is_undefined_are_left_out_for_all():
    measures = pd.DataFrame(
        {"head": ["a"] * 3 + ["b"] * 3, "split": 0, "fold": [0, 1, 2] * 2, "seed": 8}
    ).assign(m=[1.0, 2.0, np.nan, 3.0, 4.0, 100.0])
    found = split_means(measures, ["head"], "m", 0.2, contents=100)
    assert found.observed.tolist() == [1.5, 3.5]


def test_a_head_that_is_constant_everywhere_is_undefined_and_spoils_no_other():
    made = study()
    made.loc[made["head"] == "gelu", "prediction"] = 0.5
    table = single_splits(made, ["head"], 0.25).minus(head="relu").verdicts().set_index("head")
    assert np.isnan(table.loc["gelu", "difference"])
    assert table.loc["gelu", "verdict"] == "undecided"
    assert table.loc["sigmoid", "difference"] > 0


def test_few_contents_give_estimates_without_intervals():
    table = pooled_folds(study(contents=11), ["head"]).minus(head="relu").verdicts()
    assert table["difference"].notna().all()
    assert table[["low", "high", "p"]].isna().all().all()
    assert set(table["verdict"]) == {"undecided"}


def test_faults_are_named():
    made = study()
    with pytest.raises(UserError, match="id 'i0' is predicted twice"):
        pooled_folds(pd.concat([made, made.iloc[:1]]), ["head"])
    with pytest.raises(UserError, match="tested for some split, fold only"):
        single_splits(made.query("head != 'gelu' or fold == 1"), ["head"], 0.25)
    with pytest.raises(UserError, match="tested for some split, fold, seed only"):
        transferred(made.query("head != 'gelu' or seed == 8"), ["head"], 0.25)
    with pytest.raises(UserError, match="swish"):
        pooled_folds(made, ["head"]).minus(head="swish")


def test_every_metric_of_each_split():
    made = study(seeds=(8,))
    both = pd.concat([made.assign(side="test"), made.assign(side="val")])
    table = evaluate_splits(both)
    assert len(table) == 3 * 5
    part = made.query("head == 'relu' and fold == 2")
    pair = part["prediction"], part["target"]
    row = table.query("head == 'relu' and fold == 2").iloc[0]
    for name, value in evaluate(*pair, *pair).items():
        assert row[name] == pytest.approx(value)
