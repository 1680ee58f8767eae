"""The `iqa` command: a thin layer over the package. Heavy imports wait until they are needed."""

import sys

import typer

from iqa.cli.diagnosis import doctor
from iqa.cli.evaluate_files import compare, evaluate
from iqa.cli.faults import status_of
from iqa.cli.lists import datasets_app, list_backbones
from iqa.cli.runs import features, run
from iqa.cli.score_files import export, score

app = typer.Typer(
    help="How good does a photograph look? Judged without a reference, by a pretrained backbone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("backbones")(list_backbones)
app.add_typer(datasets_app, name="datasets")
app.command()(doctor)
app.command()(features)
app.command()(run)
app.command()(score)
app.command()(export)
app.command()(evaluate)
app.command()(compare)


def main() -> None:
    """Entry point: what a user can mend is one line and exit status 1."""
    sys.exit(status_of(app))
