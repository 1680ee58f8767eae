"""A backbone and a head as one model that scores images, and the file it is kept in."""

from typing import TYPE_CHECKING, Any

from iqa.models.info import ModelInfo, Reference

if TYPE_CHECKING:
    from iqa.models.model_file import load_model, save_model
    from iqa.models.quality import QualityModel

__all__ = ["ModelInfo", "QualityModel", "Reference", "load_model", "save_model"]


def __getattr__(name: str) -> Any:
    # What needs torch is imported when it is first used, as in `iqa.backbones`: to score by a model
    # that was converted before takes no torch.
    if name == "QualityModel":
        from iqa.models.quality import QualityModel

        return QualityModel
    if name in ("load_model", "save_model"):
        from iqa.models import model_file

        return getattr(model_file, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
