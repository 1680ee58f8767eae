"""The `iqa` command: a thin layer over the package. Heavy imports wait until they are needed."""

import sys
import warnings
from typing import Annotated, Literal

import typer

from iqa.errors import UserError

app = typer.Typer(
    help="How good does a photograph look? Judged without a reference, by a pretrained backbone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


@app.command("backbones")
def list_backbones() -> None:
    """List the backbones, their features and where their weights come from."""
    from iqa.backbones import REGISTRY

    rows = [
        [s.name, str(s.dim), str(s.input_size), s.pooling, s.source, s.licence]
        for s in REGISTRY.values()
    ]
    columns = ["name", "feature size", "input px", "pooling", "weights", "licence"]
    _table("Backbones", columns, rows)


@app.command("datasets")
def list_datasets() -> None:
    """List the data sets, with their scores, content groups and licence."""
    from iqa.datasets import info, names

    rows = []
    for known in map(info, names()):
        scores = f"{known.score_kind} {known.low:g}-{known.high:g}"
        rows.append([known.name, known.title, str(known.expected_rows), scores, known.group_rule])
    _table("Data sets", ["name", "title", "images", "scores", "content group"], rows)


@app.command()
def features(
    dataset: Annotated[str, typer.Argument(help="a name from `iqa datasets`")],
    backbone: Annotated[str, typer.Argument(help="a name from `iqa backbones`")],
    input_size: Annotated[
        int | None, typer.Option(help="side in pixels; by default the backbone's own")
    ] = None,
    weights: Annotated[
        Literal["pretrained", "none"], typer.Option(help="none: an untrained control")
    ] = "pretrained",
) -> None:
    """Compute and cache the features of a data set; goes on where it was cut off."""
    from iqa.backbones import find
    from iqa.datasets import load
    from iqa.features import extract

    find(backbone)  # a misspelt name is told before a data set is made
    data = load(dataset, progress=True)
    found = extract(data, backbone, input_size, weights=weights, progress=True)
    images, size = found.values.shape
    typer.echo(f"{dataset}: {images} images, {size} features each by {backbone} ({found.key})")


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="a run of the profile, such as activations")],
    profile: Annotated[str, typer.Option(help="a file in profiles/ without its ending")] = "demo",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value: another value of a parameter")
    ] = None,
) -> None:
    """Run one experiment's notebook, unless its record is up to date."""
    from iqa.experiments import override, parse_assignments, read_profile
    from iqa.experiments import run as run_experiment

    chosen = read_profile(profile)
    spec = override(chosen.find(experiment), parse_assignments(set_ or []))
    outcome = run_experiment(spec, chosen, progress=True)
    typer.echo(f"{'done' if outcome.fresh else 'up to date'}: {outcome.folder}")


def main() -> None:
    """Entry point: a user's error is one line and exit status 1."""
    warnings.showwarning = lambda message, *_: print(f"note: {message}", file=sys.stderr)
    try:
        app()
    except UserError as fault:
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(1)
