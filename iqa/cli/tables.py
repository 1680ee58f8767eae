"""A table on the terminal, in a pipe or in a file."""

from typing import TextIO

NUMBER = 10
"""Characters that a number or a single word takes."""


def print_table(
    title: str, columns: list[str], rows: list[list[str]], file: TextIO | None = None
) -> None:
    """Print a table: what is long folds, nothing is cut; in a pipe the first column never folds.

    Args:
        title: above it.
        columns: their names.
        rows: a text for each column.
        file: where to; by default standard output.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console, table = Console(file=file), Table()
    widths = [max(map(len, texts)) for texts in zip(columns, *rows, strict=True)]
    on_one_line = console.width // 3
    if not console.is_terminal:  # a pipe has no edge to fit
        on_one_line = widths[0]
        console.width = max(200, on_one_line + 100)
    for number, (column, width) in enumerate(zip(columns, widths, strict=True)):
        short = width <= (NUMBER if number else on_one_line)
        table.add_column(column, overflow="fold", no_wrap=short)
    for row in rows:
        # As Text, or file names with [brackets] and :colons: would be taken for markup.
        table.add_row(*map(Text, row))
    console.print(Text(title, "bold"))  # as the table's title it would wrap within its width
    console.print(table)
