"""The gate: what its channels chose, and how far it moved."""

from pathlib import Path

import pandas as pd

from iqa.experiments import read_record
from iqa.report import figures
from iqa.report.chapters.fragments import (
    save_figure,
    save_provenance,
    save_text,
    what_was_run,
)
from iqa.report.tables import listing, markdown, short


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    gates, movement, hardened = tables["gates"], tables["movement"], tables["hardened"]
    steps = record.metrics["steps"]
    rates = [f"{rate:g}" for rate in sorted(movement["learning_rate"].unique())]
    swept = f" Learning rates here: {listing(rates)}."
    save_text(folder, "setting", what_was_run(record) + swept)
    save_text(folder, "preference", markdown(_shares(tables["preference"])))
    save_text(folder, "movement", markdown(_movement(movement)))
    save_text(folder, "hardened", markdown(_hardened(hardened)))
    save_text(folder, "findings", findings(movement, hardened, steps))
    save_figure(folder, "weights", figures.gate_weights(gates[gates["head"] == "gated"]))
    save_provenance(folder, record, "gate")


def _shares(preference: pd.DataFrame) -> pd.DataFrame:
    """Share of the channels that prefer each candidate, a column a learning rate."""
    wide = preference.pivot(
        index=["head", "layer", "candidate"], columns="learning_rate", values="share"
    ).fillna(0.0)
    wide.columns = [f"at {rate:g}" for rate in wide.columns]
    return wide.map("{:.0%}".format).reset_index()


def _movement(movement: pd.DataFrame) -> pd.DataFrame:
    shown = movement.sort_values(["head", "layer", "learning_rate"])
    return pd.DataFrame(
        {
            "head": shown["head"],
            "layer": shown["layer"],
            "learning rate": shown["learning_rate"].map("{:g}".format),
            "mean change of weight": shown["mean"].map(lambda v: short(v, 4)),
            "largest change": shown["max"].map(lambda v: short(v, 4)),
        }
    )


def _hardened(hardened: pd.DataFrame) -> pd.DataFrame:
    means = hardened.groupby(["head", "learning_rate"], sort=False)[["soft", "hard"]].mean()
    means = means.reset_index()
    gap = means["hard"] - means["soft"]
    return pd.DataFrame(
        {
            "head": means["head"],
            "learning rate": means["learning_rate"].map("{:g}".format),
            "SRCC, blended": means["soft"].map(short),
            "SRCC, one activation per channel": means["hard"].map(short),
            "difference": gap.map(lambda v: short(v, sign=True)),
        }
    )


def findings(movement: pd.DataFrame, hardened: pd.DataFrame, steps: int) -> str:
    """How far the paper's gate moved at each learning rate, and what hardening costs."""
    means = hardened.groupby(["head", "learning_rate"])[["soft", "hard"]].mean()
    costs = means["hard"] - means["soft"]
    cost = (
        f"- Leaving each channel its preferred activation alone changes SRCC by "
        f"{short(costs.min(), sign=True)} to {short(costs.max(), sign=True)}, by head and rate."
    )
    return "\n".join([*paper_gate(movement, steps), cost])


def paper_gate(movement: pd.DataFrame, steps: int) -> list[str]:
    """How far the paper's gate moved, a sentence a learning rate, the smallest first."""
    lines = []
    paper = movement[movement["head"] == "gated"].sort_values("learning_rate")
    for _, row in paper.iterrows():
        rate = row["learning_rate"]
        verdict = "**it stays an even blend**" if row["max"] < 0.02 else "it moves"
        lines.append(
            f"- At a learning rate of {rate:g} the weights of the paper's gate change by "
            f"{short(row['mean'], 4)} on average and {short(row['max'], 4)} at most: {verdict}. "
            f"Adam moves a number by about its learning rate a step, so {steps} steps, to the "
            f"last epoch, could take *g* to about {rate * steps:.2g}."
        )
    return lines
