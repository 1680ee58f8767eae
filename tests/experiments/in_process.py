"""A notebook executed in this process: a kernel imports PyTorch again for each."""

import ast
import contextlib
import io
import os
from unittest import mock

import matplotlib.pyplot as plt
import nbformat
from IPython.core.formatters import DisplayFormatter
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from iqa.heads import PRESETS

FORMATTER = DisplayFormatter(active_types=["text/plain", "text/html", "image/png"])


def execute(notebook, work, parameters, failed, progress):
    """In place of `iqa.experiments.driver._execute`, for cells that do not fail."""
    values = parameters | {"record_to": "record"}
    given = parameterize_notebook(load_notebook_node(str(notebook)), values)
    names = {"__name__": "__main__", "display": show}
    # A notebook may add a preset of its own.
    with mock.patch.dict(PRESETS), contextlib.chdir(work), io.StringIO() as said:
        with contextlib.redirect_stdout(said):
            for cell in given.cells:
                if cell.cell_type == "code":
                    run(cell.source, names)
        plt.close("all")
        nbformat.write(given, os.path.join(work, "notebook.ipynb"))


def run(source, names):
    program = ast.parse(source)
    last = program.body.pop() if program.body and isinstance(program.body[-1], ast.Expr) else None
    exec(compile(program, "<cell>", "exec"), names)
    if last is not None:
        show(eval(compile(ast.Expression(last.value), "<cell>", "eval"), names))


def show(*objects):
    for one in objects:
        FORMATTER.format(one)
