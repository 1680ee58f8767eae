"""What each defect of `iqa.experiments.audit` adds to a figure."""

import numpy as np
import pandas as pd

from iqa.datasets import Split
from iqa.evaluation import compare_reports, holm, krcc
from iqa.experiments.audit import fitted, in_bfloat16, in_whole_batches

ORDER = (
    *("B1", "B3", "B4", "B5", "B6", "B7", "B9", "B12"),
    *("PLCC raw", "PLCC fitted on test", "as published", "other folds"),
)
"""The defects as `effects` lists them."""


def ties(tests: pd.DataFrame) -> pd.DataFrame:
    """How many values the scores of one seed take as they are and in bfloat16, and KRCC of both.

    Args:
        tests: reported predictions of several heads.

    Returns:
        A row a head, means over seeds: head, images, distinct, distinct_bf16, krcc, krcc_bf16.
    """
    rows = []
    for (head, _), part in tests.groupby(["head", "seed"], sort=False):
        rounded = in_bfloat16(part["prediction"])
        rows.append(
            {
                "head": head,
                "images": len(part),
                "distinct": part["prediction"].nunique(),
                "distinct_bf16": len(np.unique(rounded)),
                "krcc": krcc(part["prediction"], part["target"]),
                "krcc_bf16": krcc(rounded, part["target"]),
            }
        )
    return pd.DataFrame(rows).groupby("head", sort=False).mean().reset_index()


def effects(
    predictions: pd.DataFrame, splits: list[Split], resamples: int = 10_000
) -> pd.DataFrame:
    """Each defect alone against the rigorous protocol, for each head apart.

    Args:
        predictions: `iqa.evaluation.study.COLUMNS` and `variant`, which is "rigorous" (with the
            sides train, val and test) or the name of a run with a defect (test).
        splits: of the rigorous run.
        resamples: bootstrap draws.

    Returns:
        Columns head, defect, figure ("SRCC", "PLCC"), baseline, value, difference, low, high, p,
        p_holm; Holm's correction is made over the defects of one head.
    """
    parts = []
    for head, part in predictions.groupby("head", sort=False):
        tests = dict(list(part.query("side == 'test'").groupby("variant")))
        rigorous = part[part["variant"] == "rigorous"]
        found = pd.concat(
            [
                _srcc(tests, splits, resamples),
                _seen(rigorous, resamples),
                _plcc(rigorous, tests, resamples),
            ],
            ignore_index=True,
        )
        found = found.sort_values("defect", key=lambda names: names.map(ORDER.index), kind="stable")
        parts.append(found.assign(p_holm=holm(found["p"]), head=head))
    table = pd.concat(parts, ignore_index=True)
    return table[["head", *table.columns.drop("head")]]


def _named(table: pd.DataFrame, figure: str) -> pd.DataFrame:
    return table.rename(columns={"report": "defect"}).assign(figure=figure)


def _rounded(tests: pd.DataFrame) -> pd.DataFrame:
    return tests.assign(prediction=in_bfloat16(tests["prediction"]))


def _srcc(tests: dict[str, pd.DataFrame], splits: list[Split], resamples: int) -> pd.DataFrame:
    """SRCC over the pooled folds: every run, and what can be done to its predictions."""
    rigorous = tests["rigorous"]
    reports = tests | {"B7": in_whole_batches(rigorous, splits), "B9": _rounded(rigorous)}
    if "as published" in tests:
        reports["as published"] = _rounded(tests["as published"])
    return _named(compare_reports(reports, "rigorous", resamples=resamples), "SRCC")


def _seen(rigorous: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """SRCC fold by fold, of the test images alone and with the training images among them (B12)."""
    test, train = (rigorous[rigorous["side"] == side] for side in ("test", "train"))
    reports = {"rigorous": test, "B12": pd.concat([test, train])}
    return _named(
        compare_reports(reports, "rigorous", by=("seed", "fold"), resamples=resamples), "SRCC"
    )


def _plcc(rigorous: pd.DataFrame, tests: dict[str, pd.DataFrame], resamples: int) -> pd.DataFrame:
    """PLCC fold by fold: raw, and after a logistic fitted on the test images, not on validation."""
    reports = {
        "rigorous": fitted(rigorous, "val"),
        "PLCC raw": tests["rigorous"],
        "PLCC fitted on test": fitted(rigorous, "test"),
    }
    if "as published" in tests:
        reports["as published"] = _rounded(tests["as published"])
    return _named(compare_reports(reports, "rigorous", "plcc", ("seed", "fold"), resamples), "PLCC")
