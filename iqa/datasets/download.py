"""One file over HTTP: taken up where it was cut off, and never put together from two versions."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from iqa.errors import UserError

if TYPE_CHECKING:
    import requests

TIMEOUT = (15, 60)
"""Seconds to connect, and between two pieces of the body."""

PIECE = 1 << 16
"""Bytes written at a time; what a killed download loses at most."""


def download(address: str, part: Path, progress: bool = False) -> None:
    """Fetch a file, going on after the bytes that `part` holds from an earlier call.

    Beside `part` stands `<part>.tag` with the server's mark of the version (ETag, else
    Last-Modified). The rest is asked for on the condition that the mark still holds (If-Range,
    RFC 9110, 13.1.5); a server whose file changed, or that knows no ranges, sends the whole, and so
    the download begins again. Without a mark it always begins again.

    Args:
        address: of the file, http or https.
        part: where the bytes go; whole when this returns.
        progress: show a progress bar on standard error.

    Raises:
        UserError: there is no network or no such file, the connection was lost, or the disk is
            full; what came is kept for the next call.
    """
    import requests

    try:
        while not _receive(address, part, progress):
            discard(part)
    except requests.RequestException as fault:
        raise UserError(f"{address}: {_reason(fault)}; {_kept(part)}") from fault
    except OSError as fault:
        raise UserError(
            f"{part} cannot be written ({fault.strerror}); make room or mend that, then {_again()}"
        ) from fault


def discard(part: Path) -> None:
    """Remove a download and its mark."""
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _tag(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _receive(address: str, part: Path, progress: bool) -> bool:
    """Ask for what is missing and write it; False where `part` does not fit what the server has."""
    import requests

    have = part.stat().st_size if part.is_file() and _tag(part).is_file() else 0
    asked = {"Accept-Encoding": "identity"}  # else the length would be that of a compressed body
    if have:
        asked |= {"Range": f"bytes={have}-", "If-Range": _tag(part).read_text()}
    with requests.get(address, headers=asked, stream=True, timeout=TIMEOUT) as reply:
        if reply.status_code == 416:  # nothing is left to send
            return reply.headers.get("Content-Range") == f"bytes */{have}"
        if reply.status_code not in (200, 206):
            raise UserError(
                f"{address}: the server answered {reply.status_code} {reply.reason}; try later, "
                "or look on the owner's page whether the file has moved"
            )
        if reply.status_code == 206:
            start = re.match(r"bytes (\d+)-", reply.headers.get("Content-Range", ""))
            if start is None or int(start[1]) != have:
                return False
        else:
            have = 0
        _write(reply, part, have, progress)
    return True


def _write(reply: "requests.Response", part: Path, have: int, progress: bool) -> None:
    """Append the body after the first `have` bytes."""
    import requests
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    length = reply.headers.get("Content-Length")
    total = have + int(length) if length else None
    _check_room(part.parent, (total or have) - have)
    columns = (
        *Progress.get_default_columns()[:2],
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with (
        part.open("ab" if have else "wb") as file,
        Progress(*columns, console=Console(stderr=True), disable=not progress) as bar,
    ):
        if not have:  # only now are the old bytes gone, which the old mark belonged to
            _mark(reply, part)
        task = bar.add_task(part.name.removesuffix(".part"), completed=have, total=total)
        for piece in reply.iter_content(PIECE):
            file.write(piece)
            bar.advance(task, len(piece))
    if total is not None and part.stat().st_size < total:  # urllib3 before 2 is silent about it
        raise requests.exceptions.ChunkedEncodingError


def _mark(reply: "requests.Response", part: Path) -> None:
    """Keep the mark of the version; a weak ETag does not vouch for the bytes."""
    mark = reply.headers.get("ETag", "W/")
    if mark.startswith("W/"):
        mark = reply.headers.get("Last-Modified", "")
    if mark:
        _tag(part).write_text(mark)
    else:
        _tag(part).unlink(missing_ok=True)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder} has {free / 1e6:,.0f} MB free, the download needs {needed / 1e6:,.0f} MB; "
            f"make room, then {_again()}"
        )


def _again() -> str:
    return "run the command again, which goes on where it stopped"


def _kept(part: Path) -> str:
    """What to do next, after a connection that failed."""
    if part.is_file() and _tag(part).is_file():
        return f"{part.stat().st_size / 1e6:,.1f} MB are kept in {part}: {_again()}"
    return "run the command again"


def _reason(fault: "requests.RequestException") -> str:
    """A fault of the network in words."""
    import requests

    words = {
        requests.exceptions.SSLError: "the server's certificate is not valid",
        requests.Timeout: f"no answer within {TIMEOUT[1]} seconds",
        requests.exceptions.ChunkedEncodingError: "the connection was lost halfway",
        requests.ConnectionError: "the server cannot be reached (are you online?)",
    }
    for kind, said in words.items():
        if isinstance(fault, kind):
            return said
    return f"{type(fault).__name__}"
