"""Records of made-up runs, for tests of the chapters that show them."""

import numpy as np
import pandas as pd

from iqa.evaluation import figures_by_fold, summarize_heads
from iqa.experiments import Record
from iqa.experiments.record import DatasetUsed

TUNING = {
    "epochs": 3,
    "batch_size": 16,
    "head_learning_rate": 3e-4,
    "crop": None,
    "flip": True,
    "precision": "bf16",
    "rank": 4,
    "objective": "mse+margin",
}


def predictions_of(noise, seeds=(8, 19), contents=40, each=1):
    """Predictions of each head: the target with noise of its own strength, a split a seed."""
    rng, parts = np.random.default_rng(0), []
    for seed in seeds:
        target = rng.random(contents * each)
        for head, strength in noise.items():
            part = pd.DataFrame({"target": target, "head": head, "seed": seed, "fold": 0})
            part["group"] = [f"{seed}-{i // each}" for i in range(len(part))]
            part["id"] = [f"{seed}-{i}" for i in range(len(part))]
            part["side"] = np.where(np.arange(len(part)) < 6 * each, "val", "test")
            part["prediction"] = target + strength * rng.standard_normal(len(part))
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def tables_of(predictions, adapted):
    """The tables that a run with these predictions leaves."""
    summary = summarize_heads(predictions, "frozen", resamples=200)
    epochs = pd.DataFrame({"epoch": [1, 2, 3], "val_srcc": [0.1, 0.2, 0.3], "train_loss": 0.1})
    epochs["chosen"] = epochs["epoch"] == 3
    seeds = predictions["seed"].unique()
    return {
        "predictions": predictions,
        "heads": summary.heads,
        "comparisons": summary.comparisons,
        "by_fold": figures_by_fold(predictions),
        "history": pd.concat([epochs.assign(head=h, seed=s) for h in adapted for s in seeds]),
    }


def record_of(experiment, metrics, seconds, untrained=False):
    """A record of a made-up run on made-up ratings."""
    return Record(
        experiment=experiment,
        parameters={
            "backbone": "some_backbone",
            "input_size": 64,
            "heads": ["sigmoid"],
            "training": {"epochs": 15, "learning_rate": 1e-4},
        },
        protocol="rigorous",
        dataset=DatasetUsed(
            name="made_up",
            title="Made up",
            score_kind="MOS",
            images=1080,
            groups=1080,
            fingerprint="0",
        ),
        splits=["0", "1"],
        seeds=[8, 19],
        untrained=untrained,
        code="0",
        version="0",
        libraries={},
        device="some device",
        seconds=seconds,
        metrics={"baseline": "frozen", "resamples": 200} | metrics,
    )


def shown_by(page, label):
    """The fragments of the run `label` that a page of the book shows."""
    mark = f"_generated/human/{label}/"
    return {line.split(mark)[1] for line in page.read_text().splitlines() if mark in line}
