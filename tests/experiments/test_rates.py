import numpy as np
import pandas as pd
import pytest

from iqa.datasets import Dataset, DatasetInfo
from iqa.errors import UserError
from iqa.evaluation import srcc, summarize_heads
from iqa.experiments.rates import (
    OWN,
    by_validation,
    check_rates,
    cross_validate_rates,
    folds_apart,
    losses,
    variant_of,
    with_own_rate,
)
from iqa.experiments.study import Study, arrange, cross_validate
from iqa.features import Features
from iqa.training import HeadTraining

N, RATES = 48, (1e-4, 3e-2)


def prepared(**changes):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 4)).astype(np.float32)
    target = np.clip(0.5 + 0.2 * x[:, 0] + rng.normal(0, 0.05, N), 0, 1)
    ids = [f"i{n:02}" for n in range(N)]
    table = pd.DataFrame({"id": ids, "path": ids, "score": target, "target": target, "group": ids})
    about = DatasetInfo("toy", "Toy", "MOS", 0.0, 1.0, True, "", "", "", None, "")
    fields = {
        "dataset": "demo_mini",
        "backbone": "efficientnet_lite0",
        "heads": ("relu", "sigmoid"),
        "seeds": (8, 19),
        "folds": 3,
        "training": HeadTraining(epochs=2, hidden=16, batch_size=8, learning_rate=RATES[1]),
    }
    study = Study(**(fields | changes))
    return study, arrange(study, Dataset(about, table, "f00d"), Features(tuple(ids), x, "key"))


def history(values):
    """One epoch kept of each rate, and a better one that was not."""
    rows = [
        {"head": "relu", "seed": 8, "fold": 0, "learning_rate": rate, "val_srcc": value}
        for rate, value in values
    ]
    kept = pd.DataFrame(rows).assign(chosen=True)
    return pd.concat([kept, kept.assign(val_srcc=0.99, chosen=False)], ignore_index=True)


@pytest.mark.parametrize(
    ("values", "own"),
    [
        ([(1e-4, 0.3), (1e-3, 0.5), (1e-2, 0.4)], 1e-3),
        ([(1e-3, 0.5), (1e-4, 0.5)], 1e-4),  # of equal ones the lower
        ([(1e-4, float("nan")), (1e-3, -0.2)], 1e-3),  # constant predictions are worst
        ([(1e-3, float("nan")), (1e-4, float("nan"))], 1e-4),
    ],
)
def test_the_rate_of_the_best_validation_srcc_wins(values, own):
    table = by_validation(history(values))
    assert table.loc[table["own"], "learning_rate"].tolist() == [own]
    assert len(table) == len(values)


def test_each_fold_and_seed_chooses_for_itself():
    one, other = history([(1e-4, 0.3), (1e-3, 0.5)]), history([(1e-4, 0.6), (1e-3, 0.5)])
    table = by_validation(pd.concat([one, other.assign(fold=1)], ignore_index=True))
    assert table[table["own"]].set_index("fold")["learning_rate"].to_dict() == {0: 1e-3, 1: 1e-4}


def test_predictions_at_a_rate_are_those_of_a_study_at_that_rate_and_own_ones_are_among_them():
    study, data = prepared()
    predictions, validation = cross_validate_rates(study, data, RATES)
    alone, past = cross_validate(study, data)
    expected = alone[alone["side"] == "test"].reset_index(drop=True)
    found = predictions[predictions["variant"] == variant_of(RATES[1])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    best = past.groupby(["head", "seed", "fold"])["val_srcc"].max()
    said = validation[validation["learning_rate"] == RATES[1]]
    assert said.set_index(["head", "seed", "fold"])["val_srcc"].to_dict() == best.to_dict()

    everything = with_own_rate(predictions, validation)
    keys = ["head", "seed", "fold", "id"]
    by_key = everything.set_index([*keys, "variant"])["prediction"]
    own = validation[validation["own"]].set_index(["head", "seed", "fold"])["learning_rate"]
    assert len(own) == 2 * 2 * 3
    tested = everything[everything["variant"] == OWN]
    assert (tested.groupby(["head", "seed"])["id"].nunique() == N).all()
    assert len(tested) == 2 * 2 * N
    for row in tested.itertuples():
        rate = variant_of(own[row.head, row.seed, row.fold])
        assert by_key[row.head, row.seed, row.fold, row.id, rate] == row.prediction


def test_validation_alone_chooses():
    """With other targets on the test images, the same rates are chosen."""
    study, data = prepared(seeds=(8,))
    _, validation = cross_validate_rates(study, data, RATES)
    fold = data.splits[0]
    spoilt = data.targets.copy()
    rows = data.rows(fold.test)
    spoilt[rows] = spoilt[rows][::-1]
    mine = type(data)(data.data, data.features, spoilt, [fold])
    _, again = cross_validate_rates(study, mine, RATES)
    first = validation[validation["fold"] == fold.fold].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.reset_index(drop=True), first)


