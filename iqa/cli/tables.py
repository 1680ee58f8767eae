"""A table on the terminal, in a pipe or in a file."""

from typing import TextIO


def print_table(
    title: str, columns: list[str], rows: list[list[str]], file: TextIO | None = None
) -> None:
    """Print a table; the first column stays on one line, the others fold, nothing is cut.

    Args:
        title: above it.
        columns: their names.
        rows: a text for each column.
        file: where to; by default standard output.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*row)
    console = Console(file=file)
    if not console.is_terminal:
        console.width = 200  # a pipe has no edge to fit
    console.print(table)
