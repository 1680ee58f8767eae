"""Stage the book: `python -m iqa.report PROFILE FOLDER` copies it there with all fragments."""

import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from iqa.errors import UserError
from iqa.experiments import project_root, read_profile
from iqa.experiments.record import read_summary
from iqa.files import written_whole
from iqa.report.chapters import TOGETHER, WRITERS, literature
from iqa.report.chapters.home import write as write_home
from iqa.report.missing import NOT_RUN, say_missing, why_missing

COMMITTED = ("cpu", "long")
"""Profiles of runs on human ratings whose records are committed, in the order of the first page."""


def stage(profile_name: str, target: Path) -> dict[str, str]:
    """Write the sources of the book of a profile into `target`, whole or not at all.

    The records of the profiles `COMMITTED`, measured on human ratings, are part of every book.
    Where one is not there, and where a run of the profile was skipped, the pages say why.

    Returns:
        The runs without a record: their place under `_generated` to the reason.

    Raises:
        UserError: a record of the profile is missing though its run was not skipped, or one is
            damaged.
    """
    root = project_root()
    profile = read_profile(profile_name)
    committed = [(spec, root / p.folder) for p in map(read_profile, COMMITTED) for spec in p.runs]
    runs = {spec.label: root / profile.folder / spec.label for spec in profile.runs}
    human = {spec.label: folder / spec.label for spec, folder in committed}
    reasons = {f"human/{label}": why_missing(run) for label, run in human.items()}
    reasons |= {label: why_missing(run) for label, run in runs.items()}
    missing = {place: reason for place, reason in reasons.items() if reason}
    done = {label: run for label, run in runs.items() if missing.get(label, NOT_RUN) == NOT_RUN}
    measured = {label: run for label, run in human.items() if f"human/{label}" not in missing}
    with written_whole(target) as draft:
        shutil.copytree(root / "book", draft)
        generated = draft / "_generated"
        (draft / "runs").mkdir()
        for spec in profile.runs:
            if spec.label not in done:
                continue
            read_summary(runs[spec.label])  # tells a missing run in one line
            shutil.copyfile(
                runs[spec.label] / "notebook.ipynb", draft / "runs" / f"{spec.label}.ipynb"
            )
            WRITERS[spec.experiment](runs[spec.label], generated / spec.label)
        for spec, _ in committed:
            if spec.label in measured:
                WRITERS[spec.experiment](human[spec.label], generated / "human" / spec.label)
        say_missing(draft, missing)
        _leave_out(draft / "_toc.yml", runs.keys() - done.keys())
        for page, write in TOGETHER.items():
            write(measured, generated / "across" / page)
        literature.write(root / "results/literature/table5.csv", generated / "literature")
        write_home(profile, done, measured, generated / "home")
    return missing


def _leave_out(contents: Path, labels: Collection[str]) -> None:
    """Take the executed notebooks of these runs out of the table of contents."""
    gone = {f"- file: runs/{label}" for label in labels}
    lines = contents.read_text().splitlines(keepends=True)
    contents.write_text("".join(line for line in lines if line.strip() not in gone))


if __name__ == "__main__":
    try:
        for place, reason in stage(sys.argv[1], Path(sys.argv[2])).items():
            print(f"{place}: {reason}; the pages say so", file=sys.stderr)
    except UserError as fault:
        sys.exit(f"error: {fault}")
