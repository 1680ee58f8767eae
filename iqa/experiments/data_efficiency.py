"""Heads trained on smaller and smaller shares of the training images, with equally many steps.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from iqa.datasets import Split, training_shares
from iqa.evaluation import bootstrap_interval, resampled_srcc
from iqa.experiments.study import Prepared, Study, predict_split, training_of
from iqa.training import TrainedHeads, train_heads


def share_name(share: float) -> str:
    """How tables name a share.

    >>> share_name(0.05), share_name(1.0)
    ('5 %', '100 %')
    """
    return f"{100 * share:g} %"


def compare_shares(
    study: Study, prepared: Prepared, shares: Sequence[float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train on shares of each fold's training images, and test on all of its test images.

    The images of a share are repeated until they are as many as all, which makes an epoch. So each
    share has as many steps of the same batch, and validation chooses among as many epochs: less
    data is not less training as well. Each seed draws its own shares, start and order.

    Returns:
        Predictions as of `iqa.experiments.study.predict_split`, with the column variant, the name
        of the share; and a row for each seed, fold and share: seed, fold, share (asked for),
        variant, images, contents, of (all training images), steps (of the optimiser).
    """
    group_of = prepared.table.set_index("id")["group"]
    parts, drawn = [], []
    for seed in study.seeds:
        mine = study.model_copy(update={"seeds": (seed,)})
        for split in prepared.splits:
            splits = training_shares(split, prepared.table, shares, seed)
            for share, smaller in zip(shares, splits, strict=True):
                trained = _fit(mine, prepared, smaller, len(split.train))
                part = predict_split(mine, prepared, smaller, trained)
                parts.append(part.assign(variant=share_name(share)))
                row: dict[str, Any] = {"seed": seed, "fold": split.fold, "share": share}
                row |= {"variant": share_name(share), "images": len(smaller.train)}
                row["contents"] = group_of[list(smaller.train)].nunique()
                row["of"] = len(split.train)
                drawn.append(row)
    held, training = pd.DataFrame(drawn), study.training
    steps = training.epochs * np.ceil(held["of"] / training.batch_size).astype(int)
    return pd.concat(parts, ignore_index=True), held.assign(steps=steps)


def _fit(study: Study, prepared: Prepared, split: Split, images: int) -> TrainedHeads:
    """Train on the training images of `split`, repeated until they are `images`."""
    return train_heads(
        prepared.features.values,
        prepared.targets,
        np.resize(prepared.rows(split.train), images),
        prepared.rows(split.val),
        study.heads,
        study.seeds,
        training_of(study),
    )


def differences_by_share(
    predictions: pd.DataFrame, baseline: str, whole: str, resamples: int = 10_000
) -> pd.DataFrame:
    """Each head minus `baseline` at each share, and by how much that differs from the whole set's.

    The same draws of contents serve all shares and heads, so both are paired.

    Args:
        predictions: of `compare_shares`.
        baseline: the head that the others are compared with.
        whole: the variant that holds all training images.
        resamples: draws of the bootstrap.

    Returns:
        A row for each other head and variant: head, variant, difference, low, high (95 %), and
        change, change_low, change_high: the difference minus that at `whole`, NaN there.
    """
    observed, samples = {}, {}
    for variant, part in predictions.groupby("variant", sort=False):
        heads, srcc, draws = resampled_srcc(part, resamples)
        base = heads.index(baseline)
        for i, head in enumerate(heads):
            if i != base:
                observed[head, variant] = srcc[i] - srcc[base]
                samples[head, variant] = draws[i] - draws[base]
    rows = []
    for (head, variant), gap in observed.items():
        change = gap - observed[head, whole]
        ends = bootstrap_interval(
            np.array([gap, change]),
            np.array([samples[head, variant], samples[head, variant] - samples[head, whole]]),
        )
        names = ("low", "high", "change_low", "change_high")
        row = {"head": head, "variant": variant, "difference": gap, "change": change}
        row |= dict(zip(names, ends.ravel(), strict=True))
        if variant == whole:
            row |= dict.fromkeys(("change", "change_low", "change_high"), np.nan)
        rows.append(row)
    columns = ["head", "variant", "difference", "low", "high", "change", "change_low"]
    return pd.DataFrame(rows, columns=[*columns, "change_high"])


def summarize_shares(summary: pd.DataFrame, drawn: pd.DataFrame, whole: str) -> pd.DataFrame:
    """`summary` by growing share, with what each share held and how much SRCC it kept.

    Args:
        summary: of `iqa.evaluation.summarize_variants`, the variants being shares.
        drawn: of `compare_shares`.
        whole: the variant that holds all training images.

    Returns:
        The columns of `summary`, and, as means over seeds and folds, share (asked for), images,
        contents, of and steps; and kept, SRCC divided by that of `whole`.
    """
    held = drawn.drop(columns=["seed", "fold"]).groupby("variant").mean().reset_index()
    order = {head: i for i, head in enumerate(summary["head"].drop_duplicates())}
    table = summary.merge(held, on="variant").assign(order=lambda t: t["head"].map(order))
    table = table.sort_values(["order", "share"], ignore_index=True).drop(columns="order")
    full = table[table["variant"] == whole].set_index("head")["srcc"]
    return table.assign(kept=table["srcc"] / table["head"].map(full))
