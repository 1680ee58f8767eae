"""Splits into train, validation and test ids that keep a content group on one side."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from iqa.errors import UserError
from iqa.files import fingerprint


@dataclass(frozen=True)
class Split:
    """Which images train, which choose the checkpoint, which are reported.

    Attributes:
        kind: how it was drawn, such as "grouped 5-fold".
        seed: seed of the draw.
        fold: number of the fold that is the test side, from 0.
        train: ids to fit on.
        val: ids to choose the checkpoint on.
        test: ids to report on.

    Raises:
        UserError: an id stands on two sides, or twice on one.
    """

    kind: str
    seed: int
    fold: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for side in ("train", "val", "test"):
            for name in getattr(self, side):
                if name in seen:
                    raise UserError(
                        f"split `{self.kind}`, fold {self.fold}: id {name!r} is in {seen[name]} "
                        f"and in {side}; every id may stand in one place only"
                    )
                seen[name] = side

    @property
    def hash(self) -> str:
        """16 hexadecimal digits over the kind and the ids of each side, whatever their order."""
        return fingerprint(
            self.kind, *(json.dumps(sorted(side)) for side in (self.train, self.val, self.test))
        )


def shared_groups(split: Split, group_of: Mapping[str, str]) -> list[str]:
    """The content groups with images on more than one side of `split`; empty when it is clean.

    Args:
        split: the split to audit.
        group_of: the content group of each id.

    >>> leaky = Split("random", 0, 0, ("cat-1",), ("dog-1",), ("cat-2",))
    >>> shared_groups(leaky, {"cat-1": "cat", "cat-2": "cat", "dog-1": "dog"})
    ['cat']
    """
    sides = [{group_of[name] for name in side} for side in (split.train, split.val, split.test)]
    return sorted(set().union(*(a & b for a, b in combinations(sides, 2))))


def grouped_folds(ids: Sequence[str], groups: Sequence[str], folds: int, seed: int) -> list[Split]:
    """K-fold cross-validation over content groups.

    Fold i is the test side, fold i + 1 (cyclic) the validation side, the rest trains: every image
    is tested exactly once. The folds depend on the set of pairs (id, group) and the seed, not on
    the order of the rows; ids come out sorted.

    Args:
        ids: one id an image, unique.
        groups: the content group of each image, in the order of `ids`.
        folds: number of folds, at least 3.
        seed: which of the random assignments of groups to folds.

    Raises:
        UserError: fewer than 3 folds, fewer groups than folds, a repeated id, or `ids` and
            `groups` of different length.
    """
    from sklearn.model_selection import GroupKFold

    if len(ids) != len(groups):
        raise UserError(f"`groups` has {len(groups)} entries for {len(ids)} ids: give one an id")
    if folds < 3:
        raise UserError(f"`folds` is {folds}: at least 3 are needed for train, validation and test")
    available = len(set(groups))
    if available < folds:
        raise UserError(
            f"{available} content groups cannot fill {folds} folds: choose `folds` <= {available}"
        )
    names, group = zip(*sorted(zip(ids, groups, strict=True)), strict=True)
    parts = [
        tuple(names[row] for row in rows)
        for _, rows in GroupKFold(folds, shuffle=True, random_state=seed).split(names, groups=group)
    ]
    return [_fold(parts, i, seed) for i in range(folds)]


def _fold(parts: list[tuple[str, ...]], test: int, seed: int) -> Split:
    val = (test + 1) % len(parts)
    train = [name for i, part in enumerate(parts) if i not in (test, val) for name in part]
    kind = f"grouped {len(parts)}-fold"
    return Split(kind, seed, test, tuple(sorted(train)), parts[val], parts[test])
