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
from iqa.report.tables import markdown, p_value, short, with_interval, with_sign


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    summary, clean = tables["summary"], record.metrics["clean"]
    save_text(folder, "setting", what_was_run(record, "Protocol varied as below"))
    save_text(folder, "findings", findings(record, summary))
    save_text(folder, "table", markdown(main_table(summary)))
    save_figure(folder, "protocols", figures.protocols(summary, clean))
    save_provenance(folder, record, "leakage")


def main_table(summary: pd.DataFrame) -> pd.DataFrame:
    """A row a head and protocol: SRCC, and its difference to the clean protocol."""
    rows = []
    for _, line in summary.iterrows():
        row = {
            "head": line["head"],
            "protocol": line["protocol"],
            "SRCC [95 %]": with_interval(line["srcc"], line["low"], line["high"]),
        }
        if pd.notna(line["difference"]):
            row["minus clean [95 %]"] = with_sign(_gap(line))
            row["p (Holm)"] = p_value(line["p_holm"])
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def _gap(line: pd.Series) -> pd.Series:
    """The columns of the difference under the names of `compare_with`."""
    return pd.Series(
        {"difference": line["difference"], "low": line["low_gap"], "high": line["high_gap"]}
    )


def findings(record: Record, summary: pd.DataFrame) -> str:
    """By how much each habit lifts the reported SRCC, in sentences."""
    lines = [
        f"- {record.metrics['splits']} splits of each kind. A random split puts "
        f"{record.metrics['contents_on_two_sides']:.0f} of {record.dataset.groups} contents on "
        "more than one side; a split by content none."
    ]
    for head, part in summary.groupby("head", sort=False):
        by_protocol = part.set_index("protocol")
        clean = by_protocol.loc[record.metrics["clean"]]
        said = []
        for name, what in (
            ("random, chosen on validation", "a random split alone"),
            ("by content, chosen on test", "choosing the checkpoint on the test images alone"),
            ("random, chosen on test", "both"),
        ):
            line = by_protocol.loc[name]
            sure = "" if line["p_holm"] < 0.05 else ", not significant"
            said.append(f"{what} {with_sign(_gap(line))}{sure}")
        lines.append(
            f"- **{head}**: the clean protocol reports SRCC {short(clean['srcc'])}; added to it "
            f"are, by {'; by '.join(said)}."
        )
    return "\n".join([*lines, *_orders(summary, record.metrics["clean"])])


def _orders(summary: pd.DataFrame, clean: str) -> list[str]:
    """The heads from best to worst, by the clean and by the most leaking protocol."""
    said = []
    for name in (clean, "random, chosen on test"):
        part = summary[summary["protocol"] == name].sort_values("srcc", ascending=False)
        said.append(" > ".join(f"{r.head} {short(r.srcc)}" for r in part.itertuples()))
    return [f"- The heads in order: {said[0]} by the clean protocol; {said[1]} by both habits."]
