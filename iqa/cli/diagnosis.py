"""`iqa doctor`: what runs on this machine and what is missing."""

from typing import Annotated

import typer

from iqa.errors import printable


def doctor(
    profile: Annotated[
        str,
        typer.Option(help="a file in profiles/ without its ending: can it run here?"),
    ] = "",
) -> None:
    """Tell what runs here and what is missing, with its remedy; downloads nothing.

    The exit status is 1 when something is missing that the profile needs.
    """
    from iqa.doctor import examine

    found = examine(profile)
    for finding in found:
        typer.echo(printable(str(finding)))
    raise typer.Exit(int(any(finding.mark == "missing" for finding in found)))
