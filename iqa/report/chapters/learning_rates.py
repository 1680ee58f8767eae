"""Heads at the paper's learning rate, each at its own, and what the wrong rate costs."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.experiments.rates import OWN, variant_of
from iqa.report import curves, figures
from iqa.report.chapters.activations import main_table
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.chapters.variants import ranking, said_gap, table
from iqa.report.tables import listing, markdown, short, with_interval

LOST = "The advantage is not shown when each head has its own rate"
CONCLUSIONS = {
    (1, 1): "It is there in both: **{head} is better here, not only less sensitive**.",
    (1, 0): f"**{LOST}: {{head}} may only get on better with the paper's rate.**",
    (1, -1): f"**{LOST}: it turns round.**",
    (0, 1): "**{head} is better only when each head has its own rate.**",
    (0, 0): "**Neither comparison shows a difference.**",
    (0, -1): "**{head} is worse only when each head has its own rate.**",
    (-1, 1): "**{head} is worse at the paper's rate, and better when each head has its own.**",
    (-1, 0): "**It is worse at the paper's rate; with each head's own no difference is shown.**",
    (-1, -1): "**{head} is worse in both comparisons.**",
}
"""By the sign of a head's significant difference at the reference rate, and at its own; 0: none."""


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    baseline, reference = record.metrics["baseline"], variant_of(record.metrics["reference"])
    save_text(folder, "setting", setting(record))
    save_text(folder, "findings", findings(record, tables))
    for name, variant in (("reference", reference), ("own", OWN)):
        heads, gaps = (_of(tables[t], variant) for t in ("heads", "comparisons"))
        kind = record.dataset.score_kind
        shown = figures.heads_with_intervals(heads, gaps, baseline, kind)
        save_text(folder, name, markdown(main_table(heads, gaps, "srcc")))
        save_figure(folder, f"intervals-{name}", shown)
    save_text(folder, "by_rate", markdown(table(_by_rate(tables["by_rate"]), "learning rate")))
    save_text(folder, "chosen", markdown(chosen_table(record, tables["validation"])))
    save_figure(folder, "rates", curves.by_learning_rate(tables["by_rate"]))
    save_provenance(folder, record, "learning_rates")


def _of(table: pd.DataFrame, variant: str) -> pd.DataFrame:
    return table[table["variant"] == variant].reset_index(drop=True)


def _by_rate(by_rate: pd.DataFrame) -> pd.DataFrame:
    """The rates of each head from low to high, its own last."""
    rate = pd.to_numeric(by_rate["variant"], errors="coerce").fillna(float("inf"))
    place = pd.factorize(by_rate["head"])[0]
    return by_rate.assign(place=place, rate=rate).sort_values(["place", "rate"])


def setting(record: Record) -> str:
    """What was run, and which rates."""
    rates = listing([variant_of(rate) for rate in record.metrics["rates"]])
    return (
        f"{what_was_run(record)} That learning rate is the one of the paper's code; every head is "
        f"trained at each of {rates}, all with {record.parameters['training']['epochs']} epochs. "
        "SRCC is taken within each test fold and averaged over folds and seeds."
    )


def findings(record: Record, tables: dict[str, pd.DataFrame]) -> str:
    """Whether differences between heads are differences of the rate, in sentences."""
    baseline, reference = record.metrics["baseline"], variant_of(record.metrics["reference"])
    by_rate, few = tables["by_rate"], record.dataset.groups < 30
    lines = [
        *headlines(record, tables),
        f"The heads in order: {ranking(by_rate, reference)} at {reference}; "
        f"{ranking(by_rate, OWN)} each at its own rate.",
        *_sensitivity(tables["losses"], by_rate, baseline),
        *_choices(record, tables["validation"]),
        _hindsight(by_rate),
        f"The intervals draw {record.dataset.groups:,} contents"
        + ("; with so few they are wide, and their p-values approximate." if few else "."),
    ]
    return "\n".join(f"- {line}" for line in lines)


