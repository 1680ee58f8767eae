"""What a run depends on, as one fingerprint: its notebook, parameters, data, and code.

Code counts as far as the notebook reaches it: the modules that it imports, directly or not. Of
modules and of a notebook's code cells the syntax tree counts, without docstrings: comments, format
and prose change no key. Some modules do not count, because they change no record: charts
(`iqa.report`), the words of errors (`iqa.errors`), how files are written (`iqa.files`) and this
one. And what reads a data set changes a record only through the images, scores and contents that it
reads, which are in the key themselves: so a new data set makes no old record out of date.
"""

import ast
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from iqa import datasets
from iqa.datasets import csv_table
from iqa.files import fingerprint

_NO_INFLUENCE = ("iqa.report", "iqa.cli", "iqa.errors", "iqa.files", "iqa.experiments.keys")
_COUNTED = ("folds", "manifest", "photographs", "pseudo_mos", "splits", "subsets")
"""The modules of `iqa.datasets` that do more than read."""


def run_key(notebook: Path, parameters: dict[str, Any]) -> str:
    """Fingerprint of all that a run depends on.

    Raises:
        UserError: a data set among the parameters is not there.
    """
    loaded = [datasets.load(name) for name in datasets_in(parameters)]
    data = [fingerprint(data.fingerprint, *data.table["group"], *_spread(data)) for data in loaded]
    return fingerprint(code_key(notebook), repr(sorted(parameters.items())), *data)


def _spread(data: datasets.Dataset) -> tuple[str, ...]:
    """What a ceiling depends on; the fingerprint of a data set is without it."""
    if "deviation" not in data.table:
        return ()
    return repr(data.info.ratings), repr(data.table["deviation"].tolist())


def code_key(notebook: Path) -> str:
    """Fingerprint of a notebook's code and of the package's modules that it reaches."""
    cells = code_of(notebook)
    return fingerprint(syntax(cells), *_code(imports_of(ast.parse(cells))))


def modules_key(*names: str) -> str:
    """Fingerprint of modules of the package and of those that they reach."""
    return fingerprint(*_code(names))


def _code(names: Iterable[str]) -> list[str]:
    return [f"{name} {_syntax_of(name)}" for name in modules_reached(names)]


def code_of(notebook: Path) -> str:
    """The code cells of a notebook as one program, without lines of IPython's own (`%`, `!`)."""
    # As JSON: nbformat takes seconds to import, to validate what we wrote ourselves.
    cells = json.loads(notebook.read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = "\n".join(code).splitlines()
    return "\n".join(line for line in lines if not line.startswith(("%", "!")))


def imports_of(program: ast.Module) -> list[str]:
    """The modules of the package that a program imports by name, sorted."""
    found: set[str] = set()
    for node in ast.walk(program):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from iqa.heads import mlp` is a module, `from iqa.heads import MLPHead` is not.
            inner = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in _graph().modules else node.module for name in inner}
    return sorted(name for name in found if name.split(".")[0] == "iqa")


def modules_reached(names: Iterable[str]) -> list[str]:
    """Those of `names` that count, and what they import, directly or not; sorted."""
    found: set[str] = set()
    for name in filter(_counts, names):
        found |= {name, *_graph().find_upstream_modules(name)}
    return sorted(filter(_counts, found))


def _counts(module: str) -> bool:
    if module.startswith("iqa.datasets"):
        return module.rpartition(".")[2] in _COUNTED
    return not module.startswith(_NO_INFLUENCE)


@cache
def _graph() -> Any:
    import grimp

    return grimp.build_graph("iqa", cache_dir=None)


@cache
def _syntax_of(module: str) -> str:
    path = Path(__file__).parents[2].joinpath(*module.split("."))
    return syntax((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text())


def syntax(program: str) -> str:
    """The syntax tree of `program` as text, without docstrings, comments and format."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def datasets_in(values: Any) -> list[str]:
    """The data sets that parameters name, at any depth, in their order, each once.

    >>> datasets_in({"dataset": "clive", "others": ["agiqa3k", "clive"], "head": "relu"})
    ['clive', 'agiqa3k']
    """
    known = datasets.names()
    found = (s for s in strings_in(values) if s in known or s.startswith(csv_table.PREFIX))
    return list(dict.fromkeys(found))


def strings_in(value: Any) -> Iterable[str]:
    """Every text in a parameter, whatever it is nested in."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from strings_in(part)
    elif isinstance(value, str):
        yield value
