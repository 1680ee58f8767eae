"""The activation study: table, intervals, and what is significant."""

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
from iqa.report.tables import listing, markdown, p_value, short, with_interval

PAPER_NAMES = {"relu": "B", "sigmoid": "B_Sig", "gated": "B_Gated"}


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    heads, comparisons = tables["heads"], tables["comparisons"]
    baseline = record.metrics["baseline"]
    save_text(folder, "setting", what_was_run(record))
    save_text(folder, "findings", findings(record, heads, comparisons))
    save_text(folder, "table", markdown(main_table(heads, comparisons)))
    save_text(folder, "figures", markdown(all_figures(tables["by_fold"], heads)))
    save_figure(
        folder,
        "intervals",
        figures.heads_with_intervals(heads, comparisons, baseline, record.dataset.score_kind),
    )
    save_figure(folder, "curves", figures.learning_curves(tables["history"], list(heads["head"])))
    save_provenance(folder, record, "activations")


def main_table(heads: pd.DataFrame, comparisons: pd.DataFrame) -> pd.DataFrame:
    """SRCC with interval, and the difference to the baseline with interval and p-values."""
    gaps = comparisons.set_index("head")
    rows = []
    for head in heads.itertuples():
        row = {
            "head": head.head,
            "in the paper": PAPER_NAMES.get(head.head, ""),
            "SRCC [95 %]": with_interval(head.srcc, head.low, head.high),
            "s.d. over seeds": short(head.srcc_sd_seeds),
            "SRCC within a content": short(head.srcc_within),
        }
        if head.head in gaps.index:
            gap = gaps.loc[head.head]
            row["minus baseline [95 %]"] = (
                f"{short(gap['difference'], sign=True)} "
                f"[{short(gap['low'], sign=True)}, {short(gap['high'], sign=True)}]"
            )
            row["p"], row["p (Holm)"] = p_value(gap["p"]), p_value(gap["p_holm"])
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def all_figures(by_fold: pd.DataFrame, heads: pd.DataFrame) -> pd.DataFrame:
    """Every figure, the mean over folds and seeds, heads in the order of the main table."""
    means = by_fold.drop(columns=["seed", "fold"]).groupby("head").mean().loc[heads["head"]]
    titles = {
        "srcc": "SRCC",
        "krcc": "KRCC",
        "plcc_raw": "PLCC raw",
        "plcc_val_fit": "PLCC, logistic fitted on validation",
        "plcc_test_fit": "PLCC, logistic fitted on test",
        "rmse": "RMSE (target)",
    }
    return means.map(short).rename(columns=titles)[list(titles.values())].reset_index()


def findings(record: Record, heads: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """What the study says, in sentences made from its numbers."""
    best, last = heads.iloc[0], heads.iloc[-1]
    baseline, kind = record.metrics["baseline"], record.dataset.score_kind
    lines = [
        f"- The best head here is **{best['head']}** with SRCC "
        f"{with_interval(best['srcc'], best['low'], best['high'])} ({kind}); the last is "
        f"{last['head']} with {short(last['srcc'])}.",
        _significance(comparisons, baseline),
        *(_claim(comparisons, head, baseline) for head in ("sigmoid", "gated")),
        f"- Within one content the mean SRCC is {short(heads['srcc_within'].min())} to "
        f"{short(heads['srcc_within'].max())}: versions of one photograph are ordered far better "
        "than versions of different ones.",
        f"- The intervals draw {record.dataset.groups} contents; with so few, they are wide, and "
        "their p-values are approximate.",
    ]
    return "\n".join(line for line in lines if line)


def _significance(comparisons: pd.DataFrame, baseline: str) -> str:
    sure = comparisons[comparisons["p_holm"] < 0.05]
    better = list(sure.loc[sure["difference"] > 0, "head"])
    worse = list(sure.loc[sure["difference"] < 0, "head"])
    if not better and not worse:
        return f"- After Holm's correction **no head differs significantly from {baseline}**."
    said = [
        f"{listing(names)} {'is' if len(names) == 1 else 'are'} significantly {word}"
        for names, word in ((better, "better"), (worse, "worse"))
        if names
    ]
    rest = len(comparisons) - len(sure)
    return (
        f"- Against {baseline}, {' and '.join(said)} (Holm-corrected p < .05); "
        f"{rest or 'none'} of the {len(comparisons)} others cannot be told from it."
    )


def _claim(comparisons: pd.DataFrame, head: str, baseline: str) -> str:
    """Whether the paper's claim for `head` is seen here; empty where it was not run."""
    rows = comparisons[comparisons["head"] == head]
    if rows.empty:
        return ""
    gap = rows.iloc[0]
    seen = gap["p_holm"] < 0.05
    verdict = "is not confirmed here"
    if seen and gap["difference"] > 0:
        verdict = "is seen here"
    elif seen:
        verdict = "is contradicted here"
    return (
        f"- The paper's claim that {PAPER_NAMES[head]} ({head}) beats {baseline} {verdict}: the "
        f"difference is {short(gap['difference'], sign=True)} [{short(gap['low'], sign=True)}, "
        f"{short(gap['high'], sign=True)}], p (Holm) {p_value(gap['p_holm'])}."
    )
