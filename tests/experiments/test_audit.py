"""Images that the paper's code wrongly adds or drops, on made-up images."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat
from small_study import small_study

from iqa.datasets import Dataset, shared_groups
from iqa.experiments import audit
from iqa.experiments.study import cross_validate
from iqa.features import Features


@pytest.fixture(scope="module")
def rigorous():
    """Predictions of all sides of a small study, and what it worked on."""
    study, prepared = small_study(images=61)
    predictions, _ = cross_validate(study, prepared, ["train", "val", "test"])
    return study, prepared, predictions


def examples(count=7):
    """Further images and their features, all alike."""
    ids = [f"t{n}" for n in range(1, count + 1)]
    table = pd.DataFrame({"id": ids, "path": ids, "group": ids, "score": 50.0, "target": 0.5})
    _, prepared = small_study()
    return Dataset(prepared.data.info, table, "beef"), Features(
        tuple(ids), np.zeros((count, 4), np.float32), "key"
    )


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


def test_each_assignment_drops_its_own_images():
    study, first = small_study(images=61)
    _, second = small_study(images=61, split_seed=1)
    parts = [cross_validate(study, one, ["test"])[0] for one in (first, second)]
    tests = pd.concat(parts)
    kept = audit.in_whole_batches(tests, [*first.splits, *second.splits])
    for one, part in zip((first, second), parts, strict=True):
        alone = audit.in_whole_batches(part, one.splits)
        same = kept[kept["split"] == one.splits[0].seed]
        assert sorted(same["id"]) == sorted(alone["id"])
        assert len(alone) < len(part)


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
