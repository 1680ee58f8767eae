"""The gate: what the book shows of a run."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures, gate_figures
from iqa.report.chapters.fragments import (
    save_figure,
    save_provenance,
    save_text,
    what_was_run,
)
from iqa.report.chapters.gate_findings import (
    BF16,
    PAPER,
    findings,
    first_gate,
    headlines,
    why_it_stops,
)
from iqa.report.chapters.variants import table
from iqa.report.tables import listing, markdown, p_value, short, with_sign

TRAINING = "training"

__all__ = ["headlines", "write"]


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    summary, gates = tables["summary"], tables["gates"]
    most = summary.groupby("head").size().idxmax()
    ranked = table(summary, "variant").rename(columns={"head": TRAINING})
    names = {"variant": "head", "minus baseline [95 %]": f"minus {PAPER} [95 %]"}
    save_text(folder, "setting", setting(record))
    save_text(folder, "findings", findings(record, tables))
    save_text(folder, "table", markdown(ranked.rename(columns=names)))
    save_text(folder, "movement", markdown(_movement(gates)))
    save_text(folder, "preference", markdown(_shares(gates)))
    save_text(folder, "hardened", markdown(_hardened(tables["hardened"])))
    save_text(folder, "precision", precision(record, gates, tables["pushed"]))
    save_figure(folder, "designs", figures.variants(summary[summary["head"] == most], PAPER))
    save_figure(folder, "changes", gate_figures.changes(gates))
    save_figure(folder, "pushed", gate_figures.pushed(tables["pushed"]))
    save_provenance(folder, record, "gate")


def setting(record: Record) -> str:
    """What was run, and the trainings: learning rate, batch, steps and seeds of each."""
    steps, seeds = record.metrics["steps"], record.metrics["seeds"]
    said = [
        f"{name} ({steps[name]:,} steps, {len(seeds[name])} seed{'s' * (len(seeds[name]) > 1)})"
        for name in steps
    ]
    return f"{what_was_run(record)} Two trainings: {listing(said)}."


def precision(record: Record, gates: pd.DataFrame, pushed: pd.DataFrame) -> str:
    """Why a gate in bfloat16 stops, and how far it came beside the one in float32."""
    rows = []
    for training, how in record.metrics["trainings"].items():
        kept, rounded = (first_gate(gates, training, head) for head in (PAPER, BF16))
        if kept is None or rounded is None:
            continue
        row = {TRAINING: training, "steps × rate": ""}
        row["steps × rate"] = f"{record.metrics['steps'][training] * how['learning_rate']:.2g}"
        for name, found in (("float32", kept), ("bfloat16", rounded)):
            row[f"*g* moved at most, {name}"] = short(found["logit_moved_max"], 4)
            row[f"weights, {name}"] = f"{short(found['lowest'])} to {short(found['highest'])}"
        rows.append(row)
    return f"{why_it_stops(pushed)}\n\n{markdown(pd.DataFrame(rows)) if rows else ''}"


def _movement(gates: pd.DataFrame) -> pd.DataFrame:
    """How far each gate moved: its largest change over candidates, channels, folds and seeds."""
    places = ["head", "layer", "training"]
    found = gates.groupby(places, sort=False).agg(
        start=("start", "first"), mean=("moved_mean", "mean"), largest=("moved_max", "max")
    )
    found = found.map(lambda v: short(v, 4)).reset_index()
    found["start"] = [short(float("0" + v)) for v in found["start"]]
    return found.rename(
        columns={
            "training": TRAINING,
            "start": "first weight's start",
            "mean": "mean change of a weight",
            "largest": "largest change",
        }
    )


def _shares(gates: pd.DataFrame) -> pd.DataFrame:
    """Share of the channels that prefer each candidate, a column a training."""
    wide = gates.pivot_table(
        index=["head", "layer", "candidate"], columns="training", values="preferred", sort=False
    )
    wide.columns = [f"at {training}" for training in wide.columns]
    return wide.map(lambda v: "" if pd.isna(v) else f"{v:.0%}").reset_index()


def _hardened(hardened: pd.DataFrame) -> pd.DataFrame:
    """A row a training and head: blended, hardened, and the difference."""
    rows = [
        {
            TRAINING: row["training"],
            "head": row["minus"],
            "SRCC, blended": short(row["srcc_minus"]),
            "SRCC, one activation per channel": short(row["srcc"]),
            "difference [95 %]": with_sign(row),
            "p (Holm)": p_value(row["p_holm"]),
        }
        for _, row in hardened.iterrows()
    ]
    return pd.DataFrame(rows)
