"""Shares of a split's training images, for studies of how much data is needed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from iqa.datasets.manifest import Split
from iqa.errors import UserError
from iqa.files import fingerprint


def training_shares(
    split: Split, table: pd.DataFrame, shares: Sequence[float], seed: int
) -> list[Split]:
    """`split` with smaller and smaller parts of its training images, drawn by content group.

    The groups are shuffled once and each share takes the first of them, so a smaller share is a
    part of every larger one; validation and test stay as they are. A group goes in when its middle
    does: a share is off by at most half a group, and holds at least one group.

    Args:
        split: whose training images are drawn from.
        table: of the data set, with the columns id and group.
        shares: of the training images, each in (0, 1].
        seed: of the shuffle. It does not depend on the order of the ids.

    Returns:
        A split for each of `shares`, in their order. Its kind says the share: "grouped 5-fold, 25 %
        of train"; a share of 1 gives `split` itself.

    Raises:
        UserError: a share is not in (0, 1].
    """
    for share in shares:
        if not 0 < share <= 1:
            raise UserError(
                f"`shares` has {share}: each is a part of the training images, in (0, 1]"
            )
    members = table[table["id"].isin(split.train)].groupby("group")["id"].agg(list)
    order = sorted(members.index, key=lambda group: (fingerprint(str(seed), group), group))
    sizes = np.array([len(members[group]) for group in order])
    middles = sizes.cumsum() - sizes / 2
    return [
        split if share == 1 else _part(split, members, order, middles, share) for share in shares
    ]


def _part(
    split: Split, members: pd.Series, order: Sequence[str], middles: np.ndarray, share: float
) -> Split:
    """`split` with the groups of `order` whose middle lies within the share."""
    count = max(1, int(np.sum(middles <= share * len(split.train))))
    names = [name for group in order[:count] for name in members[group]]
    kind = f"{split.kind}, {100 * share:g} % of train"
    return Split(kind, split.seed, split.fold, tuple(sorted(names)), split.val, split.test)
