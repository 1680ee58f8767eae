"""`iqa score` and `iqa export`: what a model thinks of images, and the model for other programs."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from iqa.cli.streams import opened, refuse_overwriting, tracked
from iqa.cli.tables import print_table
from iqa.errors import UserError, printable

if TYPE_CHECKING:
    from iqa.scoring import Row, Scorer
    from iqa.scoring.inputs import Skipped

_MODEL = (
    "the name of a model that comes with iqa, PATH.safetensors, zero-shot:MODEL, authors:FOLDER"
)


@dataclass
class _Tally:
    """What became of the images so far, and what ended it early, if anything did."""

    done: int = 0
    failed: int = 0
    not_copied: int = 0
    cut: BaseException | None = None


def score(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="image files, folders, quoted patterns; - for a list of paths piped in"
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help=f"{_MODEL}; by default lite0-photographs")
    ] = None,
    format_: Annotated[
        Literal["table", "csv", "jsonl", "parquet"] | None,
        typer.Option("--format", help="by default the suffix of --output, else a table"),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="a file instead of standard output")] = None,
    explain: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="a folder for a Grad-CAM overlay of each image"),
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option(min=1, help="refuse larger images; by default of 128 million")
    ] = None,
    precision: Annotated[
        Literal["f32", "bf16"], typer.Option(help="bf16 is faster on some CPUs, and less exact")
    ] = "f32",
    sort: Annotated[
        Literal["best", "worst"] | None, typer.Option(help="which come first; errors come last")
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="only the first so many, best first by default")
    ] = None,
    copy_best: Annotated[
        Path | None, typer.Option(help="a new folder for copies of the best, as many as --top says")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="a page with the photographs by score, in one file")
    ] = None,
) -> None:
    """Score images of any kind; exit status 1 when one of them could not be read."""
    _check_copies(copy_best, top, sort)
    images, total, skipped = _images(paths or [])
    if html and html.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--html {html}: give the page a name that ends in .html")
    refuse_overwriting([output, html], [*(images if total else ()), model or ""])
    # After the paths are known to be there: torch, if it is needed, takes seconds to import.
    from iqa.images import MAX_PIXELS
    from iqa.scoring import Scorer
    from iqa.scoring.gallery_page import write_gallery
    from iqa.scoring.output import WRITERS, suffix_format
    from iqa.scoring.ranking import ranked

    chosen = format_ or (suffix_format(output) if output else "table")
    on_screen = output is None and sys.stdout.isatty()
    if chosen == "parquet" and on_screen:
        raise UserError("Parquet is nothing to read on a terminal: give --output FILE")
    scorer, tally = Scorer(model, max_pixels or MAX_PIXELS, precision), _Tally()
    rows: Iterable[Row] = scorer.stream(images)
    if explain:
        rows = _explained(rows, scorer, explain)
    # Rows on a screen show how far they are.
    hidden = on_screen and chosen != "table"
    rows = _counted(tracked(rows, "scoring", total, hidden), tally)
    with opened(html) if html else nullcontext() as page:
        if sort or top or html:
            rows = ranked(rows, sort or "best", top) if sort or top else list(rows)
        if output or format_ or not html:
            with opened(output) as file, _kept(tally, (KeyboardInterrupt,)):
                if chosen == "table":
                    _write_table(list(rows), scorer, file)
                else:
                    WRITERS[chosen](iter(rows), file)
        if page:
            write_gallery(list(rows), scorer.info, page, scorer.max_pixels, explain)
    if html:
        size = f", {html.stat().st_size / 1e6:.1f} MB" if html.is_file() else ""
        typer.echo(f"{printable(str(html))} shows them{size}", err=True)
    if copy_best:
        tally.not_copied = _copy(list(rows), copy_best)
    _conclude(tally, skipped, output)


def _check_copies(folder: Path | None, top: int | None, sort: str | None) -> None:
    """See that --copy-best can be done, before anything is scored."""
    if folder is None:
        return
    if top is None or sort == "worst":
        raise typer.BadParameter("--copy-best needs --top N, and the best first")
    from iqa.scoring.ranking import check_new

    check_new(folder)


def _copy(rows: list["Row"], folder: Path) -> int:
    """Copy the best, and say what was not copied; gives how many were not."""
    from iqa.scoring.ranking import copy_ranked

    faults = copy_ranked(rows, folder)
    for fault in faults:
        typer.echo(printable(fault), err=True)
    copied = sum(row.score is not None for row in rows) - len(faults)
    typer.echo(f"{printable(str(folder))}: {copied} copies", err=True)
    return len(faults)


_CUTS = (KeyboardInterrupt, UserError, OSError, MemoryError)


@contextmanager
def _kept(tally: _Tally, cuts: tuple[type[BaseException], ...]) -> Iterator[None]:
    """Go on after one of `cuts`, so that the rows before it are kept, if there are any."""
    try:
        yield
    except cuts as cut:
        if not tally.done:
            raise
        tally.cut = cut


def _conclude(tally: _Tally, skipped: "Skipped", output: Path | None) -> None:
    """Say on standard error what is missing, and set the exit status."""
    if str(skipped):
        typer.echo(str(skipped), err=True)
    if tally.failed:
        typer.echo(f"{tally.failed} of {tally.done} images could not be scored", err=True)
    if tally.cut:
        where = f" and are in {printable(str(output))}" if output else ""
        typer.echo(f"cut off: the first {tally.done} images are done{where}", err=True)
        raise tally.cut
    if tally.failed or tally.not_copied or skipped.unreadable:
        raise typer.Exit(1)


def _images(words: list[str]) -> tuple[Iterable[str], int | None, "Skipped"]:
    """The files that `words` name, how many if that is known, and what was left out."""
    from iqa.scoring.inputs import Skipped, find_images

    if not words:
        raise UserError("nothing to score: give image files, folders, quoted patterns, or -")
    skipped = Skipped()
    found = find_images(words, skipped)
    if "-" in words:
        return found, None, skipped
    known = list(found)
    return known, len(known), skipped


def _counted(rows: Iterable["Row"], tally: _Tally) -> Iterator["Row"]:
    with _kept(tally, _CUTS):  # here, so that a table of those before it is written
        for row in rows:
            yield row
            tally.done += 1
            tally.failed += row.error is not None


def _explained(rows: Iterable["Row"], scorer: "Scorer", folder: Path) -> Iterator["Row"]:
    """The rows, each with its overlay written to `folder`."""
    from iqa.scoring.overlays import explainable, save_overlay

    explainable(scorer)  # before the first row: a model without overlays scores nothing

    def explained() -> Iterator["Row"]:
        for row in rows:
            try:
                if row.error is None:
                    save_overlay(scorer, row.path, folder)
            except UserError as fault:  # the file is gone, or another than before
                yield replace(row, score=None, better_than=None, error=str(fault))
            else:
                yield row

    return explained()


def _write_table(rows: list["Row"], scorer: "Scorer", file: TextIO) -> None:
    info = scorer.info
    title = f"Scores by {scorer.title}, {info.low:g} to {info.high:g}, higher is better"
    columns: dict[str, list[str]] = {
        "image": [printable(row.path) for row in rows],
        "score": ["-" if row.score is None else f"{row.score:.4g}" for row in rows],
    }
    if info.reference:
        title += f"; better than a percentage of {info.reference.of}"
        percent = ["-" if row.better_than is None else f"{row.better_than} %" for row in rows]
        columns["better than"] = percent
    columns["error"] = [row.error or "" for row in rows]
    print_table(title, list(columns), list(map(list, zip(*columns.values(), strict=True))), file)


def export(
    model: Annotated[str, typer.Argument(help=_MODEL)],
    output: Annotated[Path, typer.Argument(help="the file to write, such as model.onnx")],
) -> None:
    """Write a model as ONNX: RGB in [0, 1], (N, 3, H, W), to scores (N,); checked before."""
    from iqa.scoring import export_onnx, open_model

    if output.is_dir():
        raise UserError(f"{output} is a folder: give the name of a file in it")
    refuse_overwriting([output], [model])
    network, info = open_model(model)
    written = export_onnx(network, info, output)
    size = "any height and width" if written.any_size else f"{info.input_size} x {info.input_size}"
    untrained = ", untrained" if info.untrained else ""
    typer.echo(
        f"{output}: {info.name}{untrained}, any batch, {size}, made for {info.input_size}; differs "
        f"from PyTorch by {written.difference:.1g} of the range at most"
    )
