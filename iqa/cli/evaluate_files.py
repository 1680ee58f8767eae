"""`iqa evaluate` and `iqa compare`: any model's predictions against ratings."""

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from iqa.cli.streams import refuse_overwriting
from iqa.cli.tables import print_table
from iqa.errors import printable, unknown

if TYPE_CHECKING:
    import pandas as pd

    from iqa.agreement import Leak, Matched, Predictions

_On = Annotated[
    str | None,
    typer.Option(
        help="the data set with the ratings, of `iqa datasets` or csv:PATH; by default they stand "
        "in the table"
    ),
]
_Image = Annotated[str | None, typer.Option(help="column of the image's id, path or file name")]
_Prediction = Annotated[str | None, typer.Option(help="column of the prediction")]
_Rating = Annotated[str | None, typer.Option(help="column of the rating")]
_RatingBetter = Annotated[
    Literal["higher", "lower"] | None,
    typer.Option(help="lower: a lower rating in the table means a better image; needed for DMOS"),
]
_Group = Annotated[str | None, typer.Option(help="column of the content that images share")]
_Common = Annotated[
    bool, typer.Option("--common", help="use the images that all have; leave out the others")
]
_SplitFile = Annotated[
    Path | None,
    typer.Option(
        help="a split to audit for leaks (JSON, or a table of images and sides); its test side is "
        "evaluated"
    ),
]
_Html = Annotated[Path | None, typer.Option(help="write a page with tables and charts there")]


@dataclass(frozen=True)
class _Found:
    """What both commands read: predictions beside ratings, the split's leaks, what to know.

    Without a split, `leaks` is None.
    """

    matched: "Matched"
    leaks: "tuple[Leak, ...] | None"
    notes: tuple[str, ...]


def evaluate(
    predictions: Annotated[Path, typer.Argument(help="a table (CSV, Parquet) with a row an image")],
    on: _On = None,
    image: _Image = None,
    prediction: _Prediction = None,
    rating: _Rating = None,
    rating_better: _RatingBetter = None,
    group: _Group = None,
    better: Annotated[
        Literal["higher", "lower"],
        typer.Option(help="lower: predictions run against the ratings"),
    ] = "higher",
    common: _Common = False,
    split: _SplitFile = None,
    html: _Html = None,
) -> None:
    """Measure how well predictions agree with ratings; exit status 1 when the split leaks."""
    from iqa.agreement import outliers, per_content, performance

    named = {"image": image, "prediction": prediction, "rating": rating, "group": group}
    refuse_overwriting([html], _inputs([predictions], split, on))
    tables = _read([predictions], named, [predictions.stem] if better == "lower" else [], on)
    found = _found(tables, named, on, rating_better, common, split)
    model = found.matched.predictions.columns[0]
    table = performance(found.matched, model)
    _print(f"{model} on {found.matched}", ["metric", "value", "95 % interval"], table)
    contents = per_content(found.matched, model)
    if len(contents):
        title = f"The worst of {len(contents)} contents of 3 images or more"
        _print(title, ["content", "images", "SRCC", "mean error"], contents.head())
    far = outliers(found.matched, model, 5).drop(columns="group")
    _print("Farthest from the ratings", ["image", "rating", "fitted prediction", "error"], far)
    if html:
        from iqa.agreement.page import evaluation_page

        _write(html, evaluation_page(found.matched, model, table, found.leaks, found.notes))
    _conclude(found)


def compare(
    predictions: Annotated[
        list[Path], typer.Argument(help="tables (CSV, Parquet); the first is the baseline")
    ],
    on: _On = None,
    image: _Image = None,
    prediction: _Prediction = None,
    rating: _Rating = None,
    rating_better: _RatingBetter = None,
    group: _Group = None,
    lower: Annotated[
        list[str] | None,
        typer.Option(
            help="a model whose predictions run against the ratings, named like its file without "
            "the ending, or by its path where two files share that; may be repeated"
        ),
    ] = None,
    metric: Annotated[
        Literal["srcc", "krcc", "plcc_raw", "plcc_test_fit"], typer.Option(help="to compare by")
    ] = "srcc",
    margin: Annotated[
        float,
        typer.Option(
            min=0,
            max=0.5,
            help="smaller differences do not matter; fix it before you look",
        ),
    ] = 0.01,
    common: _Common = False,
    split: _SplitFile = None,
    html: _Html = None,
) -> None:
    """Say whether models agree better with ratings than the first; exit status as of evaluate."""
    from iqa import agreement
    from iqa.agreement.wording import headline

    named = {"image": image, "prediction": prediction, "rating": rating, "group": group}
    refuse_overwriting([html], _inputs(predictions, split, on))
    tables = _read(predictions, named, lower or [], on)
    found = _found(tables, named, on, rating_better, common, split)
    baseline = found.matched.predictions.columns[0]
    title = agreement.METRICS[metric].title
    judged = agreement.compare(found.matched, baseline, metric, margin)
    scores = agreement.estimates(found.matched, metric).table(title)
    _print(f"Models on {found.matched}", ["model", title, "95 % interval"], scores)
    columns = ["model", "difference", "95 % interval", "p (Holm)", "verdict"]
    _print(f"{title} minus that of {baseline}", columns, judged.drop(columns="p"))
    for row in judged.itertuples():
        typer.echo(printable(headline(row, baseline, title, margin)))
    if html:
        from iqa.agreement.page import comparison_page

        used = (baseline, metric, margin)
        _write(html, comparison_page(found.matched, used, judged, found.leaks, found.notes))
    _conclude(found)


