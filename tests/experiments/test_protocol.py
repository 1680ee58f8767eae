import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from iqa.datasets import SPLITS, Dataset, DatasetInfo, Split, info
from iqa.errors import UserError
from iqa.experiments.protocol import (
    PROTOCOLS,
    Protocol,
    find,
    head_training,
    reported_images,
    targets,
    watched_images,
)
from iqa.training import HeadTraining, train_heads

PUBLISHED, RIGOROUS = PROTOCOLS["published"], PROTOCOLS["rigorous"]
THREE = Split("random", 0, 0, ("a",), ("b",), ("c", "d", "e"))
TWO = Split("published", 0, 0, ("a",), (), ("c", "d", "e", "f"))


def but(protocol, **changes):
    return Protocol(**(protocol.model_dump() | changes))


def test_the_two_protocols_differ_in_every_field():
    pairs = zip(PUBLISHED.model_dump().values(), RIGOROUS.model_dump().values(), strict=True)
    assert all(one != other for one, other in pairs)
    assert find("published") is PUBLISHED
    with pytest.raises(UserError, match="unknown protocol 'rigourous': choose one of published"):
        find("rigourous")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "kfold"}, "unknown split 'kfold'"),
        ({"objective": "mae"}, "unknown objective 'mae'"),
        ({"split": "published"}, "the split `published` has none"),
        ({"split": "published", "checkpoint": "last"}, "plcc='val' needs validation images"),
        ({"split": "published", "plcc": "test"}, "checkpoint='validation'"),
    ],
)
def test_what_does_not_exist_or_does_not_fit_is_refused(changes, message):
    with pytest.raises(UserError, match=message) as caught:
        but(RIGOROUS, **changes)
    assert "\n" not in str(caught.value)


def test_words_outside_the_lists_are_refused_and_nothing_can_be_changed():
    with pytest.raises(ValidationError, match="'validation', 'test' or 'last'"):
        but(RIGOROUS, checkpoint="best")
    with pytest.raises(ValidationError, match="frozen"):
        RIGOROUS.drop_last = True


@pytest.mark.parametrize("protocol", PROTOCOLS.values())
@pytest.mark.parametrize("checkpoint", ["validation", "test", "last"])
def test_training_follows_the_protocol(protocol, checkpoint):
    if checkpoint == "validation" and protocol is PUBLISHED:
        return
    training = HeadTraining(epochs=7, objective="mse")
    found = head_training(but(protocol, checkpoint=checkpoint), training)
    assert found == HeadTraining(
        epochs=7,
        objective=protocol.objective,
        checkpoint="last" if checkpoint == "last" else "best",
    )


def test_images_that_choose_the_epoch():
    assert watched_images(RIGOROUS, THREE) == ("b",)
    assert watched_images(but(RIGOROUS, checkpoint="test"), THREE) == THREE.test
    assert watched_images(but(RIGOROUS, checkpoint="last"), THREE) == ("b",)
    assert watched_images(PUBLISHED, TWO) == TWO.test
    assert watched_images(but(PUBLISHED, checkpoint="last"), TWO) == TWO.test


def test_the_last_incomplete_batch_is_dropped_only_where_asked():
    assert reported_images(RIGOROUS, THREE) == ("c", "d", "e")
    assert reported_images(but(RIGOROUS, drop_last=True), THREE) == ("c", "d")
    assert reported_images(PUBLISHED, TWO) == TWO.test


def dataset(name, **columns):
    about = DatasetInfo(name, name, "MOS", 0.0, 100.0, True, "", "", "", None, "")
    table = pd.DataFrame({"id": ["a", "b"], "path": ["/a", "/b"], "score": [20.0, 80.0]})
    table = table.assign(target=[0.2, 0.8], group=["a", "b"], **columns)
    return Dataset(about, table, "f00d")


def test_published_targets_are_others_for_koniq_alone():
    koniq = dataset("koniq10k", MOS=[1.5, 4.0])
    np.testing.assert_allclose(targets(PUBLISHED, koniq), [0.015, 0.04])
    np.testing.assert_allclose(targets(RIGOROUS, koniq), [0.2, 0.8])
    np.testing.assert_allclose(targets(PUBLISHED, dataset("clive", MOS=[1.5, 4])), [0.2, 0.8])
    with pytest.raises(UserError, match="`koniq10k` has no column `MOS`"):
        targets(PUBLISHED, dataset("koniq10k"))


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


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=list(PROTOCOLS))
def test_a_protocol_runs_from_split_to_reported_predictions(protocol):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(45, 4))
    ids = [f"i{n}" for n in range(45)]
    table = pd.DataFrame({"id": ids, "group": [f"g{n // 3}" for n in range(45)]})
    split = SPLITS[protocol.split](table, 8)
    rows = pd.Index(ids).get_indexer
    trained = train_heads(
        x,
        (x[:, 0] - x[:, 0].min()) / 6,
        rows(split.train),
        rows(watched_images(protocol, split)),
        ["gated"],
        [8],
        head_training(protocol, HeadTraining(epochs=2, hidden=8)),
    )
    reported = reported_images(protocol, split)
    assert len(reported) == {"published": 8, "rigorous": 9}[protocol.name]
    assert np.isfinite(trained.predict(x[rows(reported)])).all()
