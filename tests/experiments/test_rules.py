import numpy as np
import pandas as pd
import pytest

from iqa.datasets import SPLITS, Dataset, DatasetInfo, Split, grouped_folds, info, random_folds
from iqa.errors import UserError
from iqa.experiments.protocol import PROTOCOLS, PUBLISHED, RIGOROUS
from iqa.training import HeadTraining

THREE = Split("random", 0, 0, ("a",), ("b",), ("c", "d", "e"))
TWO = Split("published", 0, 0, ("a",), (), ("c", "d", "e", "f"))
TABLE = pd.DataFrame(
    {
        "id": [f"i{n}" for n in range(45)],
        "group": [f"g{n // 3}" for n in range(45)],
        "split": ["test"] * 9 + ["train"] * 36,
    }
)


def test_folds_are_for_all_seeds_and_other_splits_for_the_seed_that_drew_them():
    seeds = (8, 19, 25)
    assert RIGOROUS.splits(TABLE, 5, 3, seeds) == grouped_folds(TABLE, 5, 3)
    by_image = RIGOROUS.but("mine", split="random")
    assert by_image.splits(TABLE, 4, 3, seeds) == random_folds(TABLE, 4, 3)
    assert by_image.seeds_on(by_image.splits(TABLE, 4, 3, seeds)[1], seeds) == seeds
    for protocol in (PUBLISHED, PROTOCOLS["official"]):
        found = protocol.splits(TABLE, 5, 3, seeds)
        assert found == [SPLITS[protocol.split](TABLE, seed) for seed in seeds]
        assert [protocol.seeds_on(split, seeds) for split in found] == [(8,), (19,), (25,)]


@pytest.mark.parametrize("protocol", PROTOCOLS.values())
@pytest.mark.parametrize("checkpoint", ["validation", "test", "last"])
def test_training_follows_the_protocol(protocol, checkpoint):
    if checkpoint == "validation" and protocol is PUBLISHED:
        return
    training = HeadTraining(epochs=7, objective="mse")
    found = protocol.but("mine", checkpoint=checkpoint).training(training)
    assert found == HeadTraining(
        epochs=7,
        objective=protocol.objective,
        checkpoint="last" if checkpoint == "last" else "best",
    )


def test_images_that_choose_the_epoch():
    assert RIGOROUS.watched(THREE) == ("b",)
    assert RIGOROUS.but("mine", checkpoint="test").watched(THREE) == THREE.test
    assert RIGOROUS.but("mine", checkpoint="test", drop_last=True).watched(THREE) == (
        "c",
        "d",
    )
    assert RIGOROUS.but("mine", checkpoint="last").watched(THREE) == ("b",)
    assert PUBLISHED.watched(TWO) == TWO.test
    assert PUBLISHED.but("mine", checkpoint="last").watched(TWO) == TWO.test


def test_the_last_incomplete_batch_is_dropped_only_where_asked():
    assert RIGOROUS.reported(THREE) == ("c", "d", "e")
    assert RIGOROUS.but("mine", drop_last=True).reported(THREE) == ("c", "d")
    assert PUBLISHED.reported(TWO) == TWO.test


def dataset(name, **columns):
    about = DatasetInfo(name, name, "MOS", 0.0, 100.0, True, "", "", "", None, "")
    table = pd.DataFrame({"id": ["a", "b"], "path": ["/a", "/b"], "score": [20.0, 80.0]})
    table = table.assign(target=[0.2, 0.8], group=["a", "b"], **columns)
    return Dataset(about, table, "f00d")


def test_published_targets_are_others_for_koniq_alone():
    koniq = dataset("koniq10k", MOS=[1.5, 4.0])
    np.testing.assert_allclose(PUBLISHED.targets(koniq), [0.015, 0.04])
    np.testing.assert_allclose(RIGOROUS.targets(koniq), [0.2, 0.8])
    np.testing.assert_allclose(PUBLISHED.targets(dataset("clive", MOS=[1.5, 4])), [0.2, 0.8])
    small = dataset("koniq10k/512x384", MOS=[1.5, 4.0])
    np.testing.assert_allclose(PUBLISHED.targets(small), [0.015, 0.04])
    with pytest.raises(UserError, match="`koniq10k` has no column `MOS`"):
        PUBLISHED.targets(dataset("koniq10k"))


@pytest.mark.parametrize(
    ("name", "offset", "divisor"),
    [
        ("clive", 0, 100),
        ("spaq", 0, 100),
        ("flive", 0, 100),
        ("kadid10k", 1, 4),
        ("agiqa3k", 0, 5),
        ("agiqa1k", 0, 5),
    ],
)
def test_elsewhere_the_published_range_gives_the_published_scaling(name, offset, divisor):
    scores = pd.Series([1.0, 2.5, 4.9])
    np.testing.assert_allclose(info(name).to_target(scores), (scores - offset) / divisor)
