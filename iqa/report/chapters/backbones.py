"""What the backbone changes, the same heads on each; an untrained control among them."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.chapters.variants import said_gap, table
from iqa.report.tables import markdown, short, with_interval


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    summary, about = tables["summary"], tables["backbones"]
    save_text(folder, "setting", what_was_run(record) + " The others are in the table.")
    save_text(folder, "findings", findings(record, summary, about))
    save_text(folder, "table", markdown(table(summary, "backbone")))
    save_text(folder, "cost", markdown(cost_table(about)))
    save_figure(folder, "backbones", figures.variants(summary, record.metrics["baseline"]))
    save_provenance(folder, record, "backbones")


def cost_table(about: pd.DataFrame) -> pd.DataFrame:
    """A row a backbone: length of the feature, parameters, speed."""
    return pd.DataFrame(
        {
            "backbone": about["variant"],
            "features": [f"{value:,}" for value in about["features"]],
            "parameters": [f"{value / 1e6:.2f} million" for value in about["parameters"]],
            "processor time an image": [f"{value:.0f} ms" for value in about["processor_ms"]],
        }
    )


def findings(record: Record, summary: pd.DataFrame, about: pd.DataFrame) -> str:
    """Which backbones differ from the baseline, and what pretraining is worth, in sentences."""
    baseline = record.metrics["baseline"]
    controls = list(about.loc[about["untrained"], "variant"])
    lines = []
    for head, part in summary.groupby("head", sort=False):
        rows = part.set_index("variant")
        said = [
            f"{name} {said_gap(rows.loc[name])}"
            for name in about["variant"]
            if name != baseline and name not in controls
        ]
        lines.append(
            f"- **{head}**: {baseline} gives SRCC {short(rows.loc[baseline, 'srcc'])}"
            + (f"; the others minus it: {'; '.join(said)}." if said else ".")
        )
        for name in controls:
            if name == baseline:
                continue
            line = rows.loc[name]
            lines.append(
                f"- **{head} on the control**, {name}: SRCC "
                f"{with_interval(line['srcc'], line['low'], line['high'])}, minus {baseline} "
                f"{said_gap(line)}." + worth(line, name == f"{baseline}, untrained")
            )
    return "\n".join(lines)


def worth(line: pd.Series, same_network: bool) -> str:
    """What pretraining is worth, where the control is the baseline with random weights."""
    if not same_network:
        return ""
    if line["p_holm"] < 0.05 and line["difference"] < 0:
        return " That is what pretraining is worth to this network."
    return " That pretraining helps is **not confirmed**."
