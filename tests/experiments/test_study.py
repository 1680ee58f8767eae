import numpy as np
import pandas as pd
import pytest

from iqa.datasets import Dataset, DatasetInfo
from iqa.errors import UserError
from iqa.evaluation import figures_by_fold, srcc, summarize_heads
from iqa.experiments.protocol import PROTOCOLS, PUBLISHED, RIGOROUS
from iqa.experiments.study import Study, arrange, cross_validate, study_record
from iqa.features import Features
from iqa.training import HeadTraining

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

    by_fold = figures_by_fold(predictions)
    assert by_fold[mine.protocol.plcc_column].notna().all()
    assert by_fold["plcc_val_fit"].isna().all() == (name == "published")
    summary = summarize_heads(predictions, "relu", resamples=50)
    assert np.isfinite(summary.heads[["srcc", "low", "high"]]).all(axis=None)

    record = study_record("toy", mine, prepared, {}, {})
    assert record.protocol == name
    assert record.parameters["protocol"] == PROTOCOLS[name].model_dump()
    assert record.parameters["training"]["objective"] == PROTOCOLS[name].objective
    assert record.splits == [split.hash for split in prepared.splits]
    assert Study(**(record.parameters | {"training": {"epochs": 2}})).protocol == mine.protocol
    assert set(history["seed"]) == set(SEEDS)


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


@pytest.mark.parametrize("taken", [{"objective": "mse"}, {"checkpoint": "last"}])
def test_what_the_protocol_says_cannot_be_said_twice(taken):
    with pytest.raises(
        UserError, match=f"`{next(iter(taken))}`, which the protocol says"
    ) as caught:
        study(training=HeadTraining(**taken))
    assert "\n" not in str(caught.value)


def test_the_last_epoch_is_kept_where_nothing_chooses():
    mine = study(protocol=RIGOROUS.but("last", checkpoint="last"))
    _, history = cross_validate(mine, arrange(mine, *toy()))
    assert set(history.loc[history["chosen"], "epoch"]) == {2}
