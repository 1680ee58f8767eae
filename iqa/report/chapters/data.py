"""The demo set: its distortions, its pseudo-MOS and its photographs."""

from pathlib import Path
from shutil import copyfile

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text
from iqa.report.tables import listing, markdown, short


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    save_text(folder, "findings", findings(record))
    save_text(folder, "agreement", markdown(_agreement(tables["agreement"])))
    photographs = tables["photographs"][["name", "credit", "licence", "package"]]
    save_text(folder, "photographs", markdown(photographs))
    save_text(folder, "levels", markdown(_levels(tables["levels"])))
    save_figure(folder, "levels", figures.level_curves(tables["levels"], record.dataset.score_kind))
    copyfile(run / "sheet.png", folder / "sheet.png")
    save_provenance(folder, record, "demo_data")


def _agreement(agreement: pd.DataFrame) -> pd.DataFrame:
    named = agreement.rename(columns={"index": "SRCC between"})
    return named.apply(
        lambda column: column if column.name == "SRCC between" else column.map(short)
    )


def _levels(levels: pd.DataFrame) -> pd.DataFrame:
    """Mean score of each distortion at each level."""
    wide = levels.pivot_table(
        index=["family", "distortion"], columns="level", values="score", sort=False
    )
    wide.columns = [f"level {level}" for level in wide.columns]
    return wide.map(lambda score: f"{score:.2f}").reset_index()


def findings(record: Record) -> str:
    """Whether the mean score falls with each level, from the record's numbers."""
    found = record.metrics
    exceptions = found["not_falling"]
    where = f" The exceptions are {listing(exceptions)}." if exceptions else ""
    return (
        f"- {record.dataset.images:,} images: {record.dataset.groups} photographs x "
        f"{found['distortions']} distortions x 5 levels.\n"
        f"- The mean {record.dataset.score_kind} falls at every level for {found['falling']} of "
        f"{found['distortions']} distortions.{where}\n"
        f"- Photograph by photograph, {found['steps_falling']:.1%} of the steps from one level to "
        "the next fall.\n"
        f"- The metrics agree with each other with an SRCC of at least "
        f"{short(found['lowest_agreement'], 2)}."
    )
