from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_study import small_study

from iqa.evaluation import rmse
from iqa.experiments.losses import LOSSES, agreement, compare_losses, matched_to_validation
from iqa.experiments.study import cross_validate


@pytest.fixture(scope="module")
def compared():
    return compare_losses(*small_study(), LOSSES)


def test_every_loss_predicts_the_same_images_on_the_scale_of_the_ratings(compared):
    _, prepared = small_study()
    target = dict(zip(prepared.table["id"], prepared.targets, strict=True))
    assert (compared["target"] == compared["id"].map(target)).all()
    tested = compared[compared["side"] == "test"].groupby(["head", "variant", "seed"])["id"]
    assert (tested.nunique() == 60).all()
    assert len(tested) == 2 * len(LOSSES) * 2
    for name in ("MSE", "MSE + margin"):
        part = compared[compared["variant"] == name]
        assert rmse(part["prediction"], part["target"]) < 0.4


def test_the_formula_on_the_usual_range_is_the_study_itself(compared):
    own, _ = cross_validate(*small_study())
    mine = compared[compared["variant"] == "MSE + margin"].reset_index(drop=True)
    np.testing.assert_allclose(mine["prediction"], own["prediction"], atol=1e-6)


def test_a_range_is_what_heads_are_trained_on_and_is_taken_back(compared):
    study, prepared = small_study()
    narrow = replace(prepared, targets=0.01 + 0.04 * prepared.targets)
    own, _ = cross_validate(study, narrow)
    mine = compared[compared["variant"] == "MSE + margin, .01–.05"].reset_index(drop=True)
    np.testing.assert_allclose(0.01 + 0.04 * mine["prediction"], own["prediction"], atol=1e-6)
    usual = compared[compared["variant"] == "MSE + margin"].reset_index(drop=True)
    assert abs(mine["prediction"] - usual["prediction"]).max() > 0.01


def test_only_losses_on_a_scale_have_an_rmse(compared):
    found = agreement(compared, LOSSES).set_index(["head", "variant"])
    assert len(found) == 2 * len(LOSSES)
    assert found["plcc_val_fit"].between(-1, 1).all()
    scaled = ~found.index.get_level_values("variant").map(lambda name: LOSSES[name].scale_free)
    assert (found["rmse"].notna() == scaled).all()


def test_a_plcc_that_one_fold_lacks_is_left_out_not_averaged_over_the_others(compared):
    part = compared[(compared["variant"] == "MSE") & (compared["head"] == "relu")].copy()
    first = (part["side"] == "val") & (part["fold"] == 0) & (part["seed"] == 8)
    part.loc[first, "prediction"] = 0.5
    assert agreement(part, LOSSES)["plcc_val_fit"].isna().all()
    assert agreement(pd.concat([part[~first]]), LOSSES)["rmse"].notna().all()


def test_matching_gives_every_head_the_scale_of_its_validation_and_keeps_its_order(compared):
    matched = matched_to_validation(compared)
    head = ["head", "variant", "seed", "fold"]
    val = matched[matched["side"] == "val"].groupby(head)
    for figure in ("mean", "std"):
        found = val[["prediction", "target"]].agg(figure)
        np.testing.assert_allclose(found["prediction"], found["target"], atol=1e-9)
    ranks = [t.groupby([*head, "side"])["prediction"].rank() for t in (compared, matched)]
    assert (ranks[0] == ranks[1]).all()
    assert matched.drop(columns="prediction").equals(compared.drop(columns="prediction"))


def test_matching_undoes_what_a_loss_leaves_free(compared):
    own_scale = compared["fold"].map({0: 1.0, 1: 20.0, 2: 0.1})
    free = compared.assign(prediction=compared["prediction"] * own_scale + 7 * compared["seed"])
    np.testing.assert_allclose(
        matched_to_validation(free)["prediction"],
        matched_to_validation(compared)["prediction"],
        atol=1e-6,
    )


def test_constant_predictions_are_only_shifted(compared):
    flat = matched_to_validation(compared.assign(prediction=3.0))
    means = compared[compared["side"] == "val"].groupby("fold")["target"].mean()
    np.testing.assert_allclose(flat["prediction"], flat["fold"].map(means))
