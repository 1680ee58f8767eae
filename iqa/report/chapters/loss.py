"""What the loss and the scale of the targets change."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.chapters.variants import said_gap, table
from iqa.report.tables import listing, markdown, short

SWAPPED, SCALED = "MSE + margin, swapped", "MSE + margin, .01–.05"


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    baseline = record.metrics["baseline"]
    usual, *paper = (
        tables["summary"].query("batch == @batch") for batch in record.metrics["batches"]
    )
    rules = (
        f"Protocol *rigorous* but for the objective: {record.parameters['folds']}-fold "
        "cross-validation over contents, checkpoint chosen on validation"
    )
    save_text(folder, "setting", what_was_run(record, rules))
    save_text(folder, "findings", findings(record, usual))
    save_text(folder, "table", markdown(with_agreement(usual)))
    save_figure(folder, "losses", figures.variants(usual, baseline))
    save_text(folder, "paper_batch", "\n".join(paper_findings(record, usual, p) for p in paper))
    save_provenance(folder, record, "loss")


def with_agreement(summary: pd.DataFrame) -> pd.DataFrame:
    """The table of `variants.table` with PLCC and RMSE; a dash where one has no meaning."""
    rows = table(summary, "loss")
    rows.insert(3, "PLCC", [short(value) for value in summary["plcc_val_fit"]])
    rows.insert(4, "RMSE", [short(value) for value in summary["rmse"]])
    return rows


def findings(record: Record, summary: pd.DataFrame) -> str:
    """Which losses differ from the baseline, and what B1 and B3 cost, in sentences."""
    lines = []
    for head, part in summary.groupby("head", sort=False):
        lines.append(f"- **{head}**: {against(part, record.metrics['baseline'])}")
    lines += [swap(summary), scale(summary)]
    free = listing([f"*{name}*" for name in record.metrics["scale_free"]])
    lines.append(
        f"- {free} leave shift and scale of the predictions free: such a score orders images, but "
        "needs a calibration before it can be read on the scale of the ratings. They have no RMSE."
    )
    return "\n".join(lines)


def against(part: pd.DataFrame, baseline: str) -> str:
    """The baseline's SRCC of one head, and the losses above and below it."""
    by_loss = part.set_index("variant")
    gaps = by_loss.drop(index=baseline)
    sure = gaps["p_holm"] < 0.05
    said = [f"*{baseline}* gives SRCC {short(by_loss.loc[baseline, 'srcc'])}"]
    for kind, those in (("above", gaps["difference"] > 0), ("below", gaps["difference"] < 0)):
        found = [f"*{name}* ({said_gap(line)})" for name, line in gaps[sure & those].iterrows()]
        if found:
            said.append(f"significantly {kind} it: {listing(found)}")
    if not sure.any():
        ends = (short(gaps["difference"].agg(end), sign=True) for end in ("min", "max"))
        said.append(
            f"none of the {len(gaps)} others differs significantly, with differences from "
            f"{' to '.join(ends)}"
        )
    elif not sure.all():
        said.append("no difference is confirmed for the others")
    return "; ".join(said) + "."


def swap(summary: pd.DataFrame) -> str:
    """What the swapped arguments (B1) cost each head."""
    return f"- **Swapped arguments (B1)** minus the formula as written: {effects(summary, SWAPPED)}"


def scale(summary: pd.DataFrame) -> str:
    """What targets between .01 and .05 (B3) cost each head, and how far from them it ends."""
    rmse = summary.set_index(["variant", "head"])["rmse"]
    usual, narrow = (
        listing([f"{short(value)} ({head})" for head, value in rmse[name].items()])
        for name in ("MSE + margin", SCALED)
    )
    return (
        "- **Targets between .01 and .05 (B3)** minus targets between 0 and 1: "
        f"{effects(summary, SCALED)} In units of the range of the ratings the RMSE is {narrow}, "
        f"against {usual}."
    )


def effects(summary: pd.DataFrame, loss: str) -> str:
    """The difference of `loss` to the baseline for each head, and the cost that is excluded."""
    said = []
    for line in summary[summary["variant"] == loss].to_dict("records"):
        row = pd.Series(line)
        excluded = f"; its interval excludes a cost above {short(max(-row['low_gap'], 0))}"
        cost = "" if row["p_holm"] < 0.05 else excluded
        said.append(f"{row['head']} {said_gap(row)}{cost}")
    return "; ".join(said) + "."


def paper_findings(record: Record, usual: pd.DataFrame, paper: pd.DataFrame) -> str:
    """What the swap costs where the margin loss sees two images at a time, in sentences."""
    baseline, batch = record.metrics["baseline"], record.parameters["training"]["batch_size"]
    seeds, by_loss = paper["seeds"].iloc[0], paper.set_index("variant")
    had = [
        f"{line['head']} {short(line['srcc'])}" for _, line in by_loss.loc[[baseline]].iterrows()
    ]
    return (
        "The margin loss compares the images of one batch, so the batch belongs to the loss. In "
        f"the paper's, six batches of two images a step in place of one of {batch}, with {seeds} "
        f"seed{'s' if seeds > 1 else ''}, *{baseline}* gives SRCC {listing(had)}.\n\n{swap(paper)}"
    )
