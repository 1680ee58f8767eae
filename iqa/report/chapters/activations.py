"""The activation study: table, intervals, and what is significant."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import (
    protocol_of,
    save_figure,
    save_provenance,
    save_text,
    what_was_run,
)
from iqa.report.tables import listing, markdown, p_value, short, with_interval, with_sign

PAPER_NAMES = {"relu": "B", "sigmoid": "B_Sig", "gated": "B_Gated"}


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    heads, comparisons = tables["heads"], tables["comparisons"]
    baseline, plcc = record.metrics["baseline"], protocol_of(record)["plcc"]
    save_text(folder, "setting", what_was_run(record))
    save_text(folder, "findings", findings(record, heads, comparisons))
    for figure in comparisons["figure"].unique():
        save_text(folder, figure, markdown(main_table(heads, comparisons, figure)))
    save_text(folder, "figures", markdown(all_figures(tables["by_fold"], heads, plcc)))
    save_figure(
        folder,
        "intervals",
        figures.heads_with_intervals(heads, comparisons, baseline, record.dataset.score_kind),
    )
    save_figure(folder, "curves", figures.learning_curves(tables["history"], list(heads["head"])))
    save_provenance(folder, record, "activations")


def main_table(heads: pd.DataFrame, comparisons: pd.DataFrame, figure: str) -> pd.DataFrame:
    """One figure with its interval, and its difference to the baseline with p-values."""
    gaps = comparisons[comparisons["figure"] == figure].set_index("head")
    low, high = ("low", "high") if figure == "srcc" else ("within_low", "within_high")
    rows = []
    for _, head in heads.sort_values(figure, ascending=False).iterrows():
        name = head["head"]
        row = {
            "head": f"{name} ({PAPER_NAMES[name]})" if name in PAPER_NAMES else name,
            "SRCC [95 %]": with_interval(head[figure], head[low], head[high]),
        }
        if name in gaps.index:
            gap = gaps.loc[name]
            row["minus baseline [95 %]"] = with_sign(gap)
            row["p"], row["p (Holm)"] = p_value(gap["p"]), p_value(gap["p_holm"])
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def all_figures(by_fold: pd.DataFrame, heads: pd.DataFrame, plcc: str) -> pd.DataFrame:
    """Every figure, the mean over folds and seeds, heads in the order of the main table.

    `plcc` ("raw", "val", "test") is the one that the protocol reports; it is marked. A figure that
    no fold has, such as one fitted on validation where there is none, is left out.
    """
    means = by_fold.drop(columns=["seed", "fold"]).groupby("head").mean().loc[heads["head"]]
    kinds = {
        "raw": ("plcc_raw", "PLCC raw"),
        "val": ("plcc_val_fit", "PLCC, logistic fitted on validation"),
        "test": ("plcc_test_fit", "PLCC, logistic fitted on test"),
    }
    titles = {"srcc": "SRCC", "krcc": "KRCC"}
    for kind, (column, title) in kinds.items():
        titles[column] = f"{title} (the protocol's)" if kind == plcc else title
    titles["rmse"] = "RMSE (target)"
    shown = means[list(titles)].dropna(axis=1, how="all")
    return shown.map(short).rename(columns=titles).reset_index()


def findings(record: Record, heads: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """What the study says, in sentences made from its numbers."""
    best, last = heads.iloc[0], heads.iloc[-1]
    baseline, kind = record.metrics["baseline"], record.dataset.score_kind
    within, few = heads["srcc_within"], record.dataset.groups < 30
    over_all = comparisons[comparisons["figure"] == "srcc"]
    inside = comparisons[comparisons["figure"] == "srcc_within"]
    ordered = (
        f"- Within one content, SRCC is {short(within.min())} to {short(within.max())}, over all "
        f"images {short(heads['srcc'].min())} to {short(heads['srcc'].max())}. "
    )
    lines = [
        f"- The best head over all images is **{best['head']}** with SRCC "
        f"{with_interval(best['srcc'], best['low'], best['high'])} ({kind}); the last is "
        f"{last['head']} with {short(last['srcc'])}. {_significance(over_all, baseline)}",
        ordered + _significance(inside, baseline) if len(inside) else "",
        *[f"- {line}" for line in claims(comparisons, baseline)],
        f"- The intervals draw {record.dataset.groups:,} contents"
        + ("; with so few they are wide, and their p-values approximate." if few else "."),
    ]
    return "\n".join(line for line in lines if line)


def claims(comparisons: pd.DataFrame, baseline: str) -> list[str]:
    """Whether the paper's claims for its two heads are seen here, a sentence each."""
    over_all = comparisons[comparisons["figure"] == "srcc"]
    inside = comparisons[comparisons["figure"] == "srcc_within"]
    said = [_claim(over_all, inside, head, baseline) for head in ("sigmoid", "gated")]
    return [line for line in said if line]


def _significance(comparisons: pd.DataFrame, baseline: str) -> str:
    sure = comparisons[comparisons["p_holm"] < 0.05]
    better = list(sure.loc[sure["difference"] > 0, "head"])
    worse = list(sure.loc[sure["difference"] < 0, "head"])
    if not better and not worse:
        return f"After Holm's correction **no head differs significantly from {baseline}**."
    said = [
        f"{listing(names)} {'is' if len(names) == 1 else 'are'} significantly {word}"
        for names, word in ((better, "better"), (worse, "worse"))
        if names
    ]
    rest = len(comparisons) - len(sure)
    return (
        f"Against {baseline}, **{' and '.join(said)}** (Holm-corrected p < .05); of the "
        f"{len(comparisons)} heads compared, {rest or 'none'} cannot be told from it."
    )


def _claim(over_all: pd.DataFrame, inside: pd.DataFrame, head: str, baseline: str) -> str:
    """Whether the paper's claim for `head` is seen here; empty where it was not run."""
    if head not in set(over_all["head"]):
        return ""
    said = [
        f"{_verdict(gap)} {where}: {with_sign(gap)}, p (Holm) {p_value(gap['p_holm'])}"
        for where, table in (("over all images", over_all), ("within one content", inside))
        for _, gap in table[table["head"] == head].iterrows()
    ]
    claim = f"{PAPER_NAMES[head]} ({head}) beats {baseline}"
    return f"The paper's claim that {claim} is {'; '.join(said)}."


def _verdict(gap: pd.Series) -> str:
    if gap["p_holm"] >= 0.05:
        return "**not confirmed**"
    return "**seen**" if gap["difference"] > 0 else "**contradicted**"
