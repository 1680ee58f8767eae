"""What a study of gates found, in sentences made from its numbers."""

import math

import pandas as pd

from iqa.experiments import Record
from iqa.report.chapters.variants import gap
from iqa.report.tables import listing, p_value, short, with_sign

PAPER, BF16 = "gated", "gated_bf16"
ASKED = {
    "Does it matter that *g* learns?": {"gated_even": "the blend frozen at one half"},
    "One *g* for the whole layer": {"gated_scalar": ""},
    "With the amplitude gamma": {"gated_gamma": ""},
    "Another start": {
        "gated_plus2": "started as .88 sigmoid",
        "gated_minus2": "started as .12 sigmoid",
    },
    "*g* in bfloat16": {BF16: ""},
    "Mixtures of four fixed activations on both layers": {
        "mixture4": "weighed by layer",
        "mixture4_channel": "weighed by channel",
    },
    "No gate": {"sigmoid": "sigmoid", "relu": "ReLU"},
}
"""What is asked, and the heads that answer it by their difference to the paper's gate."""


def findings(record: Record, tables: dict[str, pd.DataFrame]) -> str:
    """The answer to each question, in sentences made from the numbers."""
    summary, gates = tables["summary"], tables["gates"]
    paper = [
        f"{short(row.srcc)} at {row.head}" for row in summary.itertuples() if row.variant == PAPER
    ]
    lines = [
        f"The paper's gate reaches SRCC {listing(paper)}. The differences below are to it.",
        *(answer(question, heads, summary) for question, heads in ASKED.items()),
        _mixtures(tables["mixtures"]),
        _hardening(tables["hardened"]),
        *moved(record, gates),
    ]
    return "\n".join(f"- {line}" for line in lines if line)


def headlines(record: Record, tables: dict[str, pd.DataFrame]) -> list[str]:
    """The study in two sentences, for the first page."""
    question = next(iter(ASKED))
    first = answer(question, ASKED[question], tables["summary"])
    return [line for line in (first, moved(record, tables["gates"])[0]) if line]


def answer(question: str, heads: dict[str, str], summary: pd.DataFrame) -> str:
    """The differences of `heads` to the paper's gate in every training; empty without any."""
    asked = summary[summary["variant"].isin(list(heads))]
    said = []
    for head, words in heads.items():
        rows = asked[asked["variant"] == head].iterrows()
        gaps = [_said(gap(row), row["p_holm"], row["head"]) for _, row in rows]
        said += [f"{words} {'; '.join(gaps)}".strip()] if gaps else []
    if not said:
        return ""
    return f"**{question.rstrip('?')}{'?' if '?' in question else ':'}** " + (
        f"{verdict(asked['difference'], asked['p_holm'])}: {'. '.join(said)}."
    )


def _said(difference: pd.Series, p_holm: float, training: str) -> str:
    return f"{with_sign(difference)} (p {_equals(p_holm)}) at {training}"


def _equals(p: float) -> str:
    said = p_value(p)
    return said if said.startswith("<") else f"= {said}"


def verdict(difference: pd.Series, p_holm: pd.Series) -> str:
    """How many of the differences are sure, and which way they go.

    >>> verdict(pd.Series([0.1, -0.1]), pd.Series([0.2, 0.3]))
    'Nothing significant in 2 comparisons'
    >>> verdict(pd.Series([0.1, -0.1]), pd.Series([0.2, 0.003]))
    'Of 2 comparisons, 1 significantly worse'
    """
    sure = p_holm < 0.05
    counts = {"better": sure & (difference > 0), "worse": sure & (difference < 0)}
    found = [f"{found.sum()} significantly {word}" for word, found in counts.items() if found.any()]
    several = f"{len(sure)} comparison{'s' if len(sure) > 1 else ''}"
    return f"Of {several}, {' and '.join(found)}" if found else f"Nothing significant in {several}"


def _mixtures(mixtures: pd.DataFrame) -> str:
    """What one softmax per channel adds to one for the layer."""
    if mixtures.empty:
        return ""
    said = [_said(row, row["p_holm"], row["training"]) for _, row in mixtures.iterrows()]
    found = verdict(mixtures["difference"], mixtures["p_holm"])
    return f"**The mixture weighed by channel minus the one weighed by layer:** {found}: " + (
        f"{'; '.join(said)}."
    )


def _hardening(hardened: pd.DataFrame) -> str:
    """What it costs to keep one activation per channel."""
    paper = hardened[hardened["minus"] == PAPER]
    said = [_said(row, row["p_holm"], row["training"]) for _, row in paper.iterrows()]
    found = verdict(hardened["difference"], hardened["p_holm"])
    low, high = (short(f(hardened["difference"]), sign=True) for f in (min, max))
    return (
        f"**Each channel keeps its preferred activation alone:** {found}, from {low} to {high}; "
        f"the paper's gate {'; '.join(said)}."
    )


def moved(record: Record, gates: pd.DataFrame) -> list[str]:
    """How far the paper's gate moved, a sentence a training."""
    lines = []
    for training, steps in record.metrics["steps"].items():
        found = first_gate(gates, training, PAPER)
        if found is None:
            continue
        rate = record.metrics["trainings"][training]["learning_rate"]
        still = "**it stays an even blend**" if found["moved_max"] < 0.02 else "it moves"
        lines.append(
            f"At {training} the weights of the paper's gate change by "
            f"{short(found['moved_mean'], 4)} on average and {short(found['moved_max'], 4)} at "
            f"most: {still}. Adam moves a number by about its learning rate a step, so {steps:,} "
            f"steps, to the last epoch, could take *g* to about {rate * steps:.2g}."
        )
    return lines


def first_gate(gates: pd.DataFrame, training: str, head: str) -> pd.Series | None:
    """The first gate and candidate of a head; None where it was not trained so."""
    found = gates[(gates["training"] == training) & (gates["head"] == head)]
    return None if found.empty else found.iloc[0]


def why_it_stops(pushed: pd.DataFrame) -> str:
    """What became of the logits that the same gradient pushed at every step."""
    last, lost = pushed.iloc[-1], pushed[pushed["adams_step"] < pushed["half_gap"]]
    said = (
        f"After {last['step']:,.0f} equal pushes *g* is {short(last['float32'], 5)} in float32 "
        f"(weight {short(_sigmoid(last['float32']))}) and {short(last['bfloat16'], 5)} in bfloat16 "
        f"(weight {short(_sigmoid(last['bfloat16']))})."
    )
    if lost.empty:
        return f"{said} In so few steps none is lost."
    first = lost.iloc[0]
    said += (
        f" Steps are lost from *g* = {short(first['bfloat16'], 5)} on: Adam's step there, "
        f"{first['adams_step']:.2g}, is shorter than half the distance to the next bfloat16, "
        f"{first['half_gap']:.2g}."
    )
    if last["bfloat16"] > first["bfloat16"]:
        said += (
            " Adam's running mean of squared gradients is rounded too and falls short, so its step "
            f"grows, to {last['adams_step']:.2g}, and *g* creeps on."
        )
    if last["adams_step"] < last["half_gap"]:
        said += f" At the end it stands still: half the distance is {last['half_gap']:.2g}."
    return said


def _sigmoid(g: float) -> float:
    return 1 / (1 + math.exp(-g))
