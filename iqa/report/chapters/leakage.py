"""What a leaking protocol reports beside a clean one."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import (
    save_figure,
    save_provenance,
    save_text,
    what_was_run,
)
from iqa.report.chapters.variants import ranking, said_gap, table
from iqa.report.tables import markdown, short


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    summary, clean = tables["summary"], record.metrics["clean"]
    save_text(folder, "setting", what_was_run(record, "Protocol varied as below"))
    save_text(folder, "findings", findings(record, summary))
    save_text(folder, "table", markdown(table(summary, "protocol")))
    save_figure(folder, "protocols", figures.variants(summary, clean))
    save_provenance(folder, record, "leakage")


def findings(record: Record, summary: pd.DataFrame) -> str:
    """By how much each habit lifts the reported SRCC, in sentences."""
    clean, worst = record.metrics["clean"], "random, chosen on test"
    lines = [
        f"- {record.metrics['splits']} splits of each kind. A random split puts "
        f"{record.metrics['contents_on_two_sides']:.0f} of {record.dataset.groups} contents on "
        "more than one side; a split by content none."
    ]
    for head, part in summary.groupby("head", sort=False):
        by_protocol = part.set_index("variant")
        said = [
            f"{what} {said_gap(by_protocol.loc[name])}"
            for name, what in (
                ("random, chosen on validation", "a random split alone"),
                ("by content, chosen on test", "choosing the checkpoint on the test images alone"),
                (worst, "both"),
            )
        ]
        lines.append(
            f"- **{head}**: the clean protocol reports SRCC "
            f"{short(by_protocol.loc[clean, 'srcc'])}; added to it are, by {'; by '.join(said)}."
        )
    lines.append(
        f"- The heads in order: {ranking(summary, clean)} by the clean protocol; "
        f"{ranking(summary, worst)} by both habits."
    )
    return "\n".join(lines)
