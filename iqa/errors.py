"""The one exception that reaches a user as a single line instead of a traceback."""


class UserError(Exception):
    """A fault that the user can mend.

    The message is one line: the thing at fault, what was expected, and the remedy. The command
    line prints it and exits with status 1; any other exception is a bug of ours.
    """


def unknown(kind: str, name: str, allowed: list[str]) -> UserError:
    """The error for a name that is in no registry.

    >>> str(unknown("head", "rleu", ["relu", "gelu"]))
    "unknown head 'rleu': choose one of relu, gelu"
    """
    return UserError(f"unknown {kind} {name!r}: choose one of {', '.join(allowed)}")
