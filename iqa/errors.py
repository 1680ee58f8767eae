"""The one exception that reaches a user as a single line instead of a traceback."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

MANY = 60
"""Names that fit a line of an error."""

_HARMFUL = [
    *range(0x20),
    *range(0x7F, 0xA0),
    *range(0x2028, 0x202F),  # line separators, and what turns the direction of a text
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),  # surrogates, which no file in UTF-8 can hold
]
_ESCAPES = {code: repr(chr(code))[1:-1] for code in _HARMFUL} | {
    # How Python holds the bytes of a file name that are no UTF-8.
    0xDC00 + byte: f"\\x{byte:x}"
    for byte in range(0x80, 0x100)
}


def printable(text: str) -> str:
    r"""`text` with escapes for what a terminal would obey, a table would break at, or is no text.

    A file name may hold line ends, a terminal's commands, and bytes that are no UTF-8.

    >>> print(printable("caf\udce9 \x1b[31m.jpg"))
    caf\xe9 \x1b[31m.jpg
    """
    return text.translate(_ESCAPES)


class UserError(Exception):
    """A fault that the user can mend.

    The message is one line: the thing at fault, what was expected, and the remedy. The command
    line prints it and exits with status 1; any other exception is a bug of ours. Whatever names
    it holds, it is harmless to print.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


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
    """What is wrong, in one line: `key: reason (got value)`, the first fault only.

    How many other fields are at fault is said at the end; two faults of one field are one.
    """
    first, *rest = fault.errors()
    where = ".".join(str(part) for part in first["loc"]) or "value"
    others = len({other["loc"][:1] for other in rest} - {first["loc"][:1]})
    more = f"; and {others} more" if others else ""
    return f"{where}: {first['msg']} (got {first['input']!r}){more}"
