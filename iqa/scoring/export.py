"""A model as an ONNX file, checked against PyTorch before it is put in place."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from iqa.files import written_whole
from iqa.models import ModelInfo
from iqa.scoring.native_scale import NativeScale

# Largest allowed difference to PyTorch, in units of the model's range, high - low.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        any_size: Whether height and width are free; otherwise both are `ModelInfo.input_size`.
        difference: The largest one to PyTorch that was seen, in units of high - low.
    """

    any_size: bool
    difference: float


def export_onnx(model: nn.Module, info: ModelInfo, path: Path) -> Exported:
    """Write `model` to `path` as ONNX.

    The file takes `images`, float32 (N, 3, H, W), RGB in [0, 1], and gives `scores`, float32 (N,),
    on the native scale from `info.low` to `info.high`, higher is better; its metadata say so. N is
    free; H and W are where the network computes the same for other sizes as PyTorch does (a
    convolutional one does), otherwise they are `info.input_size`. Scores are meant at that size:
    resize the whole image to a square, bicubic with antialiasing, its aspect ratio ignored.

    Args:
        model: (N, 3, H, W) to outputs (N,) or (N, 1).
        info: What the model is.
        path: Ends in .onnx.

    Raises:
        RuntimeError: ONNX Runtime's scores differ from PyTorch's by more than 1e-4 of the range;
            nothing is written.
    """
    native = NativeScale(model, info.low, info.high).eval().cpu()
    with written_whole(path) as draft:
        for any_size in (True, False):
            _write(native, info, any_size, draft)
            difference = _difference(native, info, any_size, draft)
            if difference <= TOLERANCE:
                return Exported(any_size, difference)
        draft.unlink()
    raise RuntimeError(
        f"{info.name}: ONNX Runtime and PyTorch differ by {difference:g} of the range"
    )


def _write(native: NativeScale, info: ModelInfo, any_size: bool, draft: Path) -> None:
    import onnx

    axes = {0: "N", 2: "H", 3: "W"} if any_size else {0: "N"}
    # Two images: with one, a network may take the number for a constant.
    example = torch.zeros(2, 3, info.input_size, info.input_size)
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated; the newer one needs one more package.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            native,
            (example,),
            str(draft),
            input_names=["images"],
            output_names=["scores"],
            dynamic_axes={"images": axes, "scores": {0: "N"}},
            dynamo=False,
        )
    file = onnx.load(draft)
    file.doc_string = (
        f"{info.name}{' (untrained)' if info.untrained else ''}: image quality without a reference."
        " images: float32 (N, 3, H, W), RGB in [0, 1], meant to be the whole image resized to "
        f"{info.input_size} x {info.input_size}, bicubic with antialiasing. scores: float32 (N,), "
        f"from {info.low:g} to {info.high:g}, higher is better."
    )
    onnx.helper.set_model_props(file, {key: str(value) for key, value in info.model_dump().items()})
    onnx.save(file, draft)


def _difference(native: NativeScale, info: ModelInfo, any_size: bool, draft: Path) -> float:
    """The largest difference of the file to PyTorch, in units of the range; inf where it fails."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is told below
    session = onnxruntime.InferenceSession(draft, options, providers=["CPUExecutionProvider"])
    generator = torch.Generator().manual_seed(0)
    differences = []
    for shape in _shapes(info.input_size, any_size):
        images = torch.rand(shape, generator=generator)
        try:
            with torch.inference_mode():
                expected = native(images).numpy()
            given = session.run(None, {"images": images.numpy()})[0]
        # A network of fixed size refuses others, in PyTorch or ONNX Runtime, each in its own way.
        except Exception:
            if not any_size:
                raise
            return float("inf")
        if given.shape != expected.shape:
            return float("inf")
        differences.append(np.abs(given - expected).max() / (info.high - info.low))
    return float(np.max(differences))


def _shapes(side: int, any_size: bool) -> list[tuple[int, int, int, int]]:
    shapes = [(1, 3, side, side), (3, 3, side, side)]
    if any_size:
        # Odd sizes and other aspect ratios, where paddings go wrong that were taken for constants.
        shapes += [(1, 3, side + 32, side + 7), (2, 3, side // 2 + 17, side)]
    return shapes
