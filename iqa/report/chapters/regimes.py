"""Frozen, LoRA or full: what adapting the backbone adds, and what it costs."""

from pathlib import Path
from typing import Any

import pandas as pd

from iqa.evaluation import summarize_heads
from iqa.experiments import Record, project_root, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import (
    data_used,
    save_figure,
    save_provenance,
    save_text,
    splits_by_seed,
)
from iqa.report.tables import listing, markdown, p_value, short, with_interval, with_sign

NAMES = {"lora": "LoRA"}
BASELINE = "frozen"


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    tables = {name: table.replace({"head": NAMES}) for name, table in tables.items()}
    heads, comparisons = tables["heads"], tables["comparisons"]
    save_text(folder, "setting", setting(record))
    save_text(folder, "findings", findings(record, tables))
    save_text(folder, "table", markdown(main_table(record, tables)))
    save_text(folder, "splits", markdown(splits_table(tables["by_fold"])))
    save_figure(
        folder,
        "intervals",
        figures.heads_with_intervals(
            heads, comparisons, BASELINE, record.dataset.score_kind, "regime"
        ),
    )
    adapted = [name for name in heads["head"] if name != BASELINE]
    save_figure(folder, "curves", figures.learning_curves(tables["history"], adapted))
    save_provenance(folder, record, "regimes")


def setting(record: Record) -> str:
    """One paragraph on what was trained on what, and how."""
    used, tunings = record.parameters, record.metrics["tunings"]
    backbone = used["backbone"] + (" (**untrained**)" if record.untrained else "")
    rates = [
        f"{tuning['backbone_learning_rate']:g} ({name}{_rank(tuning)})"
        for name, tuning in _by_name(tunings).items()
    ]
    one = next(iter(tunings.values()))
    images = f"random squares of {one['crop']} px" if one["crop"] else "whole images"
    mirrored = ", mirrored at random" if one["flip"] else ""
    halves = ", the backbone's products in bfloat16" if one["precision"] == "bf16" else ""
    cycle = ", one cycle" if one.get("schedule", "one-cycle") == "one-cycle" else ""
    return (
        f"{data_used(record)} Backbone {backbone} at {used['input_size']} px, head "
        f"{used['heads'][0]}. {splits_by_seed(record)} The head learns on frozen features first, "
        f"for {used['training']['epochs']} epochs at {used['training']['learning_rate']:g}: the "
        f"frozen regime. {listing(list(_by_name(tunings)))} go on from it, for {one['epochs']} "
        f"epochs of AdamW each{cycle}, batch {one['batch_size']}, at {listing(rates)} for the "
        f"backbone and {one['head_learning_rate']:g} for the head, on {images}{mirrored}{halves}; "
        f"objective {one['objective']}."
    )


