"""Where rows go, and the bar that says how far they are."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypeVar

from iqa.errors import UserError
from iqa.files import written_whole

Item = TypeVar("Item")


def refuse_overwriting(outputs: Sequence[Path | None], inputs: Iterable[str | Path]) -> None:
    """See that no file to be written is one that is read, or another one that is written."""
    files = [path for path in outputs if path and path.is_file()]
    taken = list(inputs) if files else []
    for path in files:
        if any(os.path.exists(name) and path.samefile(name) for name in taken):
            raise UserError(f"{path} is an input: give another name for what is written")
    if len({path.resolve() for path in outputs if path}) < sum(map(bool, outputs)):
        raise UserError(f"{outputs[0]} is named for two outputs: give each another name")


@contextmanager
def opened(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that becomes `output` when all has been written to it.

    To a device or a pipe it is written directly.
    """
    if output is None:
        yield sys.stdout
        return
    if output.is_dir():
        raise UserError(f"{output} is a folder: give the name of a file in it")
    if output.exists() and not output.is_file():
        with open(output, "w", encoding="utf-8", newline="") as file:
            yield file
        return
    with written_whole(output) as draft, open(draft, "w", encoding="utf-8", newline="") as file:
        yield file


def tracked(items: Iterable[Item], what: str, total: int | None, hidden: bool) -> Iterator[Item]:
    """Give the `items`, with a bar on standard error while there are more, if that is a terminal.

    Args:
        items: what the bar counts.
        what: is going on.
        total: number of items; None where it is not known.
        hidden: whether there is no bar even on a terminal.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    # Rich would send what is printed to standard output to the bar's console.
    with Progress(
        console=console, redirect_stdout=False, disable=hidden or not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=total)
        for item in items:
            yield item
            bar.advance(task)
