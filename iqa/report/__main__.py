"""Stage the book: `python -m iqa.report PROFILE FOLDER` copies it there with all fragments."""

import shutil
import sys
from pathlib import Path

from iqa.errors import UserError
from iqa.experiments import project_root, read_profile
from iqa.experiments.record import read_summary
from iqa.files import written_whole
from iqa.report.chapters import WRITERS, literature
from iqa.report.chapters.home import write as write_home


def stage(profile_name: str, target: Path) -> None:
    """Write the sources of the book of a profile into `target`, whole or not at all.

    The records of the profile `cpu`, measured on human ratings, are committed, and part of every
    book.

    Raises:
        UserError: a record is missing or damaged.
    """
    root = project_root()
    profile = read_profile(profile_name)
    committed = read_profile("cpu")
    runs = {spec.label: root / profile.folder / spec.label for spec in profile.runs}
    human = {spec.label: root / committed.folder / spec.label for spec in committed.runs}
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
        for spec in committed.runs:
            WRITERS[spec.experiment](human[spec.label], generated / "human" / spec.label)
        literature.write(root / "results/literature/table5.csv", generated / "literature")
        write_home(profile, runs, human, generated / "home")


if __name__ == "__main__":
    try:
        stage(sys.argv[1], Path(sys.argv[2]))
    except UserError as fault:
        sys.exit(f"error: {fault}")
