from pathlib import Path

import nbformat
import pytest
from conftest import make_notebook

from iqa.errors import UserError
from iqa.experiments import parse_assignments, read_profile
from iqa.experiments.parameters import declared, filled, read_yaml
from iqa.files import project_root


def merged(notebook, given):
    return filled(notebook.name, declared(notebook), given)


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


@pytest.mark.parametrize("value", [1, 0.01])
def test_a_float_may_be_whole(tmp_path, value):
    notebook = make_notebook(tmp_path / "toy.ipynb")
    assert merged(notebook, {"rate": value})["rate"] == float(value)


def test_a_notebook_without_the_tag_is_refused(tmp_path):
    notebook = make_notebook(tmp_path / "toy.ipynb", tags=())
    with pytest.raises(UserError, match="no cell with the tag `parameters`"):
        declared(notebook)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-4", 1e-4), ("-2.5e3", -2500.0), (".5E+1", 5.0), ("1e", "1e"), ("e4", "e4"), ("3", 3)],
)
def test_numbers_are_read_as_python_reads_them(text, value):
    assert read_yaml(text) == value
    assert parse_assignments([f"rates=[{text}]"]) == {"rates": [value]}


def test_a_default_must_be_a_plain_value(tmp_path):
    notebook = make_notebook(tmp_path / "toy.ipynb", parameters="a = open")
    with pytest.raises(UserError, match="parameter `a` needs a plain value"):
        declared(notebook)


def test_no_folder_for_the_record_may_be_given_as_none(tmp_path):
    notebook = make_notebook(tmp_path / "toy.ipynb")
    assert merged(notebook, {"record_to": None})["record_to"] == ""


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