def headlines(record: Record, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Is sigmoid better, or only less sensitive? And the gate? A paragraph each."""
    return [
        _verdict(record, tables, head)
        for head in ("sigmoid", "gated")
        if head in set(tables["losses"]["head"]) - {record.metrics["baseline"]}
    ]


def _verdict(record: Record, tables: dict[str, pd.DataFrame], head: str) -> str:
    baseline, reference = record.metrics["baseline"], variant_of(record.metrics["reference"])
    gaps = tables["comparisons"].query("figure == 'srcc' and head == @head").set_index("variant")
    gaps = gaps.rename(columns={"low": "low_gap", "high": "high_gap"})
    signs = [_sign(gaps.loc[variant]) for variant in (reference, OWN)]
    change = tables["losses"].query("loss == 'at reference' and head == @head").iloc[0]
    conclusion = CONCLUSIONS[signs[0], signs[1]].format(head=head)
    return (
        f"**{head} minus {baseline}**: at {reference} {said_gap(gaps.loc[reference])}; with each "
        f"head at its own rate {said_gap(gaps.loc[OWN])}. {conclusion} From the one to the other, "
        f"the difference changes by {said_gap(change)}."
    )


def _sign(line: pd.Series) -> int:
    """1 or -1 for a significant difference, 0 for none."""
    if line["p_holm"] >= 0.05:
        return 0
    return 1 if line["difference"] > 0 else -1


def _sensitivity(losses: pd.DataFrame, by_rate: pd.DataFrame, baseline: str) -> list[str]:
    """What heads lose over the range of rates, at their worst, and whether sigmoid loses less."""
    over = losses[losses["loss"] == "over the range"].set_index("head")
    means = [
        f"{head} {with_interval(line['value'], line['low'], line['high'])}"
        for head, line in over.iterrows()
    ]
    rates = by_rate[by_rate["variant"] != OWN]
    worst = rates.loc[rates.groupby("head", sort=False)["srcc"].idxmin()]
    ends = [f"{line['head']} {said_gap(line)} at {line['variant']}" for _, line in worst.iterrows()]
    said = [
        f"**Sensitivity.** Against its own rate a head loses, as the mean over all rates, "
        f"{listing(means)} (below 0: a gain). Its worst rate changes it by: {'; '.join(ends)}."
    ]
    words = {1: "more sensitive", 0: "not shown to be more or less sensitive", -1: "less sensitive"}
    return said + [
        f"{head} is **{words[_sign(over.loc[head])]}** than {baseline}: their mean losses differ "
        f"by {said_gap(over.loc[head])}."
        for head in ("sigmoid", "gated")
        if head in over.index.drop(baseline)
    ]


def _counts(validation: pd.DataFrame) -> pd.DataFrame:
    """How often each head chose each rate: heads in rows, rates from low to high in columns."""
    counts = validation.pivot_table(
        index="head", columns="learning_rate", values="own", aggfunc="sum", sort=False
    )
    return counts.sort_index(axis=1).astype(int)


def chosen_table(record: Record, validation: pd.DataFrame) -> pd.DataFrame:
    """How often each head's validation chose each rate, out of all folds and seeds."""
    counts = _counts(validation).loc[list(record.parameters["heads"])]
    return counts.rename(columns=variant_of).rename_axis(columns=None).reset_index().astype(str)


def _choices(record: Record, validation: pd.DataFrame) -> list[str]:
    """Which rates were chosen, and where the range may be too short."""
    counts = _counts(validation).loc[list(record.parameters["heads"])]
    total = int(counts.iloc[0].sum())
    most = [
        f"{head} {variant_of(line.idxmax())} ({line.max()})" for head, line in counts.iterrows()
    ]
    edges = [
        (head, variant_of(rate), int(line[rate]))
        for head, line in counts.iterrows()
        for rate in (counts.columns[0], counts.columns[-1])
        if line[rate]
    ]
    lines = [f"**Chosen** most often, of {total} folds and seeds: {', '.join(most)}."]
    if edges:
        said = [f"{head} {rate} ({count})" for head, rate, count in edges]
        short_of = [head for head, _, count in edges if 2 * count >= total]
        lines.append(
            f"**At an edge of the range** lie these choices: {', '.join(said)}. "
            + (
                f"For {listing(short_of)} that is half of them or more: the best rate may lie "
                "outside, and the own rate is only the best of those tried."
                if short_of
                else "For no head is it half of them."
            )
        )
    return lines


def _hindsight(by_rate: pd.DataFrame) -> str:
    """What choosing on validation cost against the best rate on the test images themselves."""
    rates = by_rate[by_rate["variant"] != OWN]
    best = rates.loc[rates.groupby("head", sort=False)["srcc"].idxmax()]
    said = [
        f"{line['head']} {short(line['srcc'])} at {line['variant']} "
        f"(own {short(line['srcc'] - line['difference'])})"
        for _, line in best.iterrows()
    ]
    return (
        f"In hindsight, one rate for all folds chosen on the test images themselves would give "
        f"{listing(said)}. No protocol may choose so; where it is far above the own rate, "
        "validation chose badly."
    )
