"""Execute pages: `python -m iqa.report.pages OUT_FOLDER book/NAME.md ...`.

A page is a MyST notebook. Pages are executed by the workflow, not by the site's builder: side by
side, and only when a page, a record or this package changed. Each runs in its own process, forked
from one that has imported what pages use: importing takes longer than most pages. Where a record is
missing, the page says in place of what needs it what is missing and how to make it.
"""

import multiprocessing
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import jupytext
import nbformat
from ipykernel.jsonutil import encode_images, json_clean
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output
from nbformat import NotebookNode

from iqa.errors import UserError
from iqa.files import project_root, written_whole
from iqa.report import charts, claims, demo_photographs, estimands, records, show  # noqa: F401


def execute(page: Path, output: Path) -> None:
    """Execute the MyST notebook `page`, in this process, into the notebook `output`.

    Raises:
        Exception: what a cell raised, unless it was a record that cannot be read.
    """
    notebook = jupytext.read(page)
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    os.chdir(project_root())
    # Not ipykernel's: a kernel a page took as long as the page. `display` finds this instance.
    shell = InteractiveShell.instance()
    shell.display_trap.hook = lambda value: None if value is None else display(value)
    warnings.simplefilter("ignore")  # they name paths of the machine, and tell a reader nothing
    shown, missing = [], set()
    for cell in notebook.cells:
        try:
            if cell.cell_type == "code":
                cell.outputs = _outputs(shell, cell.source)
            shown.append(cell)
        except UserError as fault:
            shown += [] if str(fault) in missing else [_missing(str(fault))]
            missing.add(str(fault))
        except Exception as fault:
            if missing and isinstance(fault, NameError):  # by a cell that was left out
                continue
            fault.add_note(f"in a cell of {page}")
            raise
    notebook.cells = shown
    with written_whole(output) as draft:
        nbformat.write(notebook, draft)


def _outputs(shell: InteractiveShell, source: str) -> list[NotebookNode]:
    """What a cell prints and shows."""
    with capture_output() as captured:
        result = shell.run_cell(source)
    result.raise_error()
    shown = [
        nbformat.v4.new_output(
            "display_data", json_clean(encode_images(one.data)), metadata=one.metadata or {}
        )
        for one in captured.outputs
    ]
    printed = nbformat.v4.new_output("stream", name="stdout", text=captured.stdout)
    return [printed] * bool(captured.stdout) + shown


def _missing(reason: str) -> NotebookNode:
    """Why a part of a page cannot be shown; as code, or a command's -- would become a dash."""
    return nbformat.v4.new_markdown_cell(
        f":::{{warning}}\nA part of this page cannot be shown:\n```text\n{reason}\n```\n"
        "Make the record, then build the site again: `make report`.\n:::"
    )


def main(folder: str, *pages: str) -> None:
    """Execute `pages` side by side into `folder`; the first begins before all others."""
    into = Path(folder).resolve()
    work = [(Path(page).resolve(), into / f"{Path(page).stem}.ipynb") for page in pages]
    forks = multiprocessing.get_context("fork")
    with forks.Pool(1) as alone:
        first = alone.apply_async(execute, work[0])
        with suppress(UserError):  # a page that asks for it says what is wrong
            claims.plan_answers()  # most pages do, and it takes long: the forks inherit it
        with forks.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
            pool.starmap(execute, work[1:], chunksize=1)
        first.get()


if __name__ == "__main__":
    main(*sys.argv[1:])
