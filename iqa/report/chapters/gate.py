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
from iqa.report.tables import markdown, short


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    movement, hardened = tables["movement"], tables["hardened"]
    save_text(folder, "setting", what_was_run(record))
    save_text(folder, "preference", markdown(_shares(tables["preference"])))
    save_text(folder, "movement", markdown(_rounded(movement)))
    save_text(folder, "hardened", markdown(_hardened(hardened)))
    save_text(folder, "findings", findings(movement, tables["preference"], hardened))
    save_figure(folder, "weights", figures.gate_weights(tables["gates"]))
    save_provenance(folder, record, "gate")


def _shares(preference: pd.DataFrame) -> pd.DataFrame:
    return preference.assign(share=preference["share"].map("{:.1%}".format)).rename(
        columns={"candidate": "preferred candidate", "share": "share of channels"}
    )


def _rounded(movement: pd.DataFrame) -> pd.DataFrame:
    named = movement.rename(columns={"mean": "mean change of weight", "max": "largest change"})
    return named.apply(lambda c: c.map(lambda v: short(v, 4)) if c.dtype == float else c)


def _hardened(hardened: pd.DataFrame) -> pd.DataFrame:
    means = hardened.groupby("head", sort=False)[["soft", "hard"]].mean()
    means["difference"] = means["hard"] - means["soft"]
    shown = means.assign(
        soft=means["soft"].map(short),
        hard=means["hard"].map(short),
        difference=means["difference"].map(lambda v: short(v, sign=True)),
    )
    titles = {"soft": "SRCC, blended", "hard": "SRCC, one activation per channel"}
    return shown.rename(columns=titles).reset_index()


def findings(movement: pd.DataFrame, preference: pd.DataFrame, hardened: pd.DataFrame) -> str:
    """How far the gate moved, what it prefers, and what hardening costs, in sentences."""
    lines = []
    for row in movement.itertuples():
        shares = preference[
            (preference["head"] == row.head) & (preference["layer"] == row.layer)
        ].sort_values("share", ascending=False)
        top = shares.iloc[0]
        lines.append(
            f"- **{row.head}**, {row.layer}: the weights moved by {short(row.mean, 3)} on average "
            f"and {short(row.max, 3)} at most; {top['share']:.0%} of the channels prefer "
            f"{top['candidate']}."
        )
    cost = hardened.groupby("head", sort=False)[["soft", "hard"]].mean()
    for head, row in cost.iterrows():
        lines.append(
            f"- Hardening **{head}** to one activation per channel changes its SRCC from "
            f"{short(row['soft'])} to {short(row['hard'])}."
        )
    return "\n".join(lines)
