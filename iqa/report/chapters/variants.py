"""The table of an experiment that varies one thing, for each head apart."""

import pandas as pd

from iqa.report.tables import p_value, short, with_doubt, with_interval, with_sign


def gap(line: pd.Series) -> pd.Series:
    """The difference to the baseline in a row of `summarize_variants`, as `compare_with` has it."""
    names = ["difference", "low_gap", "high_gap", "p_holm"]
    return line[names].rename({"low_gap": "low", "high_gap": "high"})


def table(summary: pd.DataFrame, what: str = "variant") -> pd.DataFrame:
    """A row a head and variant: SRCC, and its difference to the baseline.

    Args:
        summary: of `iqa.evaluation.summarize_variants`.
        what: the name of what varies, for the head of its column.
    """
    rows = []
    for _, line in summary.iterrows():
        row = {
            "head": line["head"],
            what: line["variant"],
            "SRCC [95 %]": with_interval(line["srcc"], line["low"], line["high"]),
        }
        if pd.notna(line["difference"]):
            row["minus baseline [95 %]"] = with_sign(gap(line))
            row["p (Holm)"] = p_value(line["p_holm"])
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def said_gap(line: pd.Series) -> str:
    """The difference to the baseline in words: with its interval, and whether it is sure.

    >>> said_gap(pd.Series(dict(difference=0.1, low_gap=-0.1, high_gap=0.3, p_holm=0.4)))
    '+.100 [−.100, +.300], not significant'
    """
    return with_doubt(gap(line))


def ranking(summary: pd.DataFrame, variant: str) -> str:
    """The heads from best to worst under one variant, with their SRCC."""
    part = summary[summary["variant"] == variant].sort_values("srcc", ascending=False)
    return " > ".join(f"{row.head} {short(row.srcc)}" for row in part.itertuples())
