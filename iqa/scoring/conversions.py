"""The engine of a model by its name: converted once, kept in the cache, used without PyTorch.

PyTorch takes seconds to import, and so do the conversion and the library that a backbone is from.
OpenVINO reads its own form of a model in a fraction of one.
"""

import ctypes
import importlib.util
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from iqa.errors import UserError
from iqa.features.openvino_cpu import Engine, Precision, compiled_engine, import_openvino
from iqa.files import cache_root, fingerprint, written_whole
from iqa.models import ModelInfo
from iqa.scoring.openers import model_file, open_model

Converted = tuple[Any, ModelInfo]
"""OpenVINO's model of uint8 (1, S, S, 3) to a score (1,), and what it is."""

Parts = dict[str, bytes]
"""The contents of the files in which a conversion is kept, by their names."""

# What a conversion depends on beside the model's file.
_PACKAGES = ("openvino", "torch", "timm", "transformers", "open_clip_torch")
_CODE = ("backbones", "features", "heads", "models", "scoring")


def open_engine(name: str | Path | None, precision: Precision) -> tuple[Engine, ModelInfo]:
    """The engine that scores by the model `name`, and what the model is.

    Args:
        name: as `open_model` takes it.
        precision: of the engine.

    Raises:
        UserError: as `open_model`, or this machine has no engine of that precision.
    """
    file = model_file(name)
    if file is not None and _openvino_runs():
        model, info = converted(file)
        return compiled_engine(model, precision), info
    from iqa.features.engine import fastest_engine
    from iqa.scoring.native_scale import NativeScale

    network, info = open_model(name)
    native = NativeScale(network, info.low, info.high)
    return fastest_engine(native, info.input_size, precision), info


def _openvino_runs() -> bool:
    """Whether `fastest_engine` takes OpenVINO; PyTorch is asked only where there may be a GPU."""
    if importlib.util.find_spec("openvino") is None:
        return False
    for driver in ("libcuda.so.1", "nvcuda.dll", "libamdhip64.so"):
        with suppress(OSError):
            ctypes.CDLL(driver)
            import torch

            return not torch.cuda.is_available()
    return True


def converted(file: Path) -> Converted:
    """The model in `file` in OpenVINO's form, from the cache if it is there and whole.

    Raises:
        UserError: as `iqa.models.load_model`.
    """
    try:
        key = _key(file)
        folder = cache_root() / "converted" / key
    except OSError as error:
        raise UserError(f"model {file}: {error.strerror}; check the path") from None
    with suppress(OSError, ValueError, RuntimeError):  # none was kept, or it is damaged
        return _read(folder)
    parts = _convert_apart(file) or _convert(file)
    found = _opened(parts)
    with suppress(OSError):  # a cache that cannot be written to costs time alone
        if _key(file) == key:  # else another file took its place meanwhile
            _write(folder, parts)
    return found


_CHILD = "import sys; from iqa.scoring.conversions import convert_into; convert_into(*sys.argv[1:])"


def _convert_apart(file: Path) -> Parts:
    """As `_convert`, by a process that ends: PyTorch would keep most of a gigabyte of this one.

    Returns:
        Nothing, where that process fails.
    """
    if not Path(sys.executable).name.startswith("python"):  # this interpreter is part of a program
        return {}
    with tempfile.TemporaryDirectory() as folder, suppress(OSError):
        child = subprocess.run(
            [sys.executable, "-P", "-c", _CHILD, str(file), folder],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        # What was killed may have left half of it.
        return _read_parts(Path(folder)) if child.returncode == 0 else {}
    return {}


def convert_into(file: str, folder: str) -> None:
    """Convert the model in `file` into files in `folder`."""
    for name, content in _convert(Path(file)).items():
        Path(folder, name).write_bytes(content)


def _convert(file: Path) -> Parts:
    from iqa.features.engine import converted as convert
    from iqa.models import load_model
    from iqa.scoring.native_scale import NativeScale

    network, info = load_model(file)
    model = convert(NativeScale(network, info.low, info.high), info.input_size)
    with tempfile.TemporaryDirectory() as folder:
        import_openvino().save_model(model, Path(folder, "model.xml"), compress_to_fp16=False)
        Path(folder, "info.json").write_text(info.model_dump_json())
        return _read_parts(Path(folder))


def _read_parts(folder: Path) -> Parts:
    return {name: (folder / name).read_bytes() for name in ("info.json", "model.xml", "model.bin")}


def _opened(parts: Parts) -> Converted:
    # Also what was just converted goes by its files: before, scores differ in their last bit.
    model = import_openvino().Core().read_model(parts["model.xml"], parts["model.bin"])
    return model, ModelInfo.model_validate_json(parts["info.json"])


def _key(file: Path) -> str:
    """Fingerprint of the model's file, the code that converts it, and the libraries'."""
    package = Path(__file__).parents[1]
    code = [path.read_bytes() for part in _CODE for path in sorted((package / part).rglob("*.py"))]
    return fingerprint(file.read_bytes(), *map(version, _PACKAGES), *code)


def _read(folder: Path) -> Converted:
    """What `_write` kept.

    Raises:
        OSError, ValueError: it is not there, or is damaged.
    """
    parts = _read_parts(folder)
    if (folder / "checksum").read_text() != fingerprint(*parts.values()):
        raise ValueError("damaged")
    return _opened(parts)


def _write(folder: Path, parts: Parts) -> None:
    with written_whole(folder) as draft:
        draft.mkdir()
        for name, content in parts.items():
            (draft / name).write_bytes(content)
        (draft / "checksum").write_text(fingerprint(*parts.values()))
