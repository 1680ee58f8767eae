"""K-fold cross-validation: every image is tested exactly once for each assignment to folds.

`FOLDS` lists what can be dealt into folds; each takes a data set's table, the number of folds and
a seed. Folds depend on the set of pairs (id, group) and the seed, not on the order of the rows; ids
come out sorted.
"""

from collections.abc import Callable

import pandas as pd

from iqa.datasets.manifest import Split
from iqa.errors import UserError


def grouped_folds(table: pd.DataFrame, folds: int, seed: int) -> list[Split]:
    """Folds of content groups: no group has images on two sides.

    Fold i is the test side, fold i + 1 (cyclic) the validation side, the rest trains.

    Args:
        table: with the columns id (unique) and group.
        folds: number of folds, at least 3.
        seed: which of the random assignments of groups to folds.

    Raises:
        UserError: fewer than 3 folds, fewer groups than folds, or a repeated id.
    """
    return _folds(table, "group", "content groups", folds, seed, "grouped")


def random_folds(table: pd.DataFrame, folds: int, seed: int) -> list[Split]:
    """Folds of single images: versions of one content may come to stand on two sides.

    Args and errors are those of `grouped_folds`; the column group is not needed.
    """
    return _folds(table, "id", "images", folds, seed, "random")


FOLDS: dict[str, Callable[[pd.DataFrame, int, int], list[Split]]] = {
    "grouped": grouped_folds,
    "random": random_folds,
}
"""Kind of split, as in `iqa.datasets.SPLITS` -> function of a table, a number of folds, a seed."""


def _folds(
    table: pd.DataFrame, column: str, units: str, folds: int, seed: int, kind: str
) -> list[Split]:
    """Deal the values of `column`, called `units` in errors, into folds."""
    from sklearn.model_selection import GroupKFold

    if folds < 3:
        raise UserError(f"`folds` is {folds}: at least 3 are needed for train, validation and test")
    available = table[column].nunique()
    if available < folds:
        raise UserError(
            f"{available} {units} cannot fill {folds} folds: choose `folds` <= {available}"
        )
    names, groups = zip(*sorted(zip(table["id"], table[column], strict=True)), strict=True)
    parts = [
        tuple(names[row] for row in rows)
        for _, rows in GroupKFold(folds, shuffle=True, random_state=seed).split(
            names, groups=groups
        )
    ]
    return [_fold(parts, i, seed, f"{kind} {folds}-fold") for i in range(folds)]


def _fold(parts: list[tuple[str, ...]], test: int, seed: int, kind: str) -> Split:
    val = (test + 1) % len(parts)
    train = [name for i, part in enumerate(parts) if i not in (test, val) for name in part]
    return Split(kind, seed, test, tuple(sorted(train)), parts[val], parts[test])
