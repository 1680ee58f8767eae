"""The parameters of a notebook: what it declares, whether given ones fit, and how text is read."""

import ast
import re
from pathlib import Path
from typing import Any

import yaml

from iqa.backbones import find
from iqa.errors import UserError, unknown


class _Loader(yaml.SafeLoader):
    """YAML in which 1e-4 is a number, as in YAML 1.2 and in Python; PyYAML takes it for text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def read_yaml(text: str) -> Any:
    """`text` as YAML; numbers are read as Python reads them. Raises `yaml.YAMLError`.

    >>> read_yaml("rates: [1e-4, 3e-3]")
    {'rates': [0.0001, 0.003]}
    """
    return yaml.load(text, _Loader)


def declared(notebook: Path) -> dict[str, Any]:
    """Names and defaults of the cell tagged `parameters`, as papermill finds them.

    Raises:
        UserError: no cell has that tag, or a default is no plain value.
    """
    import papermill

    found = {}
    for name, parameter in papermill.inspect_notebook(str(notebook)).items():
        try:
            found[name] = ast.literal_eval(parameter["default"])
        except (ValueError, SyntaxError):
            raise UserError(
                f"{notebook.name}: parameter `{name}` needs a plain value as default"
            ) from None
    if not found:
        raise UserError(
            f"{notebook.name}: no cell with the tag `parameters`; add the tag to the cell with the "
            "defaults"
        )
    return found


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
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if default is None or type(value) is type(default):
        return value
    if value is None and default == "":  # "nothing", as text and as papermill's `-p NAME None`
        return ""
    raise UserError(f"{what} is {value!r}, expected {type(default).__name__} like {default!r}")


def parse_assignments(items: list[str]) -> dict[str, Any]:
    """Read `key=value` words, the value as YAML.

    Raises:
        UserError: a word without `=`.

    >>> parse_assignments(["epochs=3", "heads=[relu, gelu]"])
    {'epochs': 3, 'heads': ['relu', 'gelu']}
    """
    found = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise UserError(f"--set {item!r}: expected key=value, such as epochs=3")
        try:
            found[name] = read_yaml(value)
        except yaml.YAMLError:
            raise UserError(f"--set {item!r}: the value is not valid YAML") from None
    return found
