"""What is estimated from a record beyond what `iqa.evaluation` gives."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from iqa.report.estimands import variance_parts

IMAGES = 300


def made(seeds, folds, rates, noise):
    """Predictions whose noise for the head x is `noise(fold, seed, rate)` on images of a fold."""
    parts = []
    for fold, seed, rate in product(range(folds), range(seeds), range(rates)):
        rng = np.random.default_rng(fold)
        target, error = rng.normal(size=IMAGES), rng.normal(size=IMAGES)
        images = pd.DataFrame({"id": [f"{fold}-{n}" for n in range(IMAGES)], "target": target})
        for head, by in (("x", noise(fold, seed, rate)), ("y", 1.0)):
            one = images.assign(head=head, prediction=target + by * error, group=images["id"])
            parts.append(one.assign(split=0, fold=fold, seed=seed, learning_rate=rate))
    return SimpleNamespace(tested=pd.concat(parts), set="made")


def parts_of(**how):
    table = variance_parts(made(**how), "x", "y")
    return dict(zip(table["source"], table["sd"], strict=True))


def test_what_does_not_vary_adds_nothing():
    parts = parts_of(seeds=2, folds=6, rates=2, noise=lambda fold, seed, rate: 0.8)
    assert parts["start"] == parts["learning rate"] == 0
    assert 0 < parts["images"] < 0.05
    assert parts["split"] < 0.02


@pytest.mark.parametrize("source", ["start", "split", "learning rate"])
def test_what_varies_is_found(source):
    place = ["split", "start", "learning rate"].index(source)
    parts = parts_of(seeds=3, folds=6, rates=3, noise=lambda *where: 0.6 + 0.5 * (where[place] % 3))
    assert max(parts, key=parts.get) == source


def test_one_seed_tells_nothing_of_the_start():
    assert "start" not in parts_of(seeds=1, folds=3, rates=2, noise=lambda *_: 0.8)
