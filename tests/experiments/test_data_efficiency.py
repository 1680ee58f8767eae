import numpy as np
import pandas as pd
import pytest
from small_study import small_study

from iqa.datasets import training_shares
from iqa.evaluation import srcc, summarize_variants
from iqa.experiments.data_efficiency import (
    compare_shares,
    differences_by_share,
    share_name,
    summarize_shares,
)
from iqa.experiments.study import cross_validate
from iqa.training import train_heads

SHARES = [0.1, 0.5, 1.0]


@pytest.fixture(scope="module")
def compared():
    return compare_shares(*small_study(), SHARES)


def test_all_shares_are_tested_on_the_same_images(compared):
    predictions, _ = compared
    for side, count in (("test", 60), ("val", 60)):
        part = predictions[predictions["side"] == side]
        by_run = part.groupby(["head", "variant", "seed"])["id"]
        assert len(by_run) == 2 * 3 * 2
        assert (by_run.nunique() == count).all()
        assert (by_run.count() == count).all()


def test_all_images_are_the_study_itself(compared):
    whole = compared[0].query("variant == '100 %'").sort_values(["seed", "head", "id", "side"])
    own, _ = cross_validate(*small_study())
    own = own.sort_values(["seed", "head", "id", "side"])
    np.testing.assert_allclose(whole["prediction"], own["prediction"], atol=1e-4)


def test_what_was_drawn_is_told(compared):
    _, drawn = compared
    assert len(drawn) == 2 * 3 * 3
    small = drawn[drawn["share"] == 0.1]
    assert (small["of"] > 15).all()
    assert (small["images"] < 0.3 * small["of"]).all()
    assert (drawn["contents"] * 3 == drawn["images"]).all()
    assert (drawn["steps"] == 4 * np.ceil(drawn["of"] / 8)).all()


def test_a_share_is_trained_on_its_own_images_with_the_steps_of_all(monkeypatch):
    seen = []

    def watching(features, targets, train, *rest):
        seen.append(train)
        return train_heads(features, targets, train, *rest)

    monkeypatch.setattr("iqa.experiments.data_efficiency.train_heads", watching)
    study, prepared = small_study(seeds=(8,))
    compare_shares(study, prepared, SHARES)
    runs = [(split, share) for split in prepared.splits for share in SHARES]
    for rows, (split, share) in zip(seen, runs, strict=True):
        (smaller,) = training_shares(split, prepared.table, [share], 8)
        assert len(rows) == len(split.train)
        assert set(rows) == set(prepared.rows(smaller.train))
        assert np.ptp(np.unique(rows, return_counts=True)[1]) <= 1  # all equally often, but for 1


def test_shares_are_named():
    assert [share_name(share) for share in (0.05, 0.5, 1.0)] == ["5 %", "50 %", "100 %"]


def test_the_summary_goes_by_share_and_says_what_was_kept(compared):
    predictions, drawn = compared
    table = summarize_shares(summarize_variants(predictions, "100 %", 50), drawn, "100 %")
    assert list(table["variant"]) == ["10 %", "50 %", "100 %"] * 2
    assert list(dict.fromkeys(table["head"])) == ["relu", "sigmoid"]
    by = table.set_index(["head", "variant"])
    for head in ("relu", "sigmoid"):
        assert by.loc[(head, "100 %"), "kept"] == 1
        ratio = by.loc[(head, "10 %"), "srcc"] / by.loc[(head, "100 %"), "srcc"]
        assert by.loc[(head, "10 %"), "kept"] == ratio
    images = drawn.groupby("variant")["images"].mean()
    assert (table["images"] == table["variant"].map(images)).all()


def test_differences_are_those_of_the_srcc_and_their_changes_add_up(compared):
    predictions, _ = compared
    found = differences_by_share(predictions, "relu", "100 %", 200).set_index("variant")
    assert set(found["head"]) == {"sigmoid"}
    for share, part in predictions.query("side == 'test'").groupby("variant"):
        by_head = {
            head: np.mean([srcc(s["prediction"], s["target"]) for _, s in one.groupby("seed")])
            for head, one in part.groupby("head")
        }
        gap = by_head["sigmoid"] - by_head["relu"]
        assert found.loc[share, "difference"] == pytest.approx(gap)
        assert found.loc[share, "low"] <= gap <= found.loc[share, "high"]
    smaller, whole = found.drop(index="100 %"), found.loc["100 %"]
    np.testing.assert_allclose(smaller["change"], smaller["difference"] - whole["difference"])
    assert (smaller["change_low"] <= smaller["change_high"]).all()
    assert whole[["change", "change_low", "change_high"]].isna().all()


def test_a_head_that_gains_nothing_from_data_changes_by_nothing(compared):
    predictions, _ = compared
    # The sigmoid repeats what ReLU says, but at the smallest share the opposite of the truth.
    relu = predictions[predictions["head"] == "relu"]
    turned = relu.assign(head="sigmoid")
    turned["prediction"] = turned["prediction"].where(
        turned["variant"] != "10 %", -turned["target"]
    )
    both = pd.concat([relu, turned], ignore_index=True)
    found = differences_by_share(both, "relu", "100 %", 200).set_index("variant")
    assert found.loc["50 %", "change"] == 0
    assert found.loc["10 %", "change_high"] < 0


def test_one_head_alone_has_no_differences(compared):
    predictions, _ = compared
    alone = differences_by_share(predictions.query("head == 'relu'"), "relu", "100 %", 50)
    assert alone.empty
    assert "change" in alone
