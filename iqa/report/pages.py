"""Execute one page: `python -m iqa.report.pages book/NAME.md OUT.ipynb`.

A page is a MyST notebook. It is executed by a job of the workflow, not by the site's builder: pages
run side by side, and only when a page, a record or this package changed. Where a record is missing,
the page keeps its title and says in one sentence what is missing and how to make it.
"""

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from iqa.files import project_root, written_whole


def execute(page: Path, output: Path) -> None:
    """Execute the MyST notebook `page` into the notebook `output`.

    Raises:
        CellExecutionError: a cell failed for another reason than a record that cannot be read.
    """
    notebook = jupytext.read(page)
    where = {"metadata": {"path": str(project_root())}}
    try:
        NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources=where,
            # A kernel warns of its plain local TCP connection, which every Jupyter uses.
            extra_arguments=["--log-level=ERROR"],
        ).execute()
    except CellExecutionError as fault:
        if fault.ename != "UserError":
            raise
        notebook = _stub(notebook, fault.evalue)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # Warnings of libraries name paths of the machine, and tell a reader nothing.
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    with written_whole(output) as draft:
        nbformat.write(notebook, draft)


def _stub(notebook: nbformat.NotebookNode, reason: str) -> nbformat.NotebookNode:
    """The title of a page, and why the rest of it cannot be shown."""
    title = notebook.cells[0].source.splitlines()[0]
    note = f"{title}\n\n:::{{warning}}\nThis page cannot be shown: {reason}.\n:::"
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(note)], metadata=notebook.metadata
    )


if __name__ == "__main__":
    execute(Path(sys.argv[1]), Path(sys.argv[2]))
