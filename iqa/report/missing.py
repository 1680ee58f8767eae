"""Pages of runs that are not there yet: each place of their figures says so."""

import re
from collections.abc import Collection
from pathlib import Path


def say_not_run(book: Path, labels: Collection[str]) -> None:
    """Replace what the pages in `book` show of these committed runs by a line that says so."""
    for page in book.glob("*.md"):
        page.write_text(without_runs(page.read_text(), labels))


def without_runs(page: str, labels: Collection[str]) -> str:
    r"""`page` with each `include` and `figure` of these runs replaced; said once in a row.

    >>> without_runs("```{include} _generated/human/a/srcc.md\n```\nText.\n", ["a"])
    '*Not run: there is no record of `a`.*\nText.\n'
    """
    names = "|".join(map(re.escape, labels)) or "(?!)"
    shown = rf"^(`{{3,}})\{{(?:include|figure)\}} _generated/human/({names})/.*?^\1$"
    said = r"*Not run: there is no record of `\2`.*"
    page = re.sub(shown, said, page, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(\*Not run: .*\*)(?:\n\n\1)+", r"\1", page)
