"""The one way to compare: estimates with resampled values, subtracted, corrected, judged.

They are made by `single_splits`, `pooled_folds` and others; what follows is the same for all:

    scores = single_splits(predictions, by=["head"], test_to_train=2 / 7)
    scores.table("srcc")                    # head, srcc, low, high
    scores.minus(head="relu").verdicts()    # head, difference, low, high, p, p_holm, verdict
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.errors import UserError, unknown
from iqa.evaluation.laws import Law
from iqa.evaluation.verdict import MARGIN, holm, verdict


@dataclass(frozen=True)
class Estimates:
    """K estimates of one metric, or of differences in it, that share their draws.

    Attributes:
        labels: what each estimate is of: K rows, a column for each thing that varies.
        observed: (K,), on the data; NaN where undefined.
        values: (K, M), what `law` judges by; column m is the same draw for all K.
        law: how intervals and p-values follow.
    """

    labels: pd.DataFrame
    observed: NDArray[np.float64]
    values: NDArray[np.float64]
    law: Law

    def select(self, **wanted: Any) -> "Estimates":
        """Those whose labels have these values; a list stands for any of its items.

        Raises:
            UserError: no label has such a value.
        """
        kept = self._having(wanted)
        if not kept.any():
            there = self.labels[list(wanted)].drop_duplicates().astype(str).agg(", ".join, axis=1)
            sought = ", ".join(map(str, wanted.values()))
            raise unknown(" and ".join(wanted), sought, list(there))
        return self._rows(np.flatnonzero(kept))

    def minus(self, **baseline: Any) -> "Estimates":
        """Every other estimate minus the one with these labels, all other labels being equal.

        Raises:
            UserError: the baseline is not among the estimates, wholly or for some label.
        """
        if self.labels.empty:  # of one thing alone there is no difference, nor one of differences
            return self
        base = self.select(**baseline)
        rest = [name for name in self.labels.columns if name not in baseline]
        return self._rows(np.flatnonzero(~self._having(baseline)))._less(base, rest)

    def less(self, other: "Estimates") -> "Estimates":
        """Each estimate minus that of `other` with the same labels, draw by draw.

        Labels of one side alone, such as the set that was tested on, do not count.

        Raises:
            UserError: `other` lacks one of the labels, or has it twice.
        """
        shared = [name for name in self.labels.columns if name in other.labels.columns]
        return self._less(other, shared)

    def mean(self, over: str) -> "Estimates":
        """The mean over all values of the label `over`."""
        rest = [name for name in self.labels.columns if name != over]
        groups = self.labels.groupby(rest, sort=False).indices
        labels = pd.DataFrame([_as_tuple(key) for key in groups], columns=rest)
        rows = list(groups.values())
        return replace(
            self,
            labels=labels,
            observed=np.array([self.observed[row].mean() for row in rows]),
            values=np.array([self.values[row].mean(axis=0) for row in rows]),
        )

    def table(self, name: str, level: float = 0.95) -> pd.DataFrame:
        """The labels, the estimates in a column `name`, low and high (NaN where withheld)."""
        low, high = self.law.interval(self.observed, self.values, level).T
        return self.labels.assign(**{name: self.observed}, low=low, high=high)

    def verdicts(self, margin: float = MARGIN, family: Sequence[str] = ()) -> pd.DataFrame:
        """What the differences amount to.

        Args:
            margin: of equivalence, in units of the metric, fixed beforehand.
            family: labels; Holm's correction is made among the estimates that share their values.

        Returns:
            The labels, difference, low, high (95 %), p, p_holm, verdict.
        """
        table = self.table("difference")
        table["p"] = self.law.p_value(self.observed, self.values)
        groups = table.groupby(list(family), sort=False)["p"] if family else None
        table["p_holm"] = groups.transform(holm) if groups else holm(table["p"])
        rows = zip(table["low"], table["high"], table["p_holm"], strict=True)
        return table.assign(verdict=[verdict(*row, margin) for row in rows])

    def _having(self, wanted: dict[str, Any]) -> NDArray[np.bool_]:
        among = {k: v if isinstance(v, list) else [v] for k, v in wanted.items()}
        return np.all([self.labels[k].isin(v).to_numpy() for k, v in among.items()], axis=0)

    def _rows(self, rows: NDArray[np.int64]) -> "Estimates":
        labels = self.labels.iloc[rows].reset_index(drop=True)
        return replace(self, labels=labels, observed=self.observed[rows], values=self.values[rows])

    def _less(self, other: "Estimates", on: list[str]) -> "Estimates":
        keys = [_as_tuple(row) for row in other.labels[on].itertuples(index=False)]
        place = {key: row for row, key in enumerate(keys)}
        if len(place) < len(keys):
            raise UserError(f"two estimates to subtract have the same {', '.join(on) or 'labels'}")
        rows = []
        for key in (_as_tuple(row) for row in self.labels[on].itertuples(index=False)):
            if key not in place:
                raise UserError(f"nothing to subtract for {dict(zip(on, key, strict=True))}")
            rows.append(place[key])
        return replace(
            self,
            observed=self.observed - other.observed[rows],
            values=self.values - other.values[rows],
        )


def _as_tuple(key: Any) -> tuple[Any, ...]:
    return tuple(key) if isinstance(key, tuple) else (key,)
