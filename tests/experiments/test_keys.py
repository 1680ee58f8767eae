"""A run is made again when what it depends on changed, and only then."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import make_notebook

from iqa import datasets
from iqa.experiments.keys import code_key, modules_reached, run_key, syntax
from iqa.files import project_root

WORK = """from iqa.evaluation import srcc
from iqa.heads import learnable_gate
value = srcc([1, 2], [2, 1])
"""
# Asked again after each change: a new process would import the package again for each key.
ANSWERS = """
import sys
from pathlib import Path
from iqa.experiments import keys
for line in sys.stdin:
    keys._graph.cache_clear()
    keys._syntax_of.cache_clear()
    print(keys.code_key(Path(line.strip())), flush=True)
"""


@pytest.fixture
def notebook(tmp_path):
    return make_notebook(tmp_path / "toy.ipynb", work=WORK)


@pytest.fixture
def package(tmp_path):
    """A copy of the package that can be edited."""
    shutil.copytree(project_root() / "iqa", tmp_path / "tree/iqa")
    return tmp_path / "tree/iqa"


@pytest.fixture
def key(package, notebook):
    """The notebook's key as it is now, in the copy of the package."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", ANSWERS]
    with subprocess.Popen(command, cwd=package.parent, **pipes) as process:

        def ask():
            process.stdin.write(f"{notebook}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            assert answer
            return answer

        yield ask


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_code_that_the_notebook_reaches_counts_and_other_code_does_not(package, key):
    before = key()
    edit(package / "training/frozen.py", "fused=True", "fused=False")
    edit(package / "report/__init__.py", '"""', '"""More. ')
    edit(package / "datasets/benchmarks.py", "CLIVE =", "CLIVE = 1\nCLIVE =")  # only reads data
    (package / "report/new.py").write_text("x = 1\n")
    edit(package / "files.py", "glob(", "rglob(")  # how a record is written, not what is in it
    edit(package / "experiments/keys.py", "_COUNTED =", "_COUNTED = 1\n_COUNTED =")
    assert key() == before
    edit(package / "heads/activations.py", "CLAMP = 20.0", "CLAMP = 30.0")  # reached by the gate
    assert key() != before


def test_docstrings_comments_and_format_change_no_key(package, key):
    before = key()
    metrics = package / "evaluation/metrics.py"
    edit(metrics, '"""Spearman', '"""In other words: Spearman')
    edit(metrics, "import warnings", "# why\n\n\nimport warnings")
    edit(metrics, "def krcc(preds: ArrayLike, target", "def krcc(\n    preds: ArrayLike, target")
    assert key() == before


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda work: work + "  # a comment", True),
        (lambda work: "%matplotlib inline\n" + work, True),
        (lambda work: work.replace("[2, 1]", "[1, 2]"), False),
        (lambda work: work + "\nimport iqa.explain", False),
    ],
)
def test_the_notebooks_own_code_counts(tmp_path, notebook, change, same):
    other = make_notebook(tmp_path / "other.ipynb", work=change(WORK))
    assert (code_key(other) == code_key(notebook)) == same


def test_parameters_and_data_count(notebook):
    one = run_key(notebook, {"epochs": 3, "dataset": "demo_mini"})
    assert run_key(notebook, {"dataset": "demo_mini", "epochs": 3}) == one
    assert run_key(notebook, {"epochs": 4, "dataset": "demo_mini"}) != one
    assert run_key(notebook, {"epochs": 3}) != one


def test_a_data_sets_contents_and_the_spread_of_its_ratings_count(notebook, monkeypatch):
    whole = datasets.load("demo_mini")

    def key(info=whole.info, **columns):
        given = replace(whole, info=info, table=whole.table.assign(**columns))
        monkeypatch.setattr(datasets, "load", lambda name: given)
        return run_key(notebook, {"dataset": "demo_mini"})

    deviations = np.linspace(0.5, 1.5, len(whole.table))
    kinds = [
        key(),
        key(group=whole.table["id"]),
        key(deviation=deviations),
        key(deviation=2 * deviations),
        key(replace(whole.info, ratings=21), deviation=deviations),
    ]
    assert len(set(kinds)) == len(kinds)
    assert key() == kinds[0]


@pytest.mark.parametrize("path", sorted(Path("notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_no_notebook_depends_on_charts_or_on_how_it_is_run(path):
    from iqa.experiments import keys

    reached = modules_reached(keys.imports_of(keys.ast.parse(keys.code_of(path))))
    assert "iqa.images.reading" in reached
    besides = ("iqa.report", "iqa.cli", "iqa.experiments.driver", "iqa.experiments.planning")
    assert not [name for name in reached if name.startswith(besides)]


def test_the_syntax_tree_has_no_docstrings():
    assert syntax('def f(x):\n    "Doc."\n    return x  # why') == syntax("def f(x): return x")
    assert syntax("class A:\n    'Doc.'") == syntax("class A: pass")
    assert syntax("x = 'text'") != syntax("x = 'other'")