def test_folds_apart_give_the_mean_over_folds_whatever_their_scales():
    study, data = prepared()
    predictions, _ = cross_validate_rates(study, data, RATES[1:])
    table = summarize_heads(folds_apart(predictions), "relu", 50).heads.set_index("head")["srcc"]
    for head, part in predictions.groupby("head"):
        each = [srcc(d["prediction"], d["target"]) for _, d in part.groupby(["seed", "fold"])]
        assert len(each) == 6
        assert table[head] == pytest.approx(np.mean(each))
    moved = predictions.assign(prediction=predictions["prediction"] + 9 * predictions["fold"])
    again = summarize_heads(folds_apart(moved), "relu", 50).heads.set_index("head")["srcc"]
    assert again.to_dict() == pytest.approx(table.to_dict())


def made_up(noise):
    """Predictions of (head, variant) with noise of its own strength."""
    rng, target = np.random.default_rng(0), np.linspace(0, 1, 150)
    ids = [f"i{n}" for n in range(150)]
    frame = pd.DataFrame({"id": ids, "group": ids, "target": target, "side": "test", "fold": 0})
    return pd.concat(
        [
            frame.assign(
                head=head,
                variant=variant,
                seed=8,
                prediction=target + strength * rng.standard_normal(150),
            )
            for (head, variant), strength in noise.items()
        ],
        ignore_index=True,
    )


def test_losses_are_differences_to_the_own_rate_and_so_is_their_change():
    noise = {("relu", "0.0001"): 1.0, ("relu", "0.01"): 2.0, ("relu", OWN): 0.2}
    noise |= {("sigmoid", "0.0001"): 0.25, ("sigmoid", "0.01"): 0.4, ("sigmoid", OWN): 0.2}
    predictions = made_up(noise)
    srcc = {
        variant: summarize_heads(part, "relu", 50).heads.set_index("head")["srcc"]
        for variant, part in predictions.groupby("variant")
    }
    table = losses(predictions, "relu", 1e-4, resamples=300).set_index(["loss", "head"])
    for head in ("relu", "sigmoid"):
        one, other = (srcc[OWN][head] - srcc[rate][head] for rate in ("0.0001", "0.01"))
        assert table.loc[("at reference", head), "value"] == pytest.approx(one)
        assert table.loc[("over the range", head), "value"] == pytest.approx((one + other) / 2)
    change = table.loc[("at reference", "sigmoid")]
    gaps = {v: s["sigmoid"] - s["relu"] for v, s in srcc.items()}
    assert change["difference"] == pytest.approx(gaps[OWN] - gaps["0.0001"])
    assert change["p_holm"] < 0.05
    assert change["high_gap"] < 0
    assert table.loc[("over the range", "relu"), "low"] > 0
    assert np.isnan(table.loc[("over the range", "relu"), "difference"])


@pytest.mark.parametrize(
    ("rates", "reference", "fault"),
    [
        ([1e-4, 1e-3], 3e-4, "reference learning rate 0.0003 is not among"),
        ([1e-4, 1e-4], 1e-4, "expected positive ones, each once"),
        ([0.0, 1e-4], 1e-4, "expected positive ones"),
        ([], 1e-4, "expected positive ones"),
    ],
)
def test_rates_that_cannot_be_compared_are_refused(rates, reference, fault):
    with pytest.raises(UserError, match=fault) as caught:
        check_rates(rates, reference)
    assert "\n" not in str(caught.value)
