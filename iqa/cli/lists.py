"""`iqa backbones` and `iqa datasets`: what there is."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from iqa.cli.streams import refuse_overwriting
from iqa.cli.tables import print_table
from iqa.errors import printable

datasets_app = typer.Typer(help="List the data sets, check one, or fetch one.")


def list_backbones() -> None:
    """List the backbones, their features and where their weights come from."""
    from iqa.backbones import REGISTRY, feature_dim, whereabouts

    rows, sources = [], []
    for name, spec in sorted(REGISTRY.items()):
        facts = [f"{spec.input_size}", spec.pooling, f"{feature_dim(spec)}", whereabouts(spec)]
        licence = f"{spec.licence}, gated" if spec.gated else spec.licence
        rows.append([name, *facts, licence])
        if spec.source != "none":
            place = spec.hub_id or f"pip: {spec.package.replace('_', '-')}"
            sources.append([name, place, spec.paper or "-"])
    columns = ["name", "input px", "pooling", "D", "weights", "licence"]
    print_table("Backbones (tiny ones are miniatures for tests, untrained)", columns, rows)
    print_table("Where the weights are from", ["name", "from", "in the paper"], sources)


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
    print_table(
        "Data sets, under IQA_DATA (and csv:PATH: any table of paths and scores)", columns, rows
    )
    print_table("Terms", ["name", "licence", "how to get it"], terms)


@datasets_app.command("check")
def check_dataset(
    name: Annotated[str, typer.Argument(help="a name from `iqa datasets`, or csv:PATH")],
    pairs: Annotated[
        Path | None, typer.Option(help="write all near-duplicates there: a,b,distance in bits")
    ] = None,
) -> None:
    """Decode every image, compare the table with what was published, and find near-duplicates."""
    from iqa.datasets import check, csv_table, info
    from iqa.files import written_whole

    if pairs is not None and name.startswith(csv_table.PREFIX):
        refuse_overwriting([pairs], csv_table.parse(name).sides.values())
    report = check(name, progress=sys.stderr.isatty())
    if pairs is not None and report.pairs is not None:
        with written_whole(pairs) as draft:
            report.pairs.to_csv(draft, index=False, lineterminator="\n")
    if report.summary:
        typer.echo(printable(f"{name}: {report.summary}"))
    if name.startswith(csv_table.PREFIX) and report.summary:
        typer.echo(printable(info(name).where))
    for note in report.notes:
        typer.echo(printable(f"note: {note}"))
    for fault in report.faults:
        typer.echo(printable(f"fault: {fault}"))
    typer.echo(f"faults: {len(report.faults)}" if report.faults else "nothing is wrong")
    if report.faults and report.summary and not name.startswith(csv_table.PREFIX):
        typer.echo(f"to get the published files: {info(name).where}")
    raise typer.Exit(1 if report.faults else 0)


@datasets_app.command("ceiling")
def ceiling(
    names: Annotated[list[str], typer.Argument(help="names from `iqa datasets`")],
) -> None:
    """The SRCC that a perfect model would reach: ratings are few, so scores are noisy."""
    import numpy as np

    from iqa.datasets import load
    from iqa.evaluation import srcc_ceilings

    rows = []
    for name in names:
        data = load(name)
        deviations, count = data.ratings()
        found = srcc_ceilings(data.table["score"], deviations, count)
        low, high = np.quantile(found, [0.025, 0.975])
        facts = [f"{len(data)}", f"{count}", f"{deviations.mean():.3g}"]
        rows.append([name, *facts, f"{found.mean():.4f}", f"{low:.4f} to {high:.4f}"])
    columns = ["name", "images", "ratings", "their SD", "highest SRCC", "95 % of 1,000 draws"]
    print_table("The SRCC of a model that knows what endlessly many raters say", columns, rows)


@datasets_app.command("fetch")
def fetch_dataset(
    name: Annotated[str, typer.Argument(help="koniq10k, koniq10k/512x384, kadid10k or biq2021")],
) -> None:
    """Download a data set into IQA_DATA and unpack it; a download goes on where it was cut off."""
    from iqa.datasets.fetch import fetch

    for got in fetch(name, progress=sys.stderr.isatty()):
        if not got.version:
            typer.echo(f"{got.target} is there already; delete it to fetch it again")
            continue
        typer.echo(f"{got.target}: from {got.address}, {got.size:,} bytes, {got.version}")
    typer.echo(f"now see whether it is whole: iqa datasets check {name}")
