import numpy as np
import pandas as pd
import pytest
from small_study import small_study

from iqa.errors import UserError
from iqa.evaluation import summarize_heads
from iqa.evaluation.study import COLUMNS
from iqa.experiments.baselines import (
    average_starts,
    changed,
    choose_on_validation,
    regress,
    vary_training,
)
from iqa.experiments.families import variants_of
from iqa.experiments.study import cross_validate

STUDY, PREPARED = small_study()
ONE = STUDY.model_copy(update={"seeds": (8,)})


def test_regressors_stand_beside_heads_on_the_same_images():
    heads, _ = cross_validate(STUDY, PREPARED)
    ridge, fits = regress(STUDY, PREPARED, ["ridge"])
    assert set(COLUMNS) <= set(ridge)
    assert ridge.groupby("seed")["id"].nunique().to_dict() == {8: 60, 19: 60}
    by_seed = [part.set_index("id")["prediction"].sort_index() for _, part in ridge.groupby("seed")]
    pd.testing.assert_series_equal(*by_seed)
    assert list(fits["fold"]) == [0, 1, 2]
    assert (fits["settings"].str.startswith("alpha ")).all()
    both = pd.concat([heads.query("side == 'test'"), ridge])
    table = summarize_heads(both, "relu", resamples=50).heads.set_index("head")
    assert table.loc["ridge", "srcc"] > 0.9


def test_what_is_chosen_never_depends_on_the_test_images():
    rng = np.random.default_rng(1)
    split = PREPARED.splits[0]
    test = PREPARED.rows(split.test)
    targets = PREPARED.targets.copy()
    targets[test] = rng.random(len(test))
    other = type(PREPARED)(PREPARED.data, PREPARED.features, targets, [split])
    same = type(PREPARED)(PREPARED.data, PREPARED.features, PREPARED.targets, [split])
    (a, chosen_a), (b, chosen_b) = regress(ONE, same), regress(ONE, other)
    pd.testing.assert_frame_equal(chosen_a, chosen_b)
    np.testing.assert_array_equal(a["prediction"], b["prediction"])
    assert not np.array_equal(a["target"], b["target"])


def test_other_values_and_a_suffix_make_another_head():
    values = np.random.default_rng(0).normal(size=(60, 3))
    noise, _ = regress(ONE, PREPARED, ["ridge"], values, suffix=" on noise")
    assert set(noise["head"]) == {"ridge on noise"}
    assert abs(noise["prediction"].corr(noise["target"])) < 0.5


def test_ways_of_training_change_training_or_protocol():
    varied = changed(STUDY, "w", {"objective": "mse", "epochs": 2})
    assert varied.protocol.objective == "mse"
    assert (varied.training.epochs, varied.training.hidden) == (2, 16)
    assert changed(STUDY, "w", {"weight_decay": 0.1}).protocol == STUDY.protocol


def test_as_studied_is_the_study_and_other_ways_differ():
    ways, fits = vary_training(
        ONE,
        PREPARED,
        {"as studied": {}, "small": {"feature_scale": 0.01}, "mse": {"objective": "mse"}},
    )
    plain, _ = cross_validate(ONE, PREPARED)
    keys = ["head", "id"]
    expected = plain.query("side == 'test'").set_index(keys)["prediction"].sort_index()
    by_way = {n: p.set_index(keys)["prediction"].sort_index() for n, p in ways.groupby("variant")}
    np.testing.assert_allclose(by_way["as studied"], expected, atol=1e-5)
    assert not np.allclose(by_way["small"], expected, atol=1e-3)
    assert not np.allclose(by_way["mse"], expected, atol=1e-3)
    assert len(fits) == 3 * 3 * 2
    assert fits["train_srcc"].between(-1, 1).all()


def test_the_best_way_on_validation_is_taken_for_each_fold():
    keys = {"head": "relu", "seed": 8}
    fits = pd.DataFrame(
        [
            {**keys, "fold": 0, "variant": "a", "val_srcc": 0.5, "train_srcc": 0.1},
            {**keys, "fold": 0, "variant": "b", "val_srcc": 0.4, "train_srcc": 0.2},
            {**keys, "fold": 1, "variant": "a", "val_srcc": np.nan, "train_srcc": 0.3},
            {**keys, "fold": 1, "variant": "b", "val_srcc": 0.2, "train_srcc": 0.4},
        ]
    )
    predictions = fits[["head", "seed", "fold", "variant"]].assign(prediction=[0.0, 1.0, 2.0, 3.0])
    taken, best = choose_on_validation(predictions, fits)
    assert taken.set_index("fold")["prediction"].to_dict() == {0: 0.0, 1: 3.0}
    assert set(taken["variant"]) == set(best["variant"]) == {"chosen on validation"}
    assert list(best["train_srcc"]) == [0.1, 0.4]


def test_averaging_starts_is_the_mean_over_seeds():
    several = STUDY.model_copy(update={"seeds": (8, 9)})
    single, _ = cross_validate(several, PREPARED)
    keys = ["head", "id"]
    expected = single.query("side == 'test'").groupby(keys)["prediction"].mean()
    mean, fits = average_starts(ONE, PREPARED, 2, "mean")
    np.testing.assert_allclose(
        mean.set_index(keys)["prediction"].sort_index(), expected.sort_index(), atol=1e-5
    )
    assert len(fits) == 3 * 2
    assert (fits["train_srcc"] > 0.5).all()


def test_a_control_is_called_untrained_wherever_weights_are_random():
    study = STUDY.model_copy(update={"backbone": "efficientnet_lite0"})
    found = variants_of(study, ["efficientnet_lite1"], ["efficientnet_lite0"])
    assert list(found) == [
        "efficientnet_lite0",
        "efficientnet_lite1",
        "efficientnet_lite0, untrained",
    ]
    assert [s.weights for s in found.values()] == ["pretrained", "pretrained", "none"]
    bare = study.model_copy(update={"weights": "none"})
    assert list(variants_of(bare, ["efficientnet_lite1"], [])) == [
        "efficientnet_lite0, untrained",
        "efficientnet_lite1, untrained",
    ]
    with pytest.raises(UserError, match="named twice"):
        variants_of(bare, [], ["efficientnet_lite0"])
    with pytest.raises(UserError, match="lite9"):
        variants_of(study, ["efficientnet_lite9"], [])
