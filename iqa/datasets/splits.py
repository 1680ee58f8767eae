"""How splits are drawn: by image, by content group, as the owner or as the paper published it.

`SPLITS` lists them by name; each takes a data set's table and a seed. All but `published_split`
depend on the rows but not on their order, and give the same ids with every version of every
library: names are shuffled by sorting them by a hash of seed and name.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from iqa.datasets.manifest import SIDES, Split, check_groups, shared_groups
from iqa.errors import UserError
from iqa.files import fingerprint

Fractions = tuple[float, float, float]

FRACTIONS: Fractions = (0.7, 0.1, 0.2)
"""Shares of train, validation and test: the published 80/20, with a validation part of train."""


def random_split(table: pd.DataFrame, seed: int, fractions: Fractions = FRACTIONS) -> Split:
    """A split by image: versions of one content may come to stand on two sides.

    Args:
        table: with the column id.
        seed: of the shuffle.
        fractions: shares of train, validation and test, each > 0, together 1; the sides have
            them to within one image.

    Raises:
        UserError: `fractions` are no shares, an id is there twice, or a side comes out empty.
    """
    return Split("random", seed, 0, *_cut(table, "id", seed, _checked(fractions)))


def grouped_split(table: pd.DataFrame, seed: int, fractions: Fractions = FRACTIONS) -> Split:
    """A split by content group: no group has images on two sides.

    Args:
        table: with the columns id and group.
        seed: of the shuffle of groups.
        fractions: shares of the images in train, validation and test, each > 0, together 1; the
            sides have them to within the largest group.

    Raises:
        UserError: `fractions` are no shares, a column is missing, an id is there twice, or a side
            comes out empty because the groups are too few or too large.
    """
    return Split("grouped", seed, 0, *_cut(table, "group", seed, _checked(fractions)))


def official_split(table: pd.DataFrame, seed: int, fractions: Fractions = FRACTIONS) -> Split:
    """The split that a data set's owner published.

    The test side is always the owner's, and so are the contents that it shares with train: scores
    on it compare with published ones, and are as much too high. Where the owner has no validation
    part, one is cut out of train by content group: of the shares of train and validation in
    `fractions`, the validation's part, drawn with `seed`. Where there is one, neither `seed` nor
    `fractions` matters.

    Args:
        table: with the columns id, group and split, the last of "train", "val" and "test".
        seed: of the validation part.
        fractions: as of `grouped_split`.

    Warns:
        UserWarning: content groups have images on two sides; counts the test images among them.

    Raises:
        UserError: a column is missing, `split` holds another word, an id is there twice, or a side
            is empty.
    """
    split = _owners("official", table, seed, fractions)
    group_of = dict(zip(table["id"], _column(table, "group"), strict=True))
    shared = set(shared_groups(split, group_of))
    if shared:
        tested = sum(group_of[name] in shared for name in split.test)
        warnings.warn(
            f"split `official`: {len(shared)} content groups have images on two sides, with "
            f"{tested} of {len(split.test)} test images; `official_apart` leaves them out of train",
            stacklevel=2,
        )
    return split


def official_apart_split(table: pd.DataFrame, seed: int, fractions: Fractions = FRACTIONS) -> Split:
    """The owner's test side, and of the rest what shares no content with it.

    Beside `official_split` it shows what shared contents are worth: the test images are the same.

    Args:
        table: as of `official_split`.
        seed: of the validation part, where the owner has none.
        fractions: as of `official_split`.

    Raises:
        UserError: as `official_split`, or the owner's own validation part and train share a
            content group.
    """
    tested = set(_column(table, "group")[_column(table, "split") == "test"])
    apart = table[(table["split"] == "test") | ~table["group"].isin(tested)]
    split = _owners("official_apart", apart, seed, fractions)
    check_groups(split, dict(zip(apart["id"], apart["group"], strict=True)))
    return split


def _owners(kind: str, table: pd.DataFrame, seed: int, fractions: Fractions) -> Split:
    """The sides in the column `split`, and a validation part."""
    train_share, val_share, _ = _checked(fractions)
    if "split" not in table.columns:
        raise UserError(
            f"split `{kind}`: this data set has none; choose the split `grouped`, or where its "
            "owner published one get the file with it, which `iqa datasets check NAME` names"
        )
    side = table["split"]
    for name, word in zip(table["id"], side, strict=True):
        if word not in SIDES:
            raise UserError(
                f"split `{kind}`: id {name!r} has {word!r} in the column `split`; "
                "expected train, val or test"
            )
    train, val, test = (tuple(sorted(table["id"][side == name])) for name in SIDES)
    if not val:
        both = train_share + val_share
        train, val = _cut(
            table[side == "train"], "group", seed, [train_share / both, val_share / both]
        )
    return Split(kind, seed, 0, train, val, test)


def published_split(table: pd.DataFrame, seed: int) -> Split:
    """The split of the paper's code: by image, 80 % train, 20 % test, no validation.

    A permutation by PyTorch's generator; the first int(0.8 n) rows train. Unlike the others it
    depends on the order of the rows, which must be that of the owner's table to give the authors'
    split, and it keeps the order of the permutation, in which their code evaluates. On CLIVE it
    cannot be theirs: they draw from 1,169 images, 7 of them training examples of the raters.

    Source: `build_datasets` in the code of arXiv:2509.17374, seeds 8, 19 and 25.

    Args:
        table: with the column id, in the order of the owner's table.
        seed: of PyTorch's generator.

    Raises:
        UserError: an id is there twice, or a side comes out empty.
    """
    import torch

    names = _column(table, "id").to_numpy()
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed)).numpy()
    train, test = np.split(names[order], [int(0.8 * len(names))])
    return Split("published", seed, 0, tuple(train), (), tuple(test))


SPLITS: dict[str, Callable[[pd.DataFrame, int], Split]] = {
    "random": random_split,
    "grouped": grouped_split,
    "official": official_split,
    "official_apart": official_apart_split,
    "published": published_split,
}
"""Kind -> function of a data set's table and a seed."""


def _checked(fractions: Fractions) -> Fractions:
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise UserError(
            f"`fractions` is {fractions}: expected shares of train, validation and test, each "
            "above 0 and together 1, such as (0.7, 0.1, 0.2)"
        )
    return fractions


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table.columns:
        raise UserError(
            f"this data set has no column `{name}` (it has {', '.join(map(str, table.columns))}): "
            f"choose another kind of split than the one that needs `{name}`"
        )
    return table[name]


def _cut(
    table: pd.DataFrame, column: str, seed: int, shares: Sequence[float]
) -> list[tuple[str, ...]]:
    """Cut the shuffled groups, named in `column`, into one side for each share of the images.

    A group goes where its middle falls. So each cut is off by at most half a group, and each side
    by at most one.
    """
    members: dict[str, list[str]] = {}
    for name, group in zip(_column(table, "id"), _column(table, column), strict=True):
        members.setdefault(group, []).append(name)
    order = sorted(members, key=lambda group: (fingerprint(str(seed), group), group))
    sizes = np.array([len(members[group]) for group in order])
    middles = sizes.cumsum() - sizes / 2
    side_of = np.searchsorted(np.cumsum(shares)[:-1] * len(table), middles, side="right")
    sides: list[list[str]] = [[] for _ in shares]
    for group, side in zip(order, side_of, strict=True):
        sides[side] += members[group]
    return [tuple(sorted(side)) for side in sides]
