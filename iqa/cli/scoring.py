"""`iqa score` and `iqa export`: what a model thinks of images, and the model for other programs."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from iqa.cli.streams import opened, tracked
from iqa.cli.tables import print_table
from iqa.errors import UserError, printable

if TYPE_CHECKING:
    from iqa.scoring import Row, Scorer

_MODEL = (
    "the name of a model that comes with iqa, PATH.safetensors, zero-shot:MODEL, authors:FOLDER"
)


@dataclass
class _Tally:
    done: int = 0
    failed: int = 0


def score(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="image files, folders, quoted patterns; - for a list of paths piped in"
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help=f"{_MODEL}; by default the first one")] = None,
    format_: Annotated[
        Literal["table", "csv", "jsonl", "parquet"] | None,
        typer.Option("--format", help="by default the suffix of --output, else a table"),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="a file instead of standard output")] = None,
    explain: Annotated[
        Path | None, typer.Option(help="a folder for a Grad-CAM overlay of each image")
    ] = None,
) -> None:
    """Score images of any kind; exit status 1 when one of them could not be read."""
    images, total = _images(paths or [])
    # After the paths are known to be there: torch takes seconds to import.
    from iqa.scoring import Scorer
    from iqa.scoring.formats import WRITERS, suffix_format

    chosen = format_ or (suffix_format(output) if output else "table")
    on_screen = output is None and sys.stdout.isatty()
    if chosen == "parquet" and on_screen:
        raise UserError("Parquet is nothing to read on a terminal: give --output FILE")
    scorer, tally = Scorer(model), _Tally()
    rows = scorer.stream(images)
    if explain:
        rows = _explained(rows, scorer, explain)
    # Rows on a screen show how far they are.
    hidden = on_screen and chosen != "table"
    rows = tracked(_counted(rows, tally), "scoring", total, hidden)
    with opened(output) as file:
        if chosen == "table":
            _write_table(list(rows), scorer, file)
        else:
            WRITERS[chosen](rows, file)
    if tally.failed:
        typer.echo(f"{tally.failed} of {tally.done} images could not be scored", err=True)
        raise typer.Exit(1)


def _images(words: list[str]) -> tuple[Iterable[str], int | None]:
    """The files that `words` name, and their number unless they are read from standard input."""
    from iqa.scoring.inputs import find_images

    if not words:
        raise UserError("nothing to score: give image files, folders, quoted patterns, or -")
    found = find_images(words, sys.stdin.buffer)
    if "-" in words:
        return found, None
    known = list(found)
    return known, len(known)


def _counted(rows: Iterable["Row"], tally: _Tally) -> Iterator["Row"]:
    for row in rows:
        tally.done += 1
        tally.failed += row.error is not None
        yield row


def _explained(rows: Iterable["Row"], scorer: "Scorer", folder: Path) -> Iterator["Row"]:
    """The rows, each with its overlay written to `folder`."""
    from iqa.scoring.overlays import explainable, save_overlay

    explainable(scorer)  # before the first row: a model without overlays scores nothing

    def explained() -> Iterator["Row"]:
        for row in rows:
            if row.error is None:
                save_overlay(scorer, row.path, folder)
            yield row

    return explained()


def _write_table(rows: list["Row"], scorer: "Scorer", file: TextIO) -> None:
    info = scorer.info
    title = f"Scores by {scorer.title}, {info.low:g} to {info.high:g}, higher is better"
    cells = [
        [
            printable(row.path),
            "-" if row.score is None else f"{row.score:.4g}",
            row.error or "",
        ]
        for row in rows
    ]
    print_table(title, ["image", "score", "error"], cells, file)


def export(
    model: Annotated[str, typer.Argument(help=_MODEL)],
    output: Annotated[Path, typer.Argument(help="the file to write, such as model.onnx")],
) -> None:
    """Write a model as ONNX: RGB in [0, 1], (N, 3, H, W), to scores (N,); checked before."""
    from iqa.scoring import export_onnx, open_model

    if output.is_dir():
        raise UserError(f"{output} is a folder: give the name of a file in it")
    network, info = open_model(model)
    written = export_onnx(network, info, output)
    size = "any height and width" if written.any_size else f"{info.input_size} x {info.input_size}"
    untrained = ", untrained" if info.untrained else ""
    typer.echo(
        f"{output}: {info.name}{untrained}, any batch, {size}, made for {info.input_size}; differs "
        f"from PyTorch by {written.difference:.1g} of the range at most"
    )
