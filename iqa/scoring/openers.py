"""From the name of a model to the model."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from iqa.errors import UserError, unknown
from iqa.files import project_root
from iqa.models import ModelInfo

if TYPE_CHECKING:
    from torch import nn

# Images (N, 3, H, W), RGB in [0, 1], to outputs (N,) or (N, 1); and what the model is.
Opened = tuple["nn.Module", ModelInfo]


def _zero_shot(spec: str) -> Opened:
    from iqa.scoring.zero_shot import open_zero_shot

    return open_zero_shot(spec)


def _authors(folder: str) -> Opened:
    from iqa.scoring.authors import open_authors

    return open_authors(folder)


OPENERS: dict[str, Callable[[str], Opened]] = {"zero-shot": _zero_shot, "authors": _authors}
"""What stands before the colon of a model's name, and what opens the rest."""


DEFAULT = "lite0-photographs"
"""The shipped model that scores where none is named."""


def shipped_models() -> dict[str, Path]:
    """The models that come with the project, by name: the files in `results/models`."""
    files = sorted((project_root() / "results" / "models").glob("*.safetensors"))
    return {file.stem: file for file in files}


def model_file(name: str | Path | None = None) -> Path | None:
    """The file of the model `name`, as `open_model` takes it; None where a prefix opens it.

    Raises:
        UserError: There is no such model. Whether there is such a file is for its reader to say.
    """
    shipped = shipped_models()
    if name is None:
        if DEFAULT not in shipped:
            raise UserError(
                f"no model {DEFAULT} comes with this installation (in results/models): run iqa in "
                "a checkout of the project, or name a model"
            )
        return shipped[DEFAULT]
    prefix, colon, _ = str(name).partition(":")
    if colon and prefix in OPENERS:
        return None
    if str(name).endswith(".safetensors"):
        return Path(name)
    if name not in shipped:
        ways = ["PATH.safetensors", *(f"{known}:..." for known in OPENERS)]
        raise unknown("model", str(name), [*shipped, *ways])
    return shipped[str(name)]


def open_model(name: str | Path | None = None) -> Opened:
    """Open the model `name`, in evaluation mode, on the CPU.

    Args:
        name: of a shipped model, the path of a .safetensors file that `iqa.models.save_model`
            wrote, `zero-shot:MODEL`, or `authors:FOLDER`; None takes `DEFAULT`.

    Raises:
        UserError: There is no such model, or it cannot be read.
    """
    file = model_file(name)
    if file is None:
        prefix, _, rest = str(name).partition(":")
        return OPENERS[prefix](rest)
    from iqa.models import load_model

    return load_model(file)
