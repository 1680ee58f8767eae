from pathlib import Path

import nbformat
import pytest
from conftest import make_notebook

from iqa.errors import UserError
from iqa.experiments import parse_assignments, project_root, read_profile
from iqa.experiments.parameters import declared, merged


def test_given_values_replace_the_defaults(tmp_path):
    notebook = make_notebook(tmp_path / "toy.ipynb")
    assert merged(notebook, {"epochs": 5}) == {
        "epochs": 5,
        "rate": 1e-3,
        "heads": ["relu"],
        "record_to": "",
    }


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_listed(tmp_path):
    notebook = make_notebook(tmp_path / "toy.ipynb")
    with pytest.raises(UserError, match=r"'epohcs': choose one of epochs, rate, heads, record_to"):
        merged(notebook, {"epohcs": 5})


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", "many"), ("epochs", 1.5), ("heads", "relu")]
)
def test_a_value_of_another_type_is_refused(tmp_path, name, value):
    notebook = make_notebook(tmp_path / "toy.ipynb")
    with pytest.raises(UserError, match=f"parameter `{name}` is {value!r}, expected"):
        merged(notebook, {name: value})


@pytest.mark.parametrize("value", ["1e-2", 1, 0.01])
def test_a_float_may_be_written_as_yaml_reads_it(tmp_path, value):
    notebook = make_notebook(tmp_path / "toy.ipynb")
    assert merged(notebook, {"rate": value})["rate"] == float(value)


def test_a_notebook_without_the_tag_is_refused(tmp_path):
    notebook = make_notebook(tmp_path / "toy.ipynb", tags=())
    with pytest.raises(UserError, match="0 cells have the tag `parameters`, expected 1"):
        declared(notebook)


@pytest.mark.parametrize(
    ("source", "said"), [("import os", "line 1 .* no assignment"), ("a = open", "plain value")]
)
def test_a_default_must_be_a_plain_value(tmp_path, source, said):
    notebook = make_notebook(tmp_path / "toy.ipynb", parameters=source)
    with pytest.raises(UserError, match=said):
        declared(notebook)


def test_words_without_an_equals_sign_are_refused():
    with pytest.raises(UserError, match="expected key=value"):
        parse_assignments(["epochs"])


@pytest.mark.parametrize("profile", sorted(p.stem for p in Path("profiles").glob("*.yaml")))
def test_every_run_of_every_profile_fits_its_notebook(profile):
    for spec in read_profile(profile).resolved():
        merged(project_root() / f"notebooks/{spec.experiment}.ipynb", spec.parameters)


@pytest.mark.parametrize("path", sorted(Path("notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_notebooks_are_committed_without_outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
