"""Every model that was measured on human ratings, with its protocol: a row a model and data set."""

from collections.abc import Callable

import pandas as pd

from iqa import backbones
from iqa.experiments import Record
from iqa.heads import MLPHead
from iqa.report.chapters.fragments import CHECKPOINTS, SPLITS, protocol_of
from iqa.report.tables import unbroken, with_interval

Tables = dict[str, pd.DataFrame]


def measured_table(runs: list[tuple[Record, Tables]]) -> pd.DataFrame:
    """One table of the runs whose experiment is among `ROWS`, in their order: no ranking."""
    rows = [
        row
        for record, tables in runs
        if record.experiment in ROWS
        for row in ROWS[record.experiment](record, tables)
    ]
    return pd.DataFrame(rows)


def _row(
    record: Record, model: str, line: pd.Series, tested_on: str, split: str, trained: str
) -> dict[str, str]:
    untrained = " (**untrained**)" if record.untrained else ""
    return {
        "tested on": tested_on,
        "model": model,
        "SRCC [95 %]": unbroken(with_interval(line["srcc"], line["low"], line["high"])),
        "split": split,
        "checkpoint": CHECKPOINTS[protocol_of(record)["checkpoint"]].removeprefix("checkpoint "),
        "backbone": f"{record.parameters['backbone']}{untrained}, "
        f"{record.parameters['input_size']} px",
        "trained parameters": trained,
    }


def _split(record: Record, kept_apart: bool = False) -> str:
    """How the images were split; `kept_apart`: a split for each seed in place of folds."""
    kind = protocol_of(record)["split"]
    if kept_apart and kind == "grouped":
        return f"by content, {len(record.seeds)} splits 70/10/20"
    seeds = f"{len(record.seeds)} seed{'s' if len(record.seeds) > 1 else ''}"
    return f"{SPLITS[kind].format(folds=record.parameters['folds'])}, {seeds}"


def _head_parameters(record: Record, preset: str) -> str:
    dim = backbones.feature_dim(backbones.find(record.parameters["backbone"]))
    head = MLPHead.from_preset(preset, dim)
    return f"{sum(p.numel() for p in head.parameters()):,} (head)"


def _frozen(record: Record, tables: Tables) -> list[dict[str, str]]:
    """The paper's three heads."""
    heads = tables["heads"].set_index("head")
    return [
        _row(
            record,
            f"{head}, frozen",
            heads.loc[head],
            f"{record.dataset.title} ({record.dataset.images:,} images)",
            _split(record),
            _head_parameters(record, head),
        )
        for head in ("relu", "sigmoid", "gated")
        if head in heads.index
    ]


TRAINED = {"lora": "adapters and head", "full": "all"}


def _regimes(record: Record, tables: Tables) -> list[dict[str, str]]:
    head = record.parameters["heads"][0]
    return [
        _row(
            record,
            f"{head}, {line['head']}",
            line,
            record.dataset.title,
            _split(record, kept_apart=True),
            TRAINED.get(line["head"]) or _head_parameters(record, head),
        )
        for _, line in tables["heads"].iterrows()
    ]


def _scorer(record: Record, tables: Tables) -> list[dict[str, str]]:
    """The splits of the recipe, and the one model that is shipped."""
    size = f"{record.metrics['model_parameters']:,} in all, those of the stem fixed"
    name = record.metrics["model"] or "scorer"
    adapted = tables["heads"].set_index("head").loc["adapted"]
    split = _split(record, kept_apart=True)
    rows = [_row(record, "the scorer's recipe", adapted, record.dataset.title, split, size)]
    for _, line in tables["shipped"].iterrows():
        ends = line.rename({"srcc_low": "low", "srcc_high": "high"})
        tested = f"{line['data']} ({line['images']:,})"
        rows.append(_row(record, name, ends, tested, "one split of these", size))
    return rows


def _generalization(record: Record, tables: Tables) -> list[dict[str, str]]:
    """The paper's heads on each target, all of its images."""
    heads = tables["heads"]
    targets = record.metrics["targets"]
    return [
        _row(
            record,
            f"{line['head']}, frozen",
            line,
            f"{targets[line['tested_on']]['title']} ({targets[line['tested_on']]['images']:,} "
            "images)",
            f"trained on {record.dataset.title}, all of the other set tested",
            _head_parameters(record, line["head"]),
        )
        for _, line in heads.iterrows()
        if line["tested_on"] in targets and line["head"] in ("relu", "sigmoid", "gated")
    ]


ROWS: dict[str, Callable[[Record, Tables], list[dict[str, str]]]] = {
    "activations": _frozen,
    "regimes": _regimes,
    "scorer": _scorer,
    "generalization": _generalization,
}
"""Experiment to the function that gives the rows of one of its runs."""
