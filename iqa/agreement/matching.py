"""Predictions and ratings of the same images, side by side; nothing is dropped unasked."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pandas as pd

from iqa.agreement.predictions import Predictions
from iqa.datasets import Dataset, csv_table
from iqa.errors import UserError


@dataclass(frozen=True)
class Ratings:
    """What people say of images.

    Attributes:
        images: columns id (unique), rating (in their own unit, higher is better) and group (the
            content group).
        source: where they are from, in words.
        unit: of the ratings, in words.
        contents_known: whether `group` says more than that every image is its own content.
        turned_about: what a rating r of a falling scale was subtracted from; 0 where none was.
    """

    images: pd.DataFrame
    source: str
    unit: str
    contents_known: bool
    turned_about: float = 0.0


@dataclass(frozen=True)
class Matched:
    """Models' predictions for the same rated images.

    Attributes:
        ratings: of those images, sorted by id.
        predictions: a column for each model, rows as in `ratings.images`.
        notes: what a reader should know of the match.
    """

    ratings: Ratings
    predictions: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def contents(self) -> int:
        """Number of content groups."""
        return self.ratings.images["group"].nunique()

    def __str__(self) -> str:
        count = len(self.predictions)
        return (
            f"{self.ratings.source}: {count} images, {self.contents} contents, {self.ratings.unit}"
        )


def ratings_of(data: Dataset) -> Ratings:
    """The ratings of a data set in its own unit; a falling scale is turned about its middle."""
    info, table = data.info, data.table
    unit = f"{info.score_kind} {info.low:g} to {info.high:g}"
    rating, about = table["score"], 0.0
    if not info.higher_is_better:
        about, unit = info.low + info.high, f"{unit}, turned so that higher is better"
        rating = about - rating
    images = table[["id", "group"]].assign(rating=rating)
    return Ratings(images, info.title, unit, table["group"].nunique() < len(table), about)


def ratings_in(tables: Sequence[Predictions], better: str | None = None) -> Ratings:
    """The ratings that stand beside predictions: those of the first table that has some.

    Args:
        tables: of one model or several.
        better: "lower" where a lower rating means a better image: ratings are negated. None is
            "higher", but not for a column of DMOS, which rises with quality in some sets and falls
            in others.

    Raises:
        UserError: no table has ratings, two rate an image differently, or `better` is needed.
    """
    rated = [one for one in tables if "rating" in one.table]
    if not rated:
        raise UserError(
            f"{tables[0].path}: no column of ratings recognised (taken: {tables[0]}); name it by "
            "--rating COLUMN, or name the data set by --on DATASET"
        )
    first = rated[0]
    column = first.columns["rating"]
    if better is None and csv_table.is_dmos(column):
        raise UserError(
            f"{first.path}: in column `{column}` a higher rating may mean a better image or a "
            "worse one; say which by --rating-better higher or --rating-better lower"
        )
    images = first.table[["id", "rating"]]
    for other in rated[1:]:
        table = other.table.assign(id=in_terms_of(other.table["id"], images["id"]))
        both = images.merge(table, on="id", suffixes=("", "_other"))
        differ = both[~np.isclose(both["rating"], both["rating_other"], rtol=1e-5)]
        if len(differ):
            row = differ.iloc[0]
            raise UserError(
                f"{first.path} and {other.path} rate {len(differ)} images differently, the first "
                f"is {row['id']!r} ({row['rating']:g} and {row['rating_other']:g}); give both the "
                "same ratings"
            )
    group = _contents(tables, images["id"])
    images = images.assign(group=images["id"] if group is None else group)
    unit = f"ratings in column {column}"
    if better == "lower":
        images, unit = images.assign(rating=-images["rating"]), f"{unit}, negated"
    return Ratings(images, str(first.path), unit, group is not None)


def _contents(tables: Sequence[Predictions], ids: pd.Series) -> pd.Series | None:
    """The content of each of `ids`, from the first table that has contents; None without one.

    An image that this table lacks has no prediction there and is left out later, if that is
    allowed; until then it is its own content.

    Raises:
        UserError: two tables put the images into different contents.
    """
    found: list[tuple[Path, pd.Series]] = []
    for one in tables:
        if "group" in one.table:
            group = pd.Series(one.table["group"].to_numpy(), in_terms_of(one.table["id"], ids))
            found.append((one.path, group.reindex(ids).reset_index(drop=True)))
    for path, group in found[1:]:
        both = group.notna() & found[0][1].notna()
        if (pd.factorize(group[both])[0] != pd.factorize(found[0][1][both])[0]).any():
            raise UserError(
                f"{found[0][0]} and {path} put the images into different contents; give both the "
                "same column, or name one that both have by --group COLUMN"
            )
    return found[0][1].set_axis(ids.index).fillna(ids) if found else None


def match(
    tables: Sequence[Predictions],
    ratings: Ratings,
    common: bool = False,
    among: Collection[str] | None = None,
) -> Matched:
    """Put predictions beside the ratings of the same images, by id or else by file name.

    Args:
        tables: of one model or several.
        ratings: of the images.
        common: use the images that all have, and say how many are left out.
        among: ids of the images that should be predicted, such as a split's test side, to which
            predictions for other rated images are cut; None for all rated ones.

    Raises:
        UserError: models share a name; without `common`, an image is missing or one too many; with
            it, fewer than 3 are left; their ratings or a model's predictions are all one number.
    """
    names = model_names([one.name for one in tables], [one.path for one in tables])
    images = ratings.images.set_index("id").sort_index()
    tested = images.index if among is None else _spelt(among, images.index)
    unrated = _unrated(tested, ratings)
    if unrated and not common:
        raise UserError(
            f"split: {unrated}; use the split with the ratings it was made for, or say --common to "
            "leave them out"
        )
    wanted = images.index[images.index.isin(tested)]
    found = {}
    for name, one in zip(names, tables, strict=True):
        ids = in_terms_of(one.table["id"], images.index)
        # On a falling scale, negated predictions are turned about its middle, as ratings are.
        turned = one.table["prediction"] + ratings.turned_about * one.negated
        found[name] = pd.Series(turned.to_numpy(), ids)
        if not common:
            asked = "rated" if among is None else "test"
            _refuse_difference(one, wanted, images.index, ids, asked)
    kept = wanted
    for series in found.values():
        kept = kept[kept.isin(series.index)]
    if len(kept) < 3:
        raise UserError(
            f"{', '.join(str(one.path) for one in tables)}: {len(kept)} images are rated in "
            f"{ratings.source} and predicted, expected 3 or more; check the ids"
        )
    predictions = pd.DataFrame({name: series.loc[kept] for name, series in found.items()})
    _refuse_constant(images.loc[kept, "rating"], f"{ratings.source}: the ratings of")
    for name, values in predictions.items():
        _refuse_constant(values, f"{name}: the predictions for")
    images = images.loc[kept].rename_axis("id").reset_index()
    cut = replace(ratings, images=images)
    why = "" if among is None else ", which are not for the test side"
    notes = [
        f"{name}: {len(series) - len(kept)} predictions are left out{why}"
        for name, series in found.items()
        if len(series) > len(kept)
    ]
    if len(kept) < len(wanted):
        notes.insert(0, f"{len(wanted) - len(kept)} of {len(wanted)} rated images are left out")
    if unrated:
        notes.insert(0, f"{unrated}; they are left out")
    return Matched(cut, predictions.reset_index(drop=True), tuple(notes))


def in_terms_of(ids: pd.Series, known: Collection[str]) -> list[str]:
    """The `ids`, each there once, as `known` spells them: by the whole name, else by file name.

    Names are compared in composed Unicode, since a Mac takes é for e and an accent.

    >>> in_terms_of(pd.Series(["out/a.png", "out/b.png"]), ["a.png", "c.png"])
    ['a.png', 'out/b.png']
    """
    for form in (_composed, _file_name):
        forms = [form(name) for name in ids]
        spelt = {form(name): name for name in known}
        if len(set(forms)) < len(forms) or len(spelt) < len(known):
            break  # one form for two images says nothing
        if not spelt.keys().isdisjoint(forms):
            return [spelt.get(short, name) for short, name in zip(forms, ids, strict=True)]
    return list(ids)


def _spelt(ids: Collection[str], known: pd.Index) -> pd.Index:
    return pd.Index(in_terms_of(pd.Series(list(dict.fromkeys(ids))), known))


def _composed(name: str) -> str:
    return normalize("NFC", name)


def _file_name(name: str) -> str:
    return re.split(r"[\\/]", _composed(name))[-1]


def model_names(names: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """What tables' models are called: by their `names`, or where two share one by their `paths`.

    >>> model_names(["m", "m"], [Path("x/m.csv"), Path("y/m.csv")])
    ['x/m.csv', 'y/m.csv']

    Raises:
        UserError: a path is given twice.
    """
    if len(set(names)) == len(names):
        return list(names)
    twice = [path for path in paths if paths.count(path) > 1]
    if twice:
        raise UserError(f"{twice[0]} is given twice; compare different tables")
    return [str(path) for path in paths]


def _refuse_difference(
    one: Predictions, wanted: pd.Index, rated: pd.Index, ids: list[str], what: str
) -> None:
    missing, extra = wanted[~wanted.isin(ids)], pd.Index(ids)[~pd.Index(ids).isin(rated)]
    faults = []
    if len(missing):
        faults.append(
            f"{len(missing)} of {len(wanted)} {what} images have no prediction, the first is "
            f"{missing[0]!r}"
        )
    if len(extra):
        faults.append(
            f"{len(extra)} of {len(ids)} predictions are for no rated image, the first is "
            f"{extra[0]!r}"
        )
    if faults:
        remedy = "complete the table" if len(missing) else "leave them out of the table"
        raise UserError(
            f"{one.path}: {'; '.join(faults)}; {remedy}, or say --common to use the images that "
            "are in both"
        )


def _unrated(ids: pd.Index, ratings: Ratings) -> str:
    """How many of the test side's `ids` have no rating, and the first; "" where all have one."""
    missing = ids[~ids.isin(ratings.images["id"])]
    if missing.empty:
        return ""
    return (
        f"{len(missing)} of {len(ids)} test images have no rating in {ratings.source}, the first "
        f"is {missing[0]!r}"
    )


def _refuse_constant(values: pd.Series, what: str) -> None:
    if values.nunique() == 1:
        raise UserError(
            f"{what} these {len(values)} images are all {values.iloc[0]:g}, so no correlation is "
            "defined; check the table, or take other images"
        )
