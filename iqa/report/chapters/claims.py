"""The paper's claims in one table: what each data set with human ratings says of them."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from iqa.evaluation import summarize_heads
from iqa.experiments import Record
from iqa.experiments.rates import OWN, folds_apart
from iqa.report.chapters.generalization import reference_of, targets_of
from iqa.report.tables import with_sign

Tables = dict[str, pd.DataFrame]
COLUMNS = {"clive": "CLIVE", "agiqa3k": "AGIQA-3K"}


@dataclass(frozen=True)
class Claim:
    """A claim, and the difference that decides it.

    Attributes:
        words: what is claimed.
        experiment: whose records decide, and whose page has the whole study.
        gap: from record and tables the difference that is above 0 where the claim holds, with the
            columns difference, low, high, p_holm; None where the run has it not.
    """

    words: str
    experiment: str
    gap: Callable[[Record, Tables], pd.Series | None]


def _row(table: pd.DataFrame, **where: str) -> pd.Series | None:
    """The one row with these values: its difference, interval and p; None where there is none."""
    for name, value in where.items():
        table = table[table[name] == value]
    if len(table) != 1:
        return None
    row, names = table.iloc[0], {"difference": "mean", "low_gap": "low", "high_gap": "high"}
    values = [row[name] if name in row.index else row[other] for name, other in names.items()]
    return pd.Series([*values, row["p_holm"]], ["difference", "low", "high", "p_holm"])


def _turned(row: pd.Series | None) -> pd.Series | None:
    """The difference the other way round."""
    if row is None:
        return None
    turned = {"difference": -row["difference"], "low": -row["high"], "high": -row["low"]}
    return pd.Series(turned | {"p_holm": row["p_holm"]})


def _head(head: str) -> Callable[[Record, Tables], pd.Series | None]:
    return lambda record, tables: _row(tables["comparisons"], figure="srcc", head=head)


def _own_rate(head: str) -> Callable[[Record, Tables], pd.Series | None]:
    return lambda record, tables: _row(tables["comparisons"], figure="srcc", head=head, variant=OWN)


def _elsewhere(variant: Callable[[Record], str]) -> Callable[[Record, Tables], pd.Series | None]:
    return lambda record, tables: _row(
        tables["comparisons"],
        head="sigmoid",
        variant=variant(record),
        tested_on=next(iter(targets_of(record))),
    )


def _gate_on(predictions: pd.DataFrame) -> pd.Series | None:
    """The paper's gate minus a plain sigmoid, on the same images."""
    two = predictions[predictions["head"].isin(["gated", "sigmoid"])]
    if two["head"].nunique() < 2:
        return None
    gaps = summarize_heads(two, "sigmoid", resamples=2000).comparisons
    return _row(gaps, figure="srcc", head="gated")


def _gate_at_one_rate(record: Record, tables: Tables) -> pd.Series | None:
    return _gate_on(tables["predictions"])


def _gate_at_own_rate(record: Record, tables: Tables) -> pd.Series | None:
    return _gate_on(folds_apart(tables["predictions"].query("variant == @OWN")))


def _gate_that_learns(record: Record, tables: Tables) -> pd.Series | None:
    """The paper's gate minus its blend frozen at one half, in the last training that has both."""
    even = tables["summary"].query("variant == 'gated_even'")
    return _turned(_row(even.tail(1), variant="gated_even"))


def _neighbours(record: Record, tables: Tables) -> pd.Series | None:
    against = record.metrics["baseline"]
    return _row(tables["differences"], measure="neighbour_srcc", head="sigmoid", against=against)


def _on_the_blur(record: Record, tables: Tables) -> pd.Series | None:
    trained = tables["summary"][~tables["summary"]["untrained"].astype(bool)]
    return _row(trained, measure="gain", head="sigmoid")


def _at_own_rate(record: Record) -> str:
    return OWN


CLAIMS = [
    Claim("sigmoid beats ReLU, at the paper's learning rate", "activations", _head("sigmoid")),
    Claim("the same, each at its own rate", "learning_rates", _own_rate("sigmoid")),
    Claim("the gate beats ReLU, at the paper's rate", "activations", _head("gated")),
    Claim("the same, each at its own rate", "learning_rates", _own_rate("gated")),
    Claim("the gate beats a plain sigmoid, at the paper's rate", "activations", _gate_at_one_rate),
    Claim("the same, each at its own rate", "learning_rates", _gate_at_own_rate),
    Claim("a gate that learns beats an even blend", "gate", _gate_that_learns),
    Claim(
        "sigmoid beats ReLU, tested on the other set",
        "generalization",
        _elsewhere(reference_of),
    ),
    Claim("the same, each at its own rate", "generalization", _elsewhere(_at_own_rate)),
    Claim("LoRA beats a frozen backbone", "regimes", _head("lora")),
    Claim("full fine-tuning beats a frozen backbone", "regimes", _head("full")),
    Claim(
        "a sigmoid's features separate quality better than ReLU's (SRCC of nearest neighbours)",
        "tsne",
        _neighbours,
    ),
    Claim(
        "a sigmoid's maps are drawn to a blur more than ReLU's (gain in concentration)",
        "gradcam",
        _on_the_blur,
    ),
]
"""In the order of the first page."""


def claims_table(measured: list[tuple[Record, Tables]]) -> pd.DataFrame:
    """A row a claim, a column a data set: the verdict, the difference and its 95 % interval.

    Args:
        measured: records with their tables; those of other data sets do not count.
    """
    found = {
        (record.experiment, record.dataset.name): (record, tables) for record, tables in measured
    }
    rows = []
    for claim in CLAIMS:
        row = {"the claim": f"[{claim.words}]({claim.experiment}.md)"}
        for name, title in COLUMNS.items():
            run = found.get((claim.experiment, name))
            row[title] = cell(claim.gap(*run) if run else None)
        rows.append(row)
    return pd.DataFrame(rows)


def cell(gap: pd.Series | None) -> str:
    """The verdict on one claim in one cell.

    >>> cell(pd.Series({"difference": 0.05, "low": 0.01, "high": 0.09, "p_holm": 0.01}))
    '**seen** +.050 [+.010, +.090]'
    >>> cell(None)
    '–'
    """
    if gap is None:
        return "–"
    sure = gap["p_holm"] < 0.05
    verdict = "not confirmed"
    if sure:
        verdict = "**seen**" if gap["difference"] > 0 else "**contradicted**"
    return f"{verdict} {with_sign(gap)}"
