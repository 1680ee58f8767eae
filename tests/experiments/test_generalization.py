from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from iqa.datasets import Dataset, DatasetInfo
from iqa.errors import UserError
from iqa.experiments import generalization
from iqa.experiments.generalization import OTHER_HALF, predict_target, prepare_transfer
from iqa.experiments.study import Study, arrange, fit_split
from iqa.features import Features
from iqa.training import HeadTraining

HEADS, SEEDS, FOLDS = ("relu", "sigmoid"), (8, 19), 3


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

    monkeypatch.setattr(generalization, "datasets", SimpleNamespace(load=load))
    monkeypatch.setattr(generalization, "prepare", prepare)
    monkeypatch.setattr(generalization, "extract", lambda data, *_, **__: there[data.info.name][1])
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


def test_every_replicate_scores_every_image_of_a_target_once(sets):
    mine = study()
    source, targets = prepare_transfer(mine, ["b", "c"])
    split = source.splits[1]
    trained = fit_split(mine, source, split)
    for target, n in zip(targets, (30, 24), strict=True):
        found = predict_target(split, trained, target)
        assert (found.groupby(["head", "seed"])["id"].nunique() == n).all()
        assert len(found) == n * len(HEADS) * len(SEEDS)
        assert set(found["tested_on"]) == {target.name}
        preds = trained.predict(target.features.values)
        part = found.query("head == 'sigmoid' and seed == 19").set_index("id")
        np.testing.assert_array_equal(
            part.loc[list(target.features.ids), "prediction"], preds[1, 1]
        )


def test_a_target_chooses_nothing(sets):
    """With a target of other scores, the heads' predictions stay the same."""
    found = []
    for flip in (False, True):
        data, features = images("b", 30)
        table = data.table.assign(target=1 - data.table["target"]) if flip else data.table
        sets["b"] = (Dataset(data.info, table, "b"), features)
        mine = study()
        source, (target,) = prepare_transfer(mine, ["b"])
        split = source.splits[0]
        found.append(predict_target(split, fit_split(mine, source, split), target))
    pd.testing.assert_series_equal(found[0]["prediction"], found[1]["prediction"])
    assert not found[0]["target"].equals(found[1]["target"])


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
        generalization, "prepare", lambda study: pytest.fail("the source was prepared")
    )
    with pytest.raises(UserError, match="dataset `z`: not found") as caught:
        prepare_transfer(study(), ["b", "z"])
    assert "\n" not in str(caught.value)
