"""Pages of runs without a record: each place of their figures says so, and why if it is known."""

import re
from collections.abc import Mapping
from pathlib import Path

NOT_RUN = "Not run"
SKIPPED = "Skipped"


def why_missing(run: Path) -> str:
    """Why the run with this folder has no record, as the log beside it says; "" where it has one.

    "Skipped: REASON" where the workflow left it out, "Not run" where nothing is known.
    """
    if (run / "record.json").is_file():
        return ""
    log = run.with_name(f"{run.name}.log")
    lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
    reasons = [line for line in lines if line.startswith("skipped: ")]
    return reasons[-1].replace("skipped", SKIPPED, 1) if reasons else NOT_RUN


def say_missing(book: Path, reasons: Mapping[str, str]) -> None:
    """Replace what the pages in `book` show of runs without a record by a line that says so.

    Args:
        book: the staged pages.
        reasons: folder of a run's fragments under `_generated`, such as `human/gate-clive`, to what
            `why_missing` says.
    """
    for page in book.glob("*.md"):
        page.write_text(without_runs(page.read_text(), reasons))


def without_runs(page: str, reasons: Mapping[str, str]) -> str:
    r"""`page` with each `include` and `figure` of these runs replaced; said once in a row.

    >>> page = "```{include} _generated/human/a/srcc.md\n```\nText.\n"
    >>> without_runs(page, {"human/a": "Not run"})
    '*Not run: there is no record of `a`.*\nText.\n'
    """
    for place, reason in reasons.items():
        shown = rf"^(`{{3,}})\{{(?:include|figure)\}} _generated/{re.escape(place)}/.*?^\1$"
        said = _said(place.rpartition("/")[2], reason)
        # A backslash in the reason is one, not a reference to a group.
        literal = said.replace("\\", r"\\")
        page = re.sub(shown, literal, page, flags=re.MULTILINE | re.DOTALL)
        page = re.sub(rf"{re.escape(said)}(?:\n\n{re.escape(said)})+", literal, page)
    return page


def _said(label: str, reason: str) -> str:
    about = f"there is no record of `{label}`"
    if reason == NOT_RUN:
        return f"*{NOT_RUN}: {about}.*"
    # Emphasis would end at a star or an underscore of a path.
    return f"{reason} ({about})."
