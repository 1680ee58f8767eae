"""Stage the book: `python -m iqa.report PROFILE FOLDER` copies it there with all fragments."""

import shutil
import sys
from pathlib import Path

from iqa.errors import UserError
from iqa.experiments import project_root, read_profile
from iqa.experiments.record import read_summary
from iqa.files import written_whole
from iqa.report.chapters import TOGETHER, WRITERS, literature
from iqa.report.chapters.home import write as write_home
from iqa.report.missing import say_not_run

COMMITTED = ("cpu", "adapt")
"""Profiles of runs on human ratings whose records are committed, in the order of the first page."""


def stage(profile_name: str, target: Path) -> list[str]:
    """Write the sources of the book of a profile into `target`, whole or not at all.

    The records of the profiles `COMMITTED`, measured on human ratings, are part of every book.
    Where one is not there yet, the pages say so.

    Returns:
        The names of the runs of these profiles without a record.

    Raises:
        UserError: a record of the profile is missing, or one is damaged.
    """
    root = project_root()
    profile = read_profile(profile_name)
    committed = [(spec, root / p.folder) for p in map(read_profile, COMMITTED) for spec in p.runs]
    runs = {spec.label: root / profile.folder / spec.label for spec in profile.runs}
    human = {spec.label: folder / spec.label for spec, folder in committed}
    missing = [label for label, run in human.items() if not (run / "record.json").is_file()]
    measured = {label: run for label, run in human.items() if label not in missing}
    with written_whole(target) as draft:
        shutil.copytree(root / "book", draft)
        generated = draft / "_generated"
        (draft / "runs").mkdir()
        for spec in profile.runs:
            read_summary(runs[spec.label])  # tells a missing run in one line
            shutil.copyfile(
                runs[spec.label] / "notebook.ipynb", draft / "runs" / f"{spec.label}.ipynb"
            )
            WRITERS[spec.experiment](runs[spec.label], generated / spec.label)
        for spec, _ in committed:
            if spec.label in measured:
                WRITERS[spec.experiment](human[spec.label], generated / "human" / spec.label)
        say_not_run(draft, missing)
        for page, write in TOGETHER.items():
            write(measured, generated / "across" / page)
        literature.write(root / "results/literature/table5.csv", generated / "literature")
        write_home(profile, runs, measured, generated / "home")
    return missing


if __name__ == "__main__":
    try:
        for label in stage(sys.argv[1], Path(sys.argv[2])):
            print(f"not run: {label} (a run on human ratings); the pages say so", file=sys.stderr)
    except UserError as fault:
        sys.exit(f"error: {fault}")
