"""Whatever ends a command before it is done, as one line and an exit status.

What a user can mend is told with its remedy: a full disk, a place that cannot be read or written, a
closed output, too little memory. Signals are told too. Any other exception is a bug of ours and
keeps its traceback.
"""

import errno
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from types import FrameType

from iqa.errors import UserError, printable

SIGNALS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "the terminal was closed"}
"""Those that end a command in order, and how they are told."""

MENDABLE = (UserError, OSError, UnicodeError, MemoryError)
"""What a user can mend; all else is a bug of ours."""

_PLACE = "choose a place that you may read and write (IQA_CACHE names that of the cache)"
_ROOM = "make room, then run the command again"
_REMEDIES = {
    errno.EACCES: _PLACE,
    errno.EBADF: "it is closed: redirect it to a file or to /dev/null",
    errno.EDQUOT: _ROOM,
    errno.EMFILE: "allow more open files by `ulimit -n`",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "check the path",
    errno.ENOSPC: _ROOM,
    errno.EPERM: _PLACE,
    errno.EROFS: _PLACE,
}

_WRITING = (errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.ENOSPC)
"""Faults of writing; those of files carry their name, thanks to `written_whole`."""


def status_of(command: Callable[[], object]) -> int:
    """Run a command of Typer's, and say in one line what ended it early.

    Returns:
        The exit status: 0 when all is done; 1 for what a user can mend; 2 for wrong usage, which
        Typer tells; for a signal 128 and its number, as shells have it.
    """
    _open_streams()
    warnings.showwarning = lambda message, *_: _say("note", str(message))
    caught: list[signal.Signals] = []
    try:
        with _signals_caught(caught), _output():
            command()
        status = 0
    except KeyboardInterrupt:  # of which Typer makes a SystemExit, outside of its commands none
        status = 128 + signal.SIGINT
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except Exception as fault:
        # Some libraries make another error of an interrupt.
        if not (caught or isinstance(fault, MENDABLE)):
            raise
        # Whoever reads the output of a broken pipe has enough of it.
        if not (caught or isinstance(fault, BrokenPipeError)):
            _say("error", _told(fault))
        status = 1
    if caught:
        _say("error", f"{SIGNALS[caught[0].name]}; what was finished before is kept")
        status = 128 + caught[0]
    return status


def _open_streams() -> None:
    """Give closed standard streams a file, and a stream of few characters escapes for the others.

    Else the next file that is opened would take the place of a closed one, and what is printed
    would go there. Writing to what is opened here is an error, as it would be otherwise.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def _signals_caught(caught: list[signal.Signals]) -> Iterator[None]:
    """Turn signals into KeyboardInterrupt, which cleans up on its way, and add them to `caught`.

    A second one ends the process at once, and so does one that comes when the block is left: all is
    done by then, and Python would tell of an exception while it ends.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        caught.append(signal.Signals(number))
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    # Windows has no SIGHUP. What is ignored stays so: nohup ignores SIGHUP.
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    numbers = [number for number in numbers if signal.getsignal(number) in usual]
    for number in numbers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _output() -> Iterator[None]:
    """Write out what was printed."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            # What is left in the buffer would be tried again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise


def _told(fault: BaseException) -> str:
    """A fault that a user can mend, in one line with its remedy."""
    if isinstance(fault, MemoryError):
        return "not enough memory; close other programs, or use smaller images"
    if isinstance(fault, UnicodeError):
        return f"text that is no UTF-8 ({fault}); save it as UTF-8"
    if not isinstance(fault, OSError):
        return str(fault)
    remedy = _REMEDIES.get(fault.errno or 0, "mend that, then run the command again")
    if fault.filename is not None:
        return f"{os.fsdecode(fault.filename)}: {fault.strerror}; {remedy}"
    if fault.errno in _WRITING:
        return f"standard output: {fault.strerror}; {remedy}"
    return f"{fault}; {remedy}"


def _say(kind: str, message: str) -> None:
    print(f"{kind}: {printable(' '.join(message.split()))}", file=sys.stderr)
