"""No-reference image quality assessment with pretrained backbones and learned activations."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iqa.scoring import Scorer

__all__ = ["Scorer"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when it is first used: torch, which it needs, takes seconds.
    if name == "Scorer":
        from iqa.scoring import Scorer

        return Scorer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
