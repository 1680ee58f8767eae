"""The one exception that reaches a user as a single line instead of a traceback."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

MANY = 60
"""Names that fit a line of an error."""


class UserError(Exception):
    """A fault that the user can mend.

    The message is one line: the thing at fault, what was expected, and the remedy. The command
    line prints it and exits with status 1; any other exception is a bug of ours.
    """


def unknown(kind: str, name: str, allowed: list[str]) -> UserError:
    """The error for a name that is in no registry; of a long one, the names most like it.

    >>> str(unknown("head", "rleu", ["relu", "gelu"]))
    "unknown head 'rleu': choose one of relu, gelu"
    """
    named = f"unknown {kind} {name!r}"
    if len(allowed) <= MANY:
        return UserError(f"{named}: choose one of {', '.join(allowed)}")
    like = get_close_matches(name, allowed, n=8, cutoff=0)
    return UserError(f"{named}: choose one of {len(allowed)}, such as {', '.join(like)}")


def explain(fault: ValidationError) -> str:
    """What is wrong, in one line: `key: reason (got value)`, the first fault only."""
    first = fault.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "value"
    more = f"; and {fault.error_count() - 1} more" if fault.error_count() > 1 else ""
    return f"{where}: {first['msg']} (got {first['input']!r}){more}"
