"""Cross-validation folds that keep a content group on one side."""

from collections.abc import Sequence

from iqa.datasets.manifest import Split
from iqa.errors import UserError


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
