"""What the defects of the published code are, and what each adds, on made-up images."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat
from small_study import small_study

from iqa.datasets import Dataset, shared_groups
from iqa.evaluation import plcc, srcc
from iqa.experiments import audit
from iqa.experiments.audit_effects import ORDER, effects, ties
from iqa.experiments.protocol import PUBLISHED, RIGOROUS
from iqa.experiments.study import arrange, cross_validate
from iqa.features import Features


@pytest.fixture(scope="module")
def rigorous():
    """Predictions of all sides of a small study, and what it worked on."""
    study, prepared = small_study(images=61)
    predictions, _ = cross_validate(study, prepared, ["train", "val", "test"])
    return study, prepared, predictions.assign(variant="rigorous")


def examples(count=7):
    """Further images and their features, all alike."""
    ids = [f"t{n}" for n in range(1, count + 1)]
    table = pd.DataFrame({"id": ids, "path": ids, "group": ids, "score": 50.0, "target": 0.5})
    _, prepared = small_study()
    return Dataset(prepared.data.info, table, "beef"), Features(
        tuple(ids), np.zeros((count, 4), np.float32), "key"
    )


def test_as_published_differs_from_the_published_protocol_in_its_folds_alone():
    mine, theirs = (p.model_dump() for p in (audit.AS_PUBLISHED, PUBLISHED))
    assert {name for name in mine if mine[name] != theirs[name]} == {"name", "split"}


def test_scores_of_1_to_5_by_100():
    assert audit.scaled_like_koniq([0, 0.5, 1]).tolist() == pytest.approx([0.01, 0.03, 0.05])


def test_bfloat16_keeps_eight_bits():
    rounded = audit.in_bfloat16(np.linspace(0.5, 1, 10_000, endpoint=False))
    assert len(np.unique(rounded)) == 129  # 128 steps, and 1 to which the last ones are rounded
    assert np.abs(rounded - np.linspace(0.5, 1, 10_000, endpoint=False)).max() <= 1 / 512


def test_further_images_are_tested_once_and_move_no_other(rigorous):
    study, prepared, _ = rigorous
    more, features = examples()
    whole = audit.with_examples(prepared, more, features)
    group_of = dict(zip(whole.table["id"], whole.table["group"], strict=True))
    for before, after in zip(prepared.splits, whole.splits, strict=True):
        assert set(after.test) - set(features.ids) == set(before.test)
        assert set(after.train) - set(features.ids) == set(before.train)
        assert not shared_groups(after, group_of)
    assert sorted(n for s in whole.splits for n in s.test if n in features.ids) == list(
        features.ids
    )
    predictions, _ = cross_validate(study, whole)
    tested = predictions[predictions["side"] == "test"]
    assert set(tested["id"]) == {*prepared.features.ids, *features.ids}


def test_whole_batches_drop_one_image_of_an_odd_fold(rigorous):
    _, prepared, predictions = rigorous
    tests = predictions[predictions["side"] == "test"]
    odd = sum(len(split.test) % 2 for split in prepared.splits)
    kept = audit.in_whole_batches(tests, prepared.splits)
    assert odd > 0
    assert tests["id"].nunique() - kept["id"].nunique() == odd


def test_a_logistic_is_fitted_on_the_side_that_is_named(rigorous):
    _, _, predictions = rigorous
    part = predictions.query("head == 'relu' and seed == 8 and fold == 0")
    found = {on: audit.fitted(part, on) for on in ("val", "test")}
    tests = part[part["side"] == "test"]
    for mapped in found.values():
        assert set(mapped["side"]) == {"test"}
        assert srcc(mapped["prediction"], mapped["target"]) == pytest.approx(
            srcc(tests["prediction"], tests["target"])
        )
    errors = {on: ((m["prediction"] - m["target"]) ** 2).mean() for on, m in found.items()}
    assert errors["test"] < errors["val"]


def test_ties_count_values_and_leave_the_rest_alone():
    tests = pd.DataFrame({"head": "relu", "seed": [8] * 50 + [19] * 50})
    tests["target"] = np.tile(np.arange(50), 2)
    tests["prediction"] = 0.5 + tests["target"] / 1000
    found = ties(tests).iloc[0]
    assert (found["images"], found["distinct"]) == (50, 50)
    assert found["distinct_bf16"] == len({round(256 * (0.5 + n / 1000)) for n in range(50)})
    assert found["krcc"] == pytest.approx(1)
    assert 0.8 < found["krcc_bf16"] < 1


def test_each_defect_is_compared_once_for_each_head(rigorous):
    study, prepared, predictions = rigorous
    variants = {
        "B3": (study, replace(prepared, targets=audit.scaled_like_koniq(prepared.targets))),
        "B4": (study, audit.with_examples(prepared, *examples())),
    }
    for protocol in (RIGOROUS.but("B5", checkpoint="test"), audit.AS_PUBLISHED):
        varied = study.model_copy(update={"protocol": protocol})
        variants[protocol.name] = (varied, arrange(varied, prepared.data, prepared.features))
    runs = [cross_validate(*run, ["test"])[0].assign(variant=n) for n, run in variants.items()]
    table = effects(pd.concat([predictions, *runs]), prepared.splits, resamples=100)
    for _, part in table.groupby("head"):
        once = part.drop_duplicates("defect")["defect"]
        assert list(once) == [name for name in ORDER if name in set(once)]
        assert set(once) == set(ORDER) - {"B1", "B6", "other folds"}
        assert part["defect"].value_counts()["as published"] == 2  # SRCC and PLCC
        assert (part["p_holm"] >= part["p"]).all()
    assert table["difference"].to_numpy() == pytest.approx(table["value"] - table["baseline"])
    assert (table["low"] <= table["high"]).all()
    fitted_on_test = table.query("defect == 'PLCC fitted on test'")
    assert (fitted_on_test["difference"] > 0).all()


def test_training_images_among_the_test_images_are_scored_by_heads_that_saw_them(rigorous):
    _, prepared, predictions = rigorous
    table = effects(predictions, prepared.splits, resamples=50).set_index(["head", "defect"])
    part = predictions.query("head == 'relu' and side != 'val'")
    both = [srcc(p["prediction"], p["target"]) for _, p in part.groupby(["seed", "fold"])]
    assert table.loc[("relu", "B12"), "value"] == pytest.approx(np.mean(both))
    raw = [
        plcc(p["prediction"], p["target"])
        for _, p in part[part["side"] == "test"].groupby(["seed", "fold"])
    ]
    assert table.loc[("relu", "PLCC raw"), "value"] == pytest.approx(np.mean(raw))


@pytest.fixture
def clive(tmp_path, monkeypatch):
    """A release with all 1,169 rows, of which only the images given are made."""
    folder = tmp_path / "CLIVE/ChallengeDB_release"
    (folder / "Data").mkdir(parents=True)
    names = [f"t{n}.bmp" for n in range(1, 8)] + [f"{n}.bmp" for n in range(1162)]
    cells = np.array([[name] for name in names], dtype=object)
    savemat(folder / "Data/AllImages_release.mat", {"AllImages_release": cells})
    scores = np.linspace(0, 90, len(names)).reshape(1, -1)
    savemat(folder / "Data/AllMOS_release.mat", {"AllMOS_release": scores})
    (folder / "Images/trainingImages").mkdir(parents=True)
    for name in names[7:]:
        (folder / "Images" / name).touch()
    monkeypatch.setenv("IQA_DATA", str(tmp_path))
    return folder / "Images/trainingImages"


def test_the_training_examples_of_clive_are_found_where_they_lie(clive):
    assert audit.training_examples("clive") is None
    for n in range(1, 8):
        Image.new("RGB", (4, 4)).save(clive / f"t{n}.bmp")
    found = audit.training_examples("clive")
    assert found.table["path"].str.endswith(".bmp").all()
    assert found.table["score"].tolist() == pytest.approx(np.linspace(0, 90, 1169)[:7])
    assert audit.training_examples("agiqa3k") is None
