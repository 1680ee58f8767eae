from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from iqa.datasets import Dataset, DatasetInfo
from iqa.errors import UserError
from iqa.evaluation import srcc
from iqa.experiments import transfer_targets
from iqa.experiments.rates import at_rate
from iqa.experiments.study import Study, arrange, fit_split
from iqa.experiments.transfer import (
    SOURCE,
    by_replicate,
    cross_validate_transfer,
    mean_predictions,
    summarize_transfer,
)
from iqa.experiments.transfer_targets import OTHER_HALF, prepare_transfer
from iqa.features import Features
from iqa.training import HeadTraining

HEADS, SEEDS, FOLDS, RATES = ("relu", "sigmoid"), (8, 19), 3, (1e-4, 1e-2)


def images(name, n=45, each=3, noise=0.05):
    """Images whose score is, but for noise, their first feature."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 4)).astype(np.float32)
    target = np.clip(0.5 + 0.2 * x[:, 0] + rng.normal(0, noise, n), 0, 1)
    ids = [f"{name}{i:02}" for i in range(n)]
    table = pd.DataFrame({"id": ids, "path": ids, "score": 100 * target, "target": target})
    table["group"] = [f"{name}-{i // each}" for i in range(n)]
    about = DatasetInfo(name, name.upper(), "MOS", 0.0, 100.0, True, "", "", "", None, "")
    return Dataset(about, table, name), Features(tuple(ids), x, name)


@pytest.fixture
def sets(monkeypatch):
    """Three data sets in place of those that the package knows."""
    there = {name: images(name, n) for name, n in (("a", 45), ("b", 30), ("c", 24))}

    def load(name, progress=False):
        if name not in there:
            raise UserError(f"dataset `{name}`: not found; set IQA_DATA")
        return there[name][0]

    def prepare(study):
        return arrange(study, *there[study.dataset])

    monkeypatch.setattr(transfer_targets, "datasets", SimpleNamespace(load=load))
    monkeypatch.setattr(transfer_targets, "prepare", prepare)
    monkeypatch.setattr(
        transfer_targets, "extract", lambda data, *_, **__: there[data.info.name][1]
    )
    return there


def study(**changes):
    fields = {
        "dataset": "a",
        "backbone": "efficientnet_lite0",
        "heads": HEADS,
        "seeds": SEEDS,
        "folds": FOLDS,
        "training": HeadTraining(epochs=2, hidden=16, batch_size=8, learning_rate=1e-2),
    }
    return Study(**(fields | changes))


def transferred(others, **changes):
    mine = study(**changes)
    source, targets = prepare_transfer(mine, others)
    return mine, source, targets, *cross_validate_transfer(mine, source, targets, RATES)


def test_every_replicate_scores_every_image_of_every_target_once(sets):
    mine, source, targets, predictions, _ = transferred(["b", "c"])
    assert set(predictions["side"]) == {"test"}
    keys = ["variant", "tested_on", "head", "seed", "fold"]
    size = predictions.groupby(keys)["id"].agg(["size", "nunique"]).reset_index()
    assert len(size) == 2 * 3 * len(HEADS) * FOLDS * len(SEEDS)
    assert (size["size"] == size["nunique"]).all()
    for name, n in ((SOURCE, 45 // FOLDS), ("b", 30), ("c", 24)):
        assert (size.loc[size["tested_on"] == name, "size"] == n).all()

    split = source.splits[1]
    preds = fit_split(mine, source, split).predict(targets[1].features.values)
    at = "variant == '0.01' and tested_on == 'c' and head == 'sigmoid' and fold == @split.fold"
    of = predictions.query(at)
    for i, seed in enumerate(SEEDS):
        part = of[of["seed"] == seed].set_index("id").loc[list(targets[1].features.ids)]
        np.testing.assert_array_equal(part["prediction"], preds[1, i])
        np.testing.assert_array_equal(part["target"], targets[1].data.table["target"])


def test_a_heads_own_rate_is_the_one_that_its_validation_chose(sets):
    mine, source, targets, predictions, validation = transferred(["b"])
    rates = validation[validation["own"]].set_index(["head", "seed", "fold"])["learning_rate"]
    assert len(rates) == len(HEADS) * FOLDS * len(SEEDS)
    split = source.splits[2]
    for rate in RATES:
        heads = fit_split(at_rate(mine, rate), source, split)
        said = validation[(validation["fold"] == 2) & (validation["learning_rate"] == rate)]
        best = heads.history[heads.history["chosen"]].set_index(["preset", "seed"])["val_srcc"]
        found = said.set_index(["head", "seed"])["val_srcc"]
        assert found.to_dict() == best.to_dict()
        for head, seed in best.index:
            if rates[head, seed, 2] == rate:
                at = "variant == 'own' and tested_on == 'b' and fold == 2"
                part = predictions.query(f"{at} and head == @head and seed == @seed")
                preds = heads.select([head], [seed]).predict(targets[0].features.values)
                np.testing.assert_array_equal(part["prediction"], preds[0, 0])


def test_a_target_chooses_nothing(sets):
    """With a target of other scores, rates and predictions stay the same."""
    *_, before, chosen = transferred(["b"], seeds=(8,))
    data, features = sets["b"]
    flipped = data.table.assign(target=1 - data.table["target"])
    sets["b"] = (Dataset(data.info, flipped, "flipped"), features)
    *_, after, again = transferred(["b"], seeds=(8,))
    pd.testing.assert_series_equal(before["prediction"], after["prediction"])
    pd.testing.assert_frame_equal(chosen, again)
    assert not before["target"].equals(after["target"])


def test_without_others_the_contents_are_halved(sets):
    mine = study()
    source, (target,) = prepare_transfer(mine, [])
    ours, theirs = (set(data.table["group"]) for data in (source.data, target.data))
    assert not ours & theirs
    assert ours | theirs == set(sets["a"][0].table["group"])
    assert (len(ours), len(theirs)) == (8, 7)
    assert target.name == OTHER_HALF
    assert source.data.fingerprint != target.data.fingerprint
    whole = dict(zip(sets["a"][1].ids, sets["a"][1].values, strict=True))
    for part in (source, target):
        assert part.features.ids == tuple(part.data.table["id"])
        for name, row in zip(part.features.ids, part.features.values, strict=True):
            np.testing.assert_array_equal(row, whole[name])
    trained = {name for split in source.splits for name in (*split.train, *split.val, *split.test)}
    assert trained == set(source.features.ids)


@pytest.mark.parametrize(
    ("source", "others"),
    [("a", ["a"]), ("a", ["b", "b"]), ("demo", ["demo_mini"]), ("koniq10k", ["koniq10k/512x384"])],
)
def test_a_target_of_the_same_images_is_refused(source, others):
    with pytest.raises(UserError, match=f"others: `{others[0]}` is the source") as caught:
        prepare_transfer(study(dataset=source), others)
    assert "\n" not in str(caught.value)


def test_an_absent_target_is_told_before_anything_is_made(sets, monkeypatch):
    monkeypatch.setattr(
        transfer_targets, "prepare", lambda study: pytest.fail("the source was prepared")
    )
    with pytest.raises(UserError, match="dataset `z`: not found") as caught:
        prepare_transfer(study(), ["b", "z"])
    assert "\n" not in str(caught.value)


def made_up(noise, images=150):
    """Predictions of (place, head) with noise of its own strength; two replicates of each."""
    rng, parts = np.random.default_rng(0), []
    for (place, head), strength in noise.items():
        target = np.linspace(0, 1, images)
        ids = [f"{place}{i}" for i in range(images)]
        for seed in (0, 1):
            part = pd.DataFrame({"id": ids, "group": ids, "target": target, "side": "test"})
            part["prediction"] = target + strength * rng.standard_normal(images)
            part = part.assign(tested_on=place, head=head, seed=seed, fold=0)
            parts.append(part.assign(variant="own"))
    return pd.concat(parts, ignore_index=True)


def test_figures_are_means_over_replicates_and_losses_and_changes_their_differences():
    noise = {(SOURCE, "relu"): 0.2, (SOURCE, "sigmoid"): 0.19, ("b", "relu"): 1.2}
    predictions = made_up(noise | {("b", "sigmoid"): 0.3})
    tables = summarize_transfer(predictions, "relu", resamples=400)
    each = by_replicate(predictions)
    means = each.groupby(["tested_on", "head"])["srcc"].mean()
    one = predictions.query("tested_on == 'b' and head == 'relu' and seed == 1")
    assert each.query("tested_on == 'b' and head == 'relu' and seed == 1")[
        "srcc"
    ].item() == pytest.approx(srcc(one["prediction"], one["target"]))
    heads = tables["heads"].set_index(["tested_on", "head"])
    assert heads["srcc"].to_dict() == pytest.approx(means.to_dict())
    assert (heads["low"] < heads["srcc"]).all()
    assert (heads["srcc"] < heads["high"]).all()
    assert tables["heads"].query("tested_on == 'b'")["head"].tolist() == ["sigmoid", "relu"]

    gaps = tables["comparisons"].set_index(["tested_on", "head"])
    for place in (SOURCE, "b"):
        expected = means[place, "sigmoid"] - means[place, "relu"]
        assert gaps.loc[(place, "sigmoid"), "difference"] == pytest.approx(expected)
    lost = tables["lost"].set_index("head")
    assert lost.loc["relu", "value"] == pytest.approx(means[SOURCE, "relu"] - means["b", "relu"])
    assert lost.loc["relu", "low"] > 0
    (change,) = tables["changes"].itertuples()
    assert change.difference == pytest.approx(
        gaps.loc[("b", "sigmoid"), "difference"] - gaps.loc[(SOURCE, "sigmoid"), "difference"]
    )
    assert change.p_holm < 0.05
    assert change.low > 0


def test_what_is_kept_is_one_mean_for_each_head_and_image():
    predictions = made_up({(SOURCE, "relu"): 0.2, ("b", "relu"): 1.2}, images=20)
    kept = mean_predictions(predictions).set_index(["tested_on", "id"])
    assert len(kept) == 40
    expected = predictions.query("tested_on == 'b' and id == 'b3'")["prediction"].mean()
    assert kept.loc[("b", "b3"), "prediction"] == pytest.approx(expected, rel=1e-6)
    assert kept["prediction"].dtype == "float32"
