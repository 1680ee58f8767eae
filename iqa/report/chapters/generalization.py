"""Heads tested on a data set that they were not trained on."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.experiments.rates import OWN, variant_of
from iqa.experiments.record import DatasetUsed
from iqa.experiments.transfer import SOURCE
from iqa.experiments.transfer_targets import OTHER_HALF
from iqa.report import figures
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.tables import listing, markdown, p_value, short, with_interval, with_sign


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    titles, baseline = _titles(record), record.metrics["baseline"]
    save_text(folder, "setting", setting(record))
    save_text(folder, "findings", findings(record, tables))
    for name, variant in (("reference", reference_of(record)), ("own", OWN)):
        at = _at(tables, variant)
        heads, gaps = (
            at[table].assign(tested_on=at[table]["tested_on"].map(titles))
            for table in ("heads", "comparisons")
        )
        save_text(folder, name, markdown(main_table(record, at)))
        save_figure(folder, f"intervals-{name}", figures.tested_on(heads, gaps, baseline))
    save_provenance(folder, record, "generalization")


def _at(tables: dict[str, pd.DataFrame], variant: str) -> dict[str, pd.DataFrame]:
    """The rows of one variant, of the tables that have variants."""
    return {
        name: table[table["variant"] == variant]
        for name, table in tables.items()
        if "variant" in table.columns
    }


def reference_of(record: Record) -> str:
    """The variant in which all heads have one learning rate."""
    return variant_of(record.parameters["training"]["learning_rate"])


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
        "each kind; SRCC is their mean, on the source's own folds as well. The source's validation "
        "images choose the epoch and, where heads have their own learning rate, that too, out of "
        f"{listing([variant_of(rate) for rate in record.metrics['rates']])}.",
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
    baseline, lines = record.metrics["baseline"], []
    both = {reference_of(record): "at {}", OWN: "each at its own rate"}
    for name, used in targets_of(record).items():
        lines += claims(record, tables, name)
        for variant, words in both.items():
            at, where = _at(tables, variant), words.format(variant)
            lines.append(
                f"**On {used.title}, {where}**: {_order(at['heads'], name)}; on the source's own "
                f"folds {_order(at['heads'], SOURCE)}. {_lost(at['lost'], name)} "
                f"{_more(at, name, baseline)}"
            )
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


def claims(record: Record, tables: dict[str, pd.DataFrame], target: str) -> list[str]:
    """Whether sigmoid and the gate do better than the baseline on one target, a sentence each.

    At the one learning rate of all heads, and with each at its own.
    """
    baseline, title, said = record.metrics["baseline"], _titles(record)[target], []
    reference = reference_of(record)
    for head in ("sigmoid", "gated"):
        gaps = tables["comparisons"].query("tested_on == @target and head == @head")
        if len(gaps):
            gaps = gaps.set_index("variant")
            one, own = (
                f"{_verdict(gap)}, {with_sign(gap)}, p (Holm) {p_value(gap['p_holm'])}"
                for gap in (gaps.loc[reference], gaps.loc[OWN])
            )
            said.append(
                f"That **{head}** generalises better than {baseline} from {record.dataset.title} "
                f"to {title} is {one}, at {reference}. With each head at its own rate it is {own}."
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


def _lost(lost: pd.DataFrame, target: str) -> str:
    """The smallest and the largest loss of SRCC against the source's own folds."""
    ordered = lost[lost["tested_on"] == target].sort_values("value")
    said = [
        f"{line['head']} {with_interval(line['value'], line['low'], line['high'])}"
        for _, line in ordered.iloc[[0, -1]].iterrows()
    ]
    return f"Against those, {said[0]} is the least that a head loses, {said[1]} the most."


def _more(at: dict[str, pd.DataFrame], target: str, baseline: str) -> str:
    """Does the activation matter more on the target than on the source's own folds?"""
    heads = at["heads"].groupby("tested_on")["srcc"]
    spread = heads.max() - heads.min()
    gaps = at["comparisons"].set_index(["tested_on", "head"])["difference"].abs()
    changes = at["changes"].query("tested_on == @target")
    words: dict[bool, list[str]] = {True: [], False: []}
    for _, line in changes[changes["p_holm"] < 0.05].iterrows():
        grows = gaps[target, line["head"]] > gaps[SOURCE, line["head"]]
        words[bool(grows)].append(f"{line['head']} ({with_sign(line)})")
    said = f"**seen** for {listing(words[True])}" if words[True] else "**not confirmed**"
    shrinks = f"; it matters less for {listing(words[False])}" if words[False] else ""
    none = "" if words[True] or words[False] else ": no such difference changes significantly"
    return (
        f"From best to worst, heads lie {short(spread[target])} apart there and "
        f"{short(spread[SOURCE])} on the source. That the activation matters more there, by the "
        f"difference to {baseline}, is {said}{shrinks}{none}."
    )
