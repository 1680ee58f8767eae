"""The `iqa` command: a thin layer over the package. Heavy imports wait until they are needed."""

import sys
import warnings

import typer

from iqa.cli.lists import datasets_app, list_backbones
from iqa.cli.runs import features, run
from iqa.cli.scoring import export, score
from iqa.errors import UserError

app = typer.Typer(
    help="How good does a photograph look? Judged without a reference, by a pretrained backbone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("backbones")(list_backbones)
app.add_typer(datasets_app, name="datasets")
app.command()(features)
app.command()(run)
app.command()(score)
app.command()(export)


def main() -> None:
    """Entry point: a user's error is one line and exit status 1."""
    warnings.showwarning = lambda message, *_: print(f"note: {message}", file=sys.stderr)
    try:
        app()
    except UserError as fault:
        print(f"error: {fault}", file=sys.stderr)
        sys.exit(1)
