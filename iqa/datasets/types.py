"""What a data set is: images with a quality score and a content group each, and its provenance."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from iqa.errors import UserError
from iqa.files import fingerprint

COLUMNS = ("id", "path", "score", "target", "group")


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before any of its files is read.

    Attributes:
        name: the name it is loaded by.
        title: the name for tables and figures.
        score_kind: "MOS", "DMOS" or "pseudo-MOS"; shown wherever scores are shown.
        low: lower end of the published scale.
        high: upper end of the published scale.
        higher_is_better: direction of the published scale.
        group_rule: which images share a content group.
        licence: terms of use of the images.
        citation: whom to cite.
        expected_rows: number of rated images, None where it is not known in advance.
        where: how to get the files.
        ratings: how many ratings a score is the mean of, on average; None where its owner does not
            say, or no use is made of it.
        publishable: whether its licence lets images of it be shown in records and reports.
    """

    name: str
    title: str
    score_kind: str
    low: float
    high: float
    higher_is_better: bool
    group_rule: str
    licence: str
    citation: str
    expected_rows: int | None
    where: str
    publishable: bool = False
    ratings: int | None = None

    def to_target(self, scores: pd.Series) -> pd.Series:
        """Map scores in [low, high] linearly to [0, 1], higher better.

        >>> info = DatasetInfo("d", "D", "DMOS", 1.0, 5.0, False, "", "", "", None, "")
        >>> info.to_target(pd.Series([1.0, 2.0, 5.0])).tolist()
        [1.0, 0.75, 0.0]
        """
        unit = (scores - self.low) / (self.high - self.low)
        return unit if self.higher_is_better else 1.0 - unit


@dataclass(frozen=True)
class Facts:
    """What the whole published table shows, to check a copy against.

    Attributes:
        low: lowest score, to two decimals.
        high: highest score, to two decimals.
        groups: number of content groups, those with the same picture joined.
        split: images of the official training, validation and test side, None without one.
        identical: sets of ids whose files have the same bytes in the published archive.
    """

    low: float
    high: float
    groups: int
    split: tuple[int, int, int] | None = None
    identical: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Rated images: a table with one row an image, checked when made.

    Attributes:
        info: what is known of the set.
        table: columns id (unique str), path (absolute str), score (float, native scale), target
            (float in [0, 1], higher is better), group (str, the content group), where it is
            published deviation (float, of single ratings, native scale), and columns of the set's
            own.
        fingerprint: 16 hexadecimal digits that change when the images or the scores do.

    Raises:
        UserError: a column is missing, the table is empty, an id is there twice, a group is empty,
            a score is not finite, or a target is outside [0, 1].
    """

    info: DatasetInfo
    table: pd.DataFrame
    fingerprint: str

    def __post_init__(self) -> None:
        fault = _fault(self.table)
        if fault:
            raise UserError(f"dataset `{self.info.name}`: {fault}; {self.info.where}")

    def __len__(self) -> int:
        return len(self.table)

    def ratings(self) -> tuple[pd.Series, int]:
        """Standard deviation of each image's ratings, in the scores' unit, and their mean number.

        Raises:
            UserError: they are not published, or not among the files.
        """
        if self.info.ratings is None:
            raise UserError(
                f"dataset `{self.info.name}`: the spread of its ratings is not published; those of "
                "clive and agiqa3k are"
            )
        if "deviation" not in self.table:
            raise UserError(
                f"dataset `{self.info.name}`: the standard deviations of its ratings are missing; "
                f"restore all of its files; {self.info.where}"
            )
        return self.table["deviation"], self.info.ratings

    @property
    def images_fingerprint(self) -> str:
        """16 hexadecimal digits of ids, and of sizes or pixels as far as the table has them.

        Features depend on images alone, and stay in the cache when scores or groups change.
        """
        known = [name for name in ("id", "size", "pixels") if name in self.table.columns]
        return fingerprint(self.table[known].to_csv(index=False, lineterminator="\n"))


def _fault(table: pd.DataFrame) -> str | None:
    """The first thing wrong with `table`, in words, or None."""
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        return f"column {', '.join(missing)} not found (found: {found})"
    if table.empty:
        return "no rows"
    nameless = table["id"].isna() | (table["id"].astype(str) == "")
    if nameless.any():
        return f"row {int(nameless.argmax())} has no id"
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        return f"id {twice.iloc[0]!r} is there more than once"
    groupless = table["id"][table["group"].isna() | (table["group"].astype(str) == "")]
    if len(groupless):
        return f"id {groupless.iloc[0]!r} has no content group"
    return _number_fault(table)


def _number_fault(table: pd.DataFrame) -> str | None:
    """The first score or target that is no finite number, or lies outside the scale."""
    for column in ("score", "target"):
        values = pd.to_numeric(table[column], errors="coerce")
        bad = table.index[~np.isfinite(values.to_numpy(float))]
        if len(bad):
            row = table.loc[bad[0]]
            return f"{column} of id {row['id']!r} is '{row[column]}', expected a finite number"
    outside = table[(table["target"] < 0) | (table["target"] > 1)]
    if len(outside):
        row = outside.iloc[0]
        return f"score of id {row['id']!r} is {row['score']}, outside the published scale"
    return None
