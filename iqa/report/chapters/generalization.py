"""Heads tested on a data set that they were not trained on."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.experiments.record import DatasetUsed
from iqa.experiments.transfer import OTHER_HALF, SOURCE
from iqa.report import figures
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.tables import listing, markdown, p_value, short, with_interval, with_sign


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    titles = _titles(record)
    named = {
        name: tables[name].assign(tested_on=tables[name]["tested_on"].map(titles))
        for name in ("heads", "comparisons")
    }
    save_text(folder, "setting", setting(record))
    save_text(folder, "findings", findings(record, tables))
    save_text(folder, "table", markdown(main_table(record, tables)))
    shown = figures.tested_on(named["heads"], named["comparisons"], record.metrics["baseline"])
    save_figure(folder, "intervals", shown)
    save_provenance(folder, record, "generalization")


def targets_of(record: Record) -> dict[str, DatasetUsed]:
    """What was tested on, by its name in the tables."""
    return {name: DatasetUsed(**used) for name, used in record.metrics["targets"].items()}


def _titles(record: Record) -> dict[str, str]:
    targets = {name: used.title for name, used in targets_of(record).items()}
    return {SOURCE: f"{record.dataset.title} (own folds)"} | targets


def setting(record: Record) -> str:
    """What was trained on and tested on, and what kind of scores each has."""
    said = [
        f"{used.title} ({used.images:,} images of {used.groups:,} contents, **{used.score_kind}**)"
        for used in targets_of(record).values()
    ]
    replicates = len(record.splits) * len(record.seeds)
    lines = [
        what_was_run(record),
        f"**Tested on**: {listing(said)}, by the heads of all folds and seeds, {replicates} of "
        "each kind; SRCC is their mean. The epoch is chosen on the source's validation images.",
    ]
    if record.dataset.score_kind == "pseudo-MOS":
        lines.append(
            "The source's scores are **pseudo-MOS**, made by metrics: its heads learn no ratings "
            "by people."
        )
    if OTHER_HALF in record.metrics["targets"]:
        lines.append(
            "The target is **not another data set**, only other contents of the same one, which "
            "was cut in two by content."
        )
    return " ".join(lines)


def main_table(record: Record, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a test set and head: SRCC, what is lost, the difference to the baseline."""
    keys = ["tested_on", "head"]
    gaps, lost = (tables[name].set_index(keys) for name in ("comparisons", "lost"))
    sd = tables["replicates"].groupby(keys)["srcc"].std()
    titles, rows = _titles(record), []
    for _, line in tables["heads"].iterrows():
        key = (line["tested_on"], line["head"])
        row = {
            "tested on": titles[line["tested_on"]],
            "head": line["head"],
            "SRCC [95 %]": with_interval(line["srcc"], line["low"], line["high"]),
        }
        if key in lost.index:
            loss = lost.loc[key]
            row["SD of replicates"] = short(sd[key])
            row["lost [95 %]"] = with_interval(loss["value"], loss["low"], loss["high"])
        if key in gaps.index:
            row["minus baseline [95 %]"] = with_sign(gaps.loc[key])
            row["p (Holm)"] = p_value(gaps.loc[key, "p_holm"])
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def findings(record: Record, tables: dict[str, pd.DataFrame]) -> str:
    """Whether the paper's claim on generalization is seen, in sentences."""
    lines = [f"On its own folds ({record.dataset.title}): {_order(tables['heads'], SOURCE)}."]
    for name, used in targets_of(record).items():
        of = {table: rows[rows["tested_on"] == name] for table, rows in tables.items()}
        lines += [
            f"**On {used.title}**: {_order(of['heads'], name)}. {_lost(of['lost'])}",
            *claims(record, tables, name),
            _more(tables, name),
        ]
        if used.groups < 30:
            lines.append(
                f"{used.title} has {used.groups} contents: its intervals are wide, its p-values "
                "approximate."
            )
    lines.append(
        "Intervals draw contents of the images tested. They do not say how far figures move with "
        "other training images; the spread of the replicates, in the table, shows a part of that."
    )
    return "\n".join(f"- {line}" for line in lines)


def headlines(record: Record, tables: dict[str, pd.DataFrame]) -> list[str]:
    """The paper's claim on every target, for the first page."""
    return [line for name in record.metrics["targets"] for line in claims(record, tables, name)]


def claims(record: Record, tables: dict[str, pd.DataFrame], target: str) -> list[str]:
    """Whether sigmoid and the gate do better than the baseline on one target, a sentence each."""
    baseline, title = record.metrics["baseline"], _titles(record)[target]
    said = []
    for head in ("sigmoid", "gated"):
        gap = tables["comparisons"].query("tested_on == @target and head == @head")
        if len(gap):
            line = gap.iloc[0]
            said.append(
                f"That {head} generalises better than {baseline} from {record.dataset.title} to "
                f"{title} is {_verdict(line)}: {with_sign(line)}, p (Holm) "
                f"{p_value(line['p_holm'])}."
            )
    return said


def _verdict(gap: pd.Series) -> str:
    if gap["p_holm"] >= 0.05:
        return "**not confirmed**"
    return "**seen**" if gap["difference"] > 0 else "**contradicted**"


def _order(heads: pd.DataFrame, place: str) -> str:
    """The heads from best to worst with their SRCC."""
    part = heads[heads["tested_on"] == place]
    return " > ".join(f"{row.head} {short(row.srcc)}" for row in part.itertuples())


def _lost(lost: pd.DataFrame) -> str:
    """The smallest and the largest loss of SRCC against the source's own folds."""
    ordered = lost.sort_values("value")
    said = [
        f"{line['head']} {with_interval(line['value'], line['low'], line['high'])}"
        for _, line in ordered.iloc[[0, -1]].iterrows()
    ]
    return f"Against its own folds, {said[0]} is the least that a head loses, {said[1]} the most."


def _more(tables: dict[str, pd.DataFrame], target: str) -> str:
    """Does the activation matter more on the target than on the source's own folds?"""
    heads = tables["heads"].groupby("tested_on")["srcc"]
    spread = heads.max() - heads.min()
    gaps = tables["comparisons"].set_index(["tested_on", "head"])["difference"].abs()
    changes = tables["changes"].query("tested_on == @target")
    words: dict[bool, list[str]] = {True: [], False: []}
    for _, line in changes[changes["p_holm"] < 0.05].iterrows():
        grows = gaps[target, line["head"]] > gaps[SOURCE, line["head"]]
        words[bool(grows)].append(f"{line['head']} {with_sign(line)}")
    said = f"**seen** for {listing(words[True])}" if words[True] else "**not confirmed**"
    shrinks = f"; it matters less for {listing(words[False])}" if words[False] else ""
    none = "" if words[True] or words[False] else ": no head's difference changes significantly"
    return (
        f"From best to worst, heads lie {short(spread[target])} apart there and "
        f"{short(spread[SOURCE])} on their own folds. That the activation matters more there is "
        f"{said}{shrinks}{none} (the difference to the baseline there, minus that on its own "
        "folds)."
    )
