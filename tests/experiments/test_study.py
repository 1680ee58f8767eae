import numpy as np
import pandas as pd
import pytest

from iqa.datasets import Dataset, DatasetInfo
from iqa.errors import UserError
from iqa.evaluation import evaluate_splits, single_splits, srcc
from iqa.experiments.protocol import PROTOCOLS, PUBLISHED, RIGOROUS
from iqa.experiments.record import read_record
from iqa.experiments.study import Study, arrange, cross_validate, fit_split, parameters_in, record
from iqa.features import Features
from iqa.training import HeadTraining, train_heads

N, SEEDS = 63, (8, 19)


def study(**changes):
    fields = {
        "dataset": "demo_mini",
        "backbone": "efficientnet_lite0",
        "heads": ("relu", "sigmoid"),
        "seeds": SEEDS,
        "training": HeadTraining(epochs=2, hidden=16, batch_size=8, learning_rate=1e-2),
    }
    return Study(**(fields | changes))


def toy(name="koniq10k"):
    """Images whose score is, but for noise, their first feature; 3 of them a content."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 4)).astype(np.float32)
    target = np.clip(0.5 + 0.2 * x[:, 0] + rng.normal(0, 0.05, N), 0, 1)
    ids = [f"i{n:02}" for n in range(N)]
    table = pd.DataFrame(
        {
            "id": ids,
            "path": ids,
            "score": 100 * target,
            "target": target,
            "MOS": 1 + 4 * target,
            "group": [f"g{n // 3}" for n in range(N)],
            "split": ["test"] * 15 + ["train"] * 48,
        }
    )
    about = DatasetInfo(name, name, "MOS", 0.0, 100.0, True, "", "", "", None, "")
    return Dataset(about, table, "f00d"), Features(tuple(ids), x, "key")


def test_a_seed_is_another_start_on_every_fold_and_the_same_one_for_all_heads():
    mine = study()
    prepared = arrange(mine, *toy())
    fitted = [fit_split(mine, prepared, split) for split in prepared.splits]
    assert [trained.starts for trained in fitted] == [
        (8, 19),
        (1008, 1019),
        (2008, 2019),
        (3008, 3019),
        (4008, 4019),
    ]
    assert {trained.seeds for trained in fitted} == {SEEDS}
    split, x, targets = prepared.splits[1], prepared.features.values, prepared.targets
    sides = [prepared.rows(ids) for ids in (split.train, split.val)]
    by_hand = train_heads(x, targets, *sides, mine.heads, [1008], mine.training)
    expected = by_hand.predict(x)[:, 0]
    np.testing.assert_allclose(fitted[1].predict(x)[:, 0], expected, atol=1e-5)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_study_follows_its_protocol_from_splits_to_record(name):
    mine = study(protocol=name)
    prepared = arrange(mine, *toy())
    predictions, history = cross_validate(mine, prepared)
    tested = predictions[predictions["side"] == "test"]
    count = {"rigorous": N, "official": 15, "published": 12}[name]  # published: 13, in pairs
    assert (tested.groupby(["head", "seed"])["id"].nunique() == count).all()
    assert (tested.groupby(["head", "seed"]).size() == count).all()
    assert len(prepared.splits) == {"rigorous": 5, "official": 2, "published": 2}[name]
    assert ("val" in set(predictions["side"])) == (name != "published")

    by_split = evaluate_splits(predictions)
    assert by_split["plcc_raw"].notna().all()
    assert by_split["plcc_val_fit"].isna().all() == (name == "published")
    table = single_splits(tested, ["head"], prepared.test_to_train).table("srcc")
    assert np.isfinite(table["srcc"]).all()
    assert mine.training.objective == PROTOCOLS[name].objective
    assert set(history["seed"]) == set(SEEDS)


def test_a_record_holds_what_went_in(tmp_path):
    mine = study(protocol="published", parameters={"record_to": str(tmp_path / "run"), "heads": 2})
    prepared = arrange(mine, *toy())
    predictions, _ = cross_validate(mine, prepared)
    record("toy", mine, prepared, {"predictions": predictions}, {"more": 1})
    found, tables = read_record(tmp_path / "run")
    assert found.parameters == mine.parameters
    assert found.settings["protocol"] == PUBLISHED.model_dump()
    assert found.settings["training"]["objective"] == PUBLISHED.objective
    assert found.settings["more"] == 1
    assert list(found.weights_sources) == ["efficientnet_lite0"]
    assert "SHA-256" in found.weights_sources["efficientnet_lite0"]
    assert [split.hash for split in found.splits] == [split.hash for split in prepared.splits]
    assert found.test_to_train == pytest.approx(prepared.test_to_train)
    assert len(tables["predictions"]) == len(predictions)


def test_a_study_is_made_from_a_notebooks_variables():
    variables = {
        "dataset": "demo_mini",
        "backbone": "efficientnet_lite0",
        "head": "relu",
        "seed": 3,
    }
    variables |= {"epochs": 2, "learning_rate": 0.01, "weird": {"a": [1, None]}, "record_to": ""}
    from_ipython = {"_i": "x", "In": ["1"], "Out": {}, "exit": exit, "np": np, "OWN": "own"}
    mine = Study.from_parameters(variables | from_ipython)
    assert (mine.heads, mine.seeds) == (("relu",), (3,))
    assert (mine.training.epochs, mine.training.learning_rate) == (2, 0.01)
    assert mine.parameters == variables == parameters_in(variables | from_ipython)
    with pytest.raises(UserError, match="epochs: Input should be greater than or equal to 1"):
        Study.from_parameters(variables | {"epochs": 0})


def test_what_is_changed_is_checked_and_the_rest_stays():
    mine = study()
    other = mine.but(epochs=7, heads=("gelu",), objective="mse", checkpoint="last")
    assert (other.training.epochs, other.training.hidden, other.heads) == (7, 16, ("gelu",))
    assert (other.training.objective, other.training.checkpoint) == ("mse", "last")
    assert other.protocol.split == mine.protocol.split
    for change in ({"epochs": 0}, {"heads": ("rleu",)}, {"objective": "mae"}, {"epohcs": 1}):
        with pytest.raises(UserError, match=r"study|unknown"):
            mine.but(**change)


def test_the_published_protocol_reports_the_best_epoch_of_its_own_test_images():
    mine = study(protocol="published")
    predictions, history = cross_validate(mine, arrange(mine, *toy()))
    best = history.groupby(["head", "seed"])["val_srcc"].max()
    for (head, seed), part in predictions.groupby(["head", "seed"]):
        assert srcc(part["prediction"], part["target"]) == pytest.approx(best[head, seed])


def test_predictions_are_compared_with_the_targets_they_were_trained_on():
    data, features = toy()
    mine = study(protocol="published")
    predictions, _ = cross_validate(mine, arrange(mine, data, features))
    expected = data.table.set_index("id")["MOS"] / 100
    np.testing.assert_allclose(predictions["target"], expected[predictions["id"]])
    pd.testing.assert_frame_equal(data.table, toy()[0].table)


def test_a_protocol_is_named_or_given():
    assert study().protocol == study(protocol="rigorous").protocol == RIGOROUS
    mine = RIGOROUS.but("mine", objective="mse")
    assert study(protocol=mine).protocol == mine
    assert study(protocol=PUBLISHED.model_dump()).protocol == PUBLISHED
    with pytest.raises(UserError, match="unknown protocol 'publishd'"):
        study(protocol="publishd")


def test_the_last_epoch_is_kept_where_nothing_chooses():
    mine = study(protocol=RIGOROUS.but("last", checkpoint="last"))
    _, history = cross_validate(mine, arrange(mine, *toy()))
    assert set(history.loc[history["chosen"], "epoch"]) == {2}
