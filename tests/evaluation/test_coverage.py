"""Do 95 % intervals of a difference in SRCC hold the truth in 95 % of all repetitions?

Measured with 1,000 repetitions each (standard error .007), docs/DESIGN.md cites the outcome.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from iqa.evaluation import OverSplits, pooled_folds, srcc, transferred, whole_assignments

pytestmark = pytest.mark.slow
REPETITIONS = 1000


def rated_images(rng, contents, each):
    """Two heads with errors that contents and heads share in part; one is better."""
    n, content = contents * each, np.repeat(np.arange(contents), each)
    target = 0.8 * rng.normal(size=contents)[content] + 0.6 * rng.normal(size=n)
    shared = 0.5 * rng.normal(size=contents)[content] + 0.4 * rng.normal(size=n)
    images = pd.DataFrame(
        {"id": [f"i{i:04}" for i in range(n)], "group": [f"g{c}" for c in content]}
    ).assign(target=target, split=0, fold=content % 5, seed=0)
    parts = []
    for head, size in (("good", 0.3), ("poor", 0.4)):
        own = size * (rng.normal(size=contents)[content] + rng.normal(size=n))
        parts.append(images.assign(head=head, prediction=target + shared + own))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(("contents", "each"), [(20, 5), (40, 5), (200, 1)])
def test_pooled_folds_cover_other_contents(contents, each):
    whole = rated_images(np.random.default_rng(1), 20_000, each)
    truth = pooled_folds(whole, ["head"], resamples=1).minus(head="poor").observed[0]
    covered, biases = 0, []
    for repetition in range(REPETITIONS):
        made = rated_images(np.random.default_rng(repetition), contents, each)
        scores = pooled_folds(made, ["head"], resamples=800, seed=repetition)
        biases.append(scores.values.mean() - scores.observed.mean())
        low, high = scores.minus(head="poor").table("d")[["low", "high"]].to_numpy()[0]
        covered += low <= truth <= high
    print(contents, each, covered / REPETITIONS, f"bias of the resamples {np.mean(biases):.4f}")
    assert -0.01 < np.mean(biases) < 0  # resampling lowers SRCC, and hardly
    assert 0.93 <= covered / REPETITIONS <= 0.97


def ridge(x, y, penalty):
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


def rated(rng, contents, each):
    """Features, ratings and contents of images."""
    n, content = contents * each, np.repeat(np.arange(contents), each)
    x = 0.7 * rng.normal(size=(contents, 12))[content] + 0.7 * rng.normal(size=(n, 12))
    y = x @ np.linspace(0.1, 1, 12) + rng.normal(size=contents)[content] + rng.normal(size=n)
    return x, y, content


MODELS = ((12, 1.0), (9, 30.0))
"""Features used and penalty of the two ridge regressions that are compared."""


def trained(rng, x, y):
    """The weights of both, moved by one start, as heads of one split have one."""
    start = 0.1 * rng.normal(size=12)
    return [ridge(x[:, :used], y, penalty) + start[:used] for used, penalty in MODELS]


def studied(rng, contents, each, splits, held_out):
    """SRCC of the two on the test images of each split, (splits, 2).

    The splits are folds, or with `held_out` drawn anew: 70 % train and 20 % test.
    """
    x, y, content = rated(rng, contents, each)
    place = rng.permutation(contents)[content]
    scores = np.empty((splits, 2))
    for split in range(splits):
        test = place % splits == split
        train = ~test
        if held_out:
            place = rng.permutation(contents)[content]
            test, train = place < 0.2 * contents, place >= 0.3 * contents
        for row, weights in enumerate(trained(rng, x[train], y[train])):
            fitted = x[test][:, : len(weights)] @ weights
            scores[split, row] = np.corrcoef(rankdata(fitted), rankdata(y[test]))[0, 1]
    return scores


@pytest.mark.parametrize(
    ("contents", "each", "splits", "held_out"),
    [
        (40, 5, 5, False),
        (200, 1, 10, False),
        (200, 2, 10, False),
        (400, 1, 5, False),
        (200, 1, 5, True),
        (200, 1, 3, True),
    ],
)
def test_single_splits_cover_other_images_splits_and_starts(contents, each, splits, held_out):
    def gaps_of(seed):
        return np.diff(studied(np.random.default_rng(seed), contents, each, splits, held_out)).T

    truth = np.mean([gaps_of(10**6 + i) for i in range(3000)])
    law = OverSplits(2 / 7 if held_out else 1 / (splits - 1), contents)
    covered = 0
    for repetition in range(REPETITIONS):
        gaps = gaps_of(repetition)
        low, high = law.interval(gaps.mean(axis=1), gaps, 0.95)[0]
        covered += low <= truth <= high
    print(contents, each, splits, held_out, covered / REPETITIONS)
    # The correction is made for the worst case; it may be too careful, it must not be too bold.
    assert 0.93 <= covered / REPETITIONS <= 0.995


def cross_validated(rng, images, assignments, folds, used, penalty):
    """Ridge regressions with starts that move them a little, a cross-validation per assignment."""
    x, y, content = images
    ids = {"id": [f"i{i:04}" for i in range(len(y))], "group": [f"g{c:04}" for c in content]}
    parts = []
    for assignment in range(assignments):
        fold_of = rng.permutation(content.max() + 1)[content] % folds
        predicted = np.empty(len(y))
        for fold in range(folds):
            test = fold_of == fold
            fitted = ridge(x[~test][:, :used], y[~test], penalty)
            predicted[test] = x[test][:, :used] @ (fitted + 0.1 * rng.normal(size=used))
        parts.append(
            pd.DataFrame(ids).assign(target=y, split=assignment, seed=0, prediction=predicted)
        )
    return pd.concat(parts)


def protocols(rng, contents, each, assignments):
    """Two protocols on the same images, each with assignments of its own."""
    images = rated(rng, contents, each)
    made = [
        cross_validated(rng, images, assignments, 5, used, penalty).assign(which=penalty)
        for used, penalty in MODELS
    ]
    return pd.concat(made, ignore_index=True)


@pytest.mark.parametrize(("contents", "each"), [(40, 5), (200, 1), (200, 2)])
def test_whole_assignments_cover_other_images_assignments_and_starts(contents, each):
    def gap(rng):
        parts = protocols(rng, contents, each, 1).groupby("which")
        first, second = (srcc(part["prediction"], part["target"]) for _, part in parts)
        return first - second

    truth = np.mean([gap(np.random.default_rng(10**6 + i)) for i in range(600)])
    covered = 0
    for repetition in range(300):
        made = protocols(np.random.default_rng(repetition), contents, each, 5)
        gaps = whole_assignments(made, ["which"], 100).minus(which=30.0).table("gap")
        low, high = gaps[["low", "high"]].to_numpy()[0]
        covered += low <= truth <= high
    print(contents, each, covered / 300)
    # Five assignments leave few degrees of freedom, which makes it careful.
    assert 0.93 <= covered / 300 <= 0.995


def tested_elsewhere(rng, source, target, folds):
    """The two regressions of each fold of a source, on all images of a target that differs."""
    x, y, content = rated(rng, *source)
    seen, rating, of = rated(rng, *target)
    seen = seen * np.linspace(1.5, 0.5, 12)  # other images: what varies there is another thing
    images = pd.DataFrame({"id": [f"i{i:04}" for i in range(len(of))], "target": rating})
    images["group"] = [f"g{c:04}" for c in of]
    fold_of = rng.permutation(content.max() + 1)[content] % folds
    parts = []
    for fold in range(folds):
        rows = fold_of != fold
        for (used, penalty), weights in zip(MODELS, trained(rng, x[rows], y[rows]), strict=True):
            made = images.assign(prediction=seen[:, :used] @ weights, which=penalty)
            parts.append(made.assign(split=0, fold=fold, seed=0))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("source", "target", "folds"),
    [((200, 1), (200, 1), 10), ((200, 1), (40, 5), 10), ((40, 5), (200, 1), 5)],
)
def test_transfer_covers_other_images_of_the_target_splits_and_starts(source, target, folds):
    def estimated(seed, resamples):
        made = tested_elsewhere(np.random.default_rng(seed), source, target, folds)
        return transferred(made, ["which"], 1 / (folds - 1), resamples).minus(which=30.0)

    truth = np.mean([estimated(10**6 + i, 1).observed[0] for i in range(1000)])
    covered = 0
    for repetition in range(300):
        low, high = estimated(repetition, 200).table("gap")[["low", "high"]].to_numpy()[0]
        covered += low <= truth <= high
    print(source, target, folds, covered / 300)
    assert 0.93 <= covered / 300 <= 0.995
