"""Names of the form `csv:TABLE?option=value&...`, taken apart and put together."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from iqa.errors import UserError, unknown

PREFIX = "csv:"
COLUMNS = ("image", "score", "group", "split")
"""Options that name the column of a role."""

TABLES = ("val", "test")
"""Options that name the table of a side."""

OPTIONS = (*COLUMNS, *TABLES, "low", "high", "better", "root")


@dataclass(frozen=True)
class Source:
    """A `csv:` name taken apart.

    Attributes:
        name: the whole of it.
        path: the table.
        options: what stands after the question mark.
    """

    name: str
    path: Path
    options: dict[str, str] = field(default_factory=dict)

    @property
    def sides(self) -> dict[str, Path]:
        """The table of each side, the first under "train"; alone where it holds all images."""
        others = {side: Path(self.options[side]) for side in TABLES if side in self.options}
        return {"train": self.path, **others}


def parse(name: str) -> Source:
    """Take a name apart; a + is a +.

    >>> parse("csv:a.csv?score=mos&root=C++/100%25").options
    {'score': 'mos', 'root': 'C++/100%'}

    Raises:
        UserError: an option is unknown or has no value.
    """
    path, _, query = name.removeprefix(PREFIX).partition("?")
    options = {}
    for part in filter(None, query.split("&")):
        option, equals, value = part.partition("=")
        if option not in OPTIONS:
            raise unknown("option of csv: (in a value, & is written %26)", option, list(OPTIONS))
        if not (equals and value):
            raise UserError(f"{name}: option {option} has no value; write {option}=VALUE")
        options[option] = unquote(value)
        if option in ("root", *TABLES):
            options[option] = str(_expanded(options[option]))
    if options.get("better", "higher") not in ("higher", "lower"):
        raise unknown("value of better", options["better"], ["higher", "lower"])
    if "split" in options and any(side in options for side in TABLES):
        raise UserError(f"{name}: give the column `split` or the tables `val` and `test`, not both")
    return Source(name, _expanded(path), options)


def absolute(name: str) -> str:
    """The same table by a name that means it in any working directory.

    >>> absolute("csv:/data/a.csv?score=mos")
    'csv:/data/a.csv?score=mos'

    Raises:
        UserError: as `parse`.
    """
    source = parse(name)
    options = source.options
    for option in ("root", *TABLES):
        if option in options:
            options = options | {option: os.path.abspath(options[option])}
    query = "&".join(f"{option}={quote(value)}" for option, value in options.items())
    return f"{PREFIX}{source.path.absolute()}{'?' if query else ''}{query}"


def _expanded(path: str) -> Path:
    """The path with ~ replaced by the home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError as fault:
        raise UserError(f"{path}: {fault}; give the whole path") from None