def _by_name(tunings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {NAMES.get(regime, regime): tuning for regime, tuning in tunings.items()}


def _rank(tuning: dict[str, Any]) -> str:
    return f", rank {tuning['rank']}" if tuning["regime"] == "lora" else ""


def main_table(record: Record, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a regime: SRCC and PLCC, the difference to frozen, and the seconds of a split."""
    gaps = _gaps(tables["comparisons"]).set_index("head")
    # A PLCC that one split has not is not averaged over the others.
    plcc = tables["by_fold"].groupby("head")["plcc_val_fit"].agg(lambda c: c.mean(skipna=False))
    seconds = seconds_of_a_split(record)
    rows = []
    for _, line in tables["heads"].iterrows():
        name = line["head"]
        row = {
            "regime": name,
            "SRCC [95 %]": with_interval(line["srcc"], line["low"], line["high"]),
            "PLCC": short(plcc[name]),
        }
        if name in gaps.index:
            row["minus frozen [95 %]"] = with_sign(gaps.loc[name])
            row["p (Holm)"] = p_value(gaps.loc[name, "p_holm"])
        if name in seconds:
            row["seconds a split"] = f"{seconds[name]:,.0f}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def seconds_of_a_split(record: Record) -> dict[str, float]:
    """Mean time of adapting on one split, by regime, as the run that wrote the record took it."""
    times: dict[str, list[float]] = {}
    for stage, time in record.seconds.items():
        regime, comma, _ = stage.partition(", split ")
        if comma:
            times.setdefault(NAMES.get(regime, regime), []).append(time)
    return {regime: sum(parts) / len(parts) for regime, parts in times.items()}


def splits_table(by_fold: pd.DataFrame) -> pd.DataFrame:
    """A row a split: SRCC and fitted PLCC of each regime."""
    wide = by_fold.pivot(index="seed", columns="head", values=["srcc", "plcc_val_fit"])
    titles = {"srcc": "SRCC", "plcc_val_fit": "PLCC"}
    regimes = list(dict.fromkeys(by_fold["head"]))
    table = pd.DataFrame(
        {
            f"{title}, {regime}": wide[figure, regime].map(short)
            for figure, title in titles.items()
            for regime in regimes
        }
    )
    table.insert(0, "split", [str(seed) for seed in wide.index])
    return table


def findings(record: Record, tables: dict[str, pd.DataFrame]) -> str:
    """What the regimes report, in sentences made from their numbers."""
    heads = tables["heads"].set_index("head")
    frozen = heads.loc[BASELINE]
    tests = tables["predictions"].query("side == 'test'")
    contents = tests["group"].nunique()
    few = "; with so few they are wide, and their p-values approximate" if contents < 30 else ""
    lines = [
        f"- **frozen** reaches SRCC {with_interval(frozen['srcc'], frozen['low'], frozen['high'])} "
        f"with {record.dataset.score_kind}, the mean over {len(record.seeds)} splits.",
        *_added(_gaps(tables["comparisons"])),
        _full_against_lora(record, tables["predictions"]),
        claim(tables["comparisons"], published()),
        *_inside(tables["comparisons"]),
        _epochs(tables["history"]),
        f"- The intervals draw the {contents:,} contents of the test images{few}.",
    ]
    return "\n".join(line for line in lines if line)


def published() -> pd.Series:
    """What is known of the paper's own comparison: low, high (points of SRCC), source."""
    claims = pd.read_csv(project_root() / "results/literature/adaptation.csv")
    return claims.set_index("claim").loc["frozen_below_adapted"]


def claim(comparisons: pd.DataFrame, paper: pd.Series) -> str:
    """Whether frozen loses here what it is said to lose in the paper; a point is .01 of SRCC."""
    gaps = _gaps(comparisons)
    behind = [
        f"{abs(100 * gap['difference']):.1f} points "
        f"{'behind' if gap['difference'] > 0 else 'ahead of'} {gap['head']}"
        for _, gap in gaps.iterrows()
    ]
    best = gaps.loc[gaps["difference"].idxmax()]
    loss = 100 * best["difference"]
    if best["p_holm"] >= 0.05 or loss <= 0:
        verdict = "**a loss is not shown**"
    elif loss < paper["low"]:
        verdict = "**a smaller loss**"
    else:
        verdict = "**a loss of that size**" if loss <= paper["high"] else "**a larger loss**"
    return (
        f"- In the paper frozen is said to lose {paper['low']:g} to {paper['high']:g} "
        f"{paper['unit']} (a point is .01). Here frozen is {listing(behind)}: {verdict}."
    )


def _gaps(comparisons: pd.DataFrame, figure: str = "srcc") -> pd.DataFrame:
    """The differences in one figure, the largest first."""
    part = comparisons[comparisons["figure"] == figure]
    return part.sort_values("difference", ascending=False)


def _added(gaps: pd.DataFrame) -> list[str]:
    return [
        f"- **{gap['head']}** {'adds' if gap['difference'] > 0 else 'changes it by'} "
        f"{with_sign(gap)}, p (Holm) {p_value(gap['p_holm'])}: "
        f"**{'significant' if gap['p_holm'] < 0.05 else 'not significant'}**."
        for _, gap in gaps.iterrows()
    ]


def _full_against_lora(record: Record, predictions: pd.DataFrame) -> str:
    """Full minus LoRA on the same test images; empty where one of them was not run."""
    both = predictions[predictions["head"].isin(["LoRA", "full"])]
    if both["head"].nunique() < 2:
        return ""
    gap = summarize_heads(both, "LoRA", record.metrics["resamples"]).comparisons.iloc[0]
    told = "they **cannot be told apart**" if gap["p"] >= 0.05 else "the difference is significant"
    return f"- full minus LoRA is {with_sign(gap)}, p {p_value(gap['p'])}: {told}."


def _inside(comparisons: pd.DataFrame) -> list[str]:
    """The same differences within one content; none where no content has three test images."""
    said = [
        f"{gap['head']} {with_sign(gap)}, p (Holm) {p_value(gap['p_holm'])}"
        for _, gap in _gaps(comparisons, "srcc_within").iterrows()
    ]
    return [f"- Within one content, minus frozen: {'; '.join(said)}."] if said else []


def _epochs(history: pd.DataFrame) -> str:
    """How often the last epoch was the best one: then training was too short to say the most."""
    chosen, last = history[history["chosen"]], history["epoch"].max()
    late = int((chosen["epoch"] == last).sum())
    more = "; more epochs might add more" if 2 * late > len(chosen) and last > 1 else ""
    return f"- The last of {last} epochs was kept in {late} of {len(chosen)} trainings{more}."
