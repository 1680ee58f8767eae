"""A table on the terminal or in a pipe."""


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
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
