"""`iqa features` and `iqa run`: one step of a study."""

import sys
from typing import Annotated, Literal

import typer

_SkipAbsent = Annotated[
    bool,
    typer.Option("--skip-absent", help="where the data are not there, say so with exit status 0"),
]


def features(
    dataset: Annotated[str, typer.Argument(help="a name from `iqa datasets`")],
    backbone: Annotated[str, typer.Argument(help="a name from `iqa backbones`")],
    input_size: Annotated[
        int | None, typer.Option(help="side in pixels; by default the backbone's own")
    ] = None,
    weights: Annotated[
        Literal["pretrained", "none"], typer.Option(help="none: an untrained control")
    ] = "pretrained",
    skip_absent: _SkipAbsent = False,
) -> None:
    """Compute and cache the features of a data set; goes on where it was cut off."""
    from iqa.backbones import find
    from iqa.datasets import absent, load
    from iqa.features import extract

    find(backbone)  # a misspelt name is told before a data set is made
    if skip_absent and (reason := absent(dataset)):
        typer.echo(f"skipped: {reason}")
        return
    progress = sys.stderr.isatty()
    data = load(dataset, progress)
    found = extract(data, backbone, input_size, weights=weights, progress=progress)
    images, size = found.values.shape
    typer.echo(f"{dataset}: {images} images, {size} features each by {backbone} ({found.key})")


def run(
    experiment: Annotated[str, typer.Argument(help="a run of the profile, such as activations")],
    profile: Annotated[
        str, typer.Option(help="a file in profiles/ without its ending")
    ] = "demo-full",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value: another value of a parameter")
    ] = None,
    skip_absent: _SkipAbsent = False,
) -> None:
    """Run one experiment's notebook, unless its record is up to date."""
    from iqa.experiments import check_run, override, parse_assignments, read_profile, why_absent
    from iqa.experiments import run as run_experiment

    chosen = read_profile(profile)
    spec = override(chosen.find(experiment), parse_assignments(set_ or []))
    if skip_absent and (reason := why_absent(check_run(spec))):
        typer.echo(f"skipped: {reason}")
        return
    outcome = run_experiment(spec, chosen, progress=sys.stderr.isatty())
    typer.echo(f"{'done' if outcome.fresh else 'up to date'}: {outcome.folder}")
