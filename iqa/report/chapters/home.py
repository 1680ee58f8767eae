"""The first page: what was found, in a few lines made from the records."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from iqa.experiments import Profile, Record, read_record
from iqa.report.chapters import activations, gate, regimes, scorer
from iqa.report.chapters.fragments import save_text
from iqa.report.tables import listing


def write(profile: Profile, runs: dict[str, Path], human: dict[str, Path], folder: Path) -> None:
    """Write the fragments of the first page.

    Args:
        profile: that the book shows.
        runs: its runs by name, without those that were skipped.
        human: the committed runs on human ratings by name.
        folder: where to.
    """
    measured = [read_record(path) for path in human.values()]
    save_text(folder, "human", _on_human_ratings(measured, ["activations"]))
    save_text(folder, "adapted", _on_human_ratings(measured, ["regimes", "scorer"]))
    shows = f"This build shows the profile **{profile.name}**: {profile.title}."
    if not {"activations", "gate"} <= runs.keys():
        save_text(folder, "setting", shows)
        save_text(folder, "findings", "*Skipped: the data of its studies are not there.*")
        return
    record, tables = read_record(runs["activations"])
    found = activations.findings(record, tables["heads"], tables["comparisons"])
    gate_record, gate_tables = read_record(runs["gate"])
    gate_says = "\n".join(f"- {line}" for line in gate.headlines(gate_record, gate_tables))
    used = record.dataset
    save_text(
        folder,
        "setting",
        f":::{{important}}\n{shows} "
        f"Its scores are **{used.score_kind}**, so its figures compare heads with each other "
        "under one protocol; they are not figures of a benchmark, and stand beside none.\n:::"
        if used.score_kind == "pseudo-MOS"
        else shows,
    )
    save_text(folder, "findings", f"{found}\n{gate_says}")


HEADLINES: dict[str, Callable[[Record, dict[str, pd.DataFrame]], list[str]]] = {
    "activations": activations.headlines,
    "regimes": regimes.headlines,
    "scorer": scorer.headlines,
}
"""Experiment to the sentences that the first page says of it."""


def _on_human_ratings(
    measured: list[tuple[Record, dict[str, pd.DataFrame]]], experiments: list[str]
) -> str:
    """What runs of these experiments found, a line each; says so where there is none yet."""
    lines = [
        f"- **{record.dataset.title}** ({record.dataset.images:,} images): {said}"
        for record, tables in measured
        if record.experiment in experiments
        for said in HEADLINES[record.experiment](record, tables)
    ]
    return "\n".join(lines) or f"*Not run: there is no record of {listing(experiments)}.*"