def _inputs(predictions: Sequence[Path], split: Path | None, on: str | None) -> list[Path]:
    """The files that are read, but for images."""
    from iqa.datasets import csv_table

    rated = csv_table.parse(on).sides.values() if on and on.startswith(csv_table.PREFIX) else ()
    return [*predictions, *rated, *([split] if split else [])]


def _read(
    paths: Sequence[Path], named: dict[str, str | None], lower: Collection[str], on: str | None
) -> "list[Predictions]":
    """The tables; which columns were taken is said on standard error."""
    from iqa.agreement import model_names, read_predictions
    from iqa.agreement.predictions import USUAL

    names = model_names([path.stem for path in paths], paths)
    for name in lower:
        if name not in names:
            raise unknown("model of --lower", name, names)
    columns = {role: name for role, name in named.items() if name is not None}
    roles = ("image", "prediction") if on else tuple(USUAL)
    tables = [
        read_predictions(path, columns, "lower" if name in lower else "higher", name, roles)
        for name, path in zip(names, paths, strict=True)
    ]
    for table in tables:
        typer.echo(printable(f"columns of {table}"), err=True)
    return tables


def _found(
    tables: "list[Predictions]",
    named: dict[str, str | None],
    on: str | None,
    rating_better: str | None,
    common: bool,
    split: Path | None,
) -> _Found:
    from iqa.agreement import audit_split, left_out, match, ratings_in, ratings_of, read_sides
    from iqa.agreement.wording import caveats
    from iqa.datasets import csv_table, load

    if on and (rating_better or named["rating"] or named["group"]):
        raise typer.BadParameter(
            "--rating, --rating-better and --group are for the table; --on has its own "
            "(csv:PATH?score=COLUMN&better=lower&group=COLUMN)"
        )
    progress = sys.stderr.isatty()
    data = load(on, progress) if on else None
    sides = read_sides(split) if split else None
    ratings = ratings_of(data) if data else ratings_in(tables, rating_better)
    if data:
        told = f"; {data.info.where}" * str(on).startswith(csv_table.PREFIX)
        typer.echo(
            printable(f"ratings and contents are those of {data.info.title}{told}"), err=True
        )
    matched = match(tables, ratings, common, sides["test"] if sides else None)
    notes = list(caveats(matched))
    if sides and not data:
        notes.append("of the split only ids are compared; contents and files too with --on DATASET")
    if sides and data and common:  # of the test side `match` says it
        notes += left_out({side: ids for side, ids in sides.items() if side != "test"}, data)
    for note in notes:
        typer.echo(printable(f"note: {note}"), err=True)
    leaks = audit_split(sides, data, progress, common) if sides else None
    return _Found(matched, leaks, tuple(notes))


def _print(title: str, columns: list[str], table: "pd.DataFrame") -> None:
    """A table of the package, whose columns low and high become one."""
    from iqa.agreement.wording import cells

    rows = [[printable(cell) for cell in row] for row in cells(table)]
    print_table(printable(title), columns, rows)


def _write(path: Path, page: str) -> None:
    from iqa.cli.streams import opened

    with opened(path) as file:
        file.write(page)
    typer.echo(f"{printable(str(path))} shows all of it", err=True)


def _conclude(found: _Found) -> None:
    """Say what the split's audit found, and set the exit status."""
    if found.leaks is None:
        return
    for leak in found.leaks:
        typer.echo(printable(f"leak: {leak}"))
    if found.leaks:
        raise typer.Exit(1)
    typer.echo("the sides of the split share nothing that was looked for")
