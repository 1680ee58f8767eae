"""The first page: what was found, in a few lines made from the records."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Profile, Record, read_record
from iqa.report.chapters import activations, claims, gate, scorer
from iqa.report.chapters.fragments import save_text
from iqa.report.tables import markdown


def write(profile: Profile, runs: dict[str, Path], human: dict[str, Path], folder: Path) -> None:
    """Write the fragments of the first page.

    Args:
        profile: that the book shows.
        runs: its runs by name, without those that were skipped.
        human: the committed runs on human ratings by name.
        folder: where to.
    """
    measured = [read_record(path) for path in human.values()]
    save_text(folder, "claims", markdown(claims.claims_table(measured)))
    save_text(folder, "model", _shipped_model(measured))
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


def _shipped_model(measured: list[tuple[Record, dict[str, pd.DataFrame]]]) -> str:
    """What the model that comes with iqa reaches; says so where there is no record of it."""
    lines = [
        f"- **{record.dataset.title}** ({record.dataset.images:,} images): {said}"
        for record, tables in measured
        if record.experiment == "scorer"
        for said in scorer.headlines(record, tables)
    ]
    return "\n".join(lines) or "*Not run: there is no record of the scorer.*"
