"""The parameters of a notebook: what it declares, and whether a given set fits."""

import ast
from pathlib import Path
from typing import Any

import nbformat

from iqa.backbones import find
from iqa.errors import UserError, unknown


def declared(notebook: Path) -> dict[str, Any]:
    """Names and defaults of the cell tagged `parameters`.

    Raises:
        UserError: no cell has that tag, or a default is no plain value.
    """
    tagged = [
        cell.source
        for cell in nbformat.read(notebook, as_version=4).cells
        if "parameters" in cell.metadata.get("tags", [])
    ]
    if len(tagged) != 1:
        raise UserError(
            f"{notebook.name}: {len(tagged)} cells have the tag `parameters`, expected 1; add the "
            "tag to the cell with the defaults"
        )
    found = {}
    for line in ast.parse(tagged[0]).body:
        if not isinstance(line, ast.Assign) or not isinstance(line.targets[0], ast.Name):
            raise UserError(
                f"{notebook.name}: line {line.lineno} of its parameters cell is no assignment"
            )
        try:
            found[line.targets[0].id] = ast.literal_eval(line.value)
        except ValueError:
            raise UserError(
                f"{notebook.name}: parameter `{line.targets[0].id}` needs a plain value as default"
            ) from None
    return found


def merged(notebook: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The declared defaults of `notebook` with `given` in their place; raises as `filled` does."""
    return filled(notebook.name, declared(notebook), given)


def filled(name: str, defaults: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`defaults`, those of the notebook called `name`, with `given` in their place.

    `input_size: null` is the backbone's own, whatever number the notebook declares.

    papermill itself only prints a message for a parameter that a notebook does not declare, and
    goes on with the default: a misspelt parameter would silently change nothing.

    Raises:
        UserError: a parameter is unknown, or its value has another type than the default.
    """
    for key in given:
        if key not in defaults:
            raise unknown(f"parameter of {name}", key, list(defaults))
    values = defaults | given
    if {"input_size", "backbone"} <= values.keys() and values["input_size"] is None:
        values["input_size"] = find(values["backbone"]).input_size
    return {
        key: _like(defaults[key], value, f"{name}: parameter `{key}`")
        for key, value in values.items()
    }


def _like(default: Any, value: Any, what: str) -> Any:
    """`value` if it has the type of `default`; any value where the default is None."""
    if isinstance(default, float) and not isinstance(value, bool):
        try:  # YAML reads 1e-3 as text
            return float(value)
        except (TypeError, ValueError):
            pass
    if default is None or type(value) is type(default):
        return value
    raise UserError(f"{what} is {value!r}, expected {type(default).__name__} like {default!r}")


def parse_assignments(items: list[str]) -> dict[str, Any]:
    """Read `key=value` words, the value as YAML.

    Raises:
        UserError: a word without `=`.

    >>> parse_assignments(["epochs=3", "heads=[relu, gelu]"])
    {'epochs': 3, 'heads': ['relu', 'gelu']}
    """
    import yaml

    found = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise UserError(f"--set {item!r}: expected key=value, such as epochs=3")
        try:
            found[name] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f"--set {item!r}: the value is not valid YAML") from None
    return found
