"""Scores for photographs of any kind, by a model that is ready to use."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iqa.scoring.export import export_onnx
    from iqa.scoring.openers import open_model, shipped_models
    from iqa.scoring.overlays import save_overlay
    from iqa.scoring.scorer import Row, Scorer

__all__ = ["Row", "Scorer", "export_onnx", "open_model", "save_overlay", "shipped_models"]

_HOMES = {
    "Row": "scorer",
    "Scorer": "scorer",
    "export_onnx": "export",
    "open_model": "openers",
    "save_overlay": "overlays",
    "shipped_models": "openers",
}


def __getattr__(name: str) -> Any:
    # What needs torch is imported when it is first used, as in `iqa.backbones`.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
