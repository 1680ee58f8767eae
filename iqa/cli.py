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


datasets_app = typer.Typer(help="List the data sets, or check one.")
app.add_typer(datasets_app, name="datasets")


def _table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; the first column stays on one line, the others fold, nothing is cut."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a pipe has no edge to fit
    console.print(table)


@app.command("backbones")
def list_backbones() -> None:
    """List the backbones, their features and where their weights come from."""
    from iqa.backbones import REGISTRY

    rows = [
        [s.name, str(s.dim), str(s.input_size), s.pooling, s.source, s.licence]
        for s in REGISTRY.values()
    ]
    columns = ["name", "channels", "input px", "pooling", "weights", "licence"]
    _table("Backbones", columns, rows)


@datasets_app.callback(invoke_without_command=True)
def list_datasets(context: typer.Context) -> None:
    """List the data sets: whether their files are found, and what to expect of them."""
    if context.invoked_subcommand is not None:
        return
    from iqa.datasets import ENTRIES

    rows, terms = [], []
    for name, entry in sorted(ENTRIES.items()):
        known, facts = entry.info, entry.facts
        scores = f"{known.score_kind} {known.low:g}-{known.high:g}"
        groups = f"{facts.groups}: {known.group_rule}" if facts else known.group_rule
        split = "/".join(map(str, facts.split)) if facts and facts.split else "-"
        rows.append([name, entry.files(), str(known.expected_rows), scores, split, groups])
        terms.append([name, known.licence, known.where])
    columns = ["name", "files", "images", "scores", "split", "content groups"]
    _table("Data sets, under IQA_DATA (and csv:PATH: any table of paths and scores)", columns, rows)
    _table("Terms", ["name", "licence", "how to get it"], terms)


@datasets_app.command("check")
def check_dataset(
    name: Annotated[str, typer.Argument(help="a name from `iqa datasets`, or csv:PATH")],
) -> None:
    """Decode every image and compare the table with what was published."""
    from iqa.datasets import check, info

    report = check(name, progress=True)
    if report.summary:
        typer.echo(f"{name}: {report.summary}")
    if name.startswith("csv:") and report.summary:
        typer.echo(info(name).where)
    for note in report.notes:
        typer.echo(f"note, as published: {note}")
    for fault in report.faults:
        typer.echo(f"fault: {fault}")
    typer.echo(f"faults: {len(report.faults)}" if report.faults else "nothing is wrong")
    raise typer.Exit(1 if report.faults else 0)


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
