"""How fast features are computed: every engine on the same images, and the whole extraction.

    python benchmarks/throughput.py                       # Lite0 at 512 px, about a minute
    python benchmarks/throughput.py --input-size 224 --repeats 5

Every figure is the best of `--repeats` runs, taken in turns so that other work on the machine
meets them alike. "largest error" is against PyTorch in its default layout. ONNX Runtime is
measured where `onnxruntime` and `onnx` are installed; nothing else here uses them.
"""

import argparse
import importlib.util
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from PIL import Image

from iqa.backbones import REGISTRY, Backbone, load
from iqa.features import extract
from iqa.features.engine import Engine, openvino_engine, torch_engine
from iqa.features.images import read_ahead


def plain_engine(backbone: Backbone) -> Engine:
    def run(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            batches = torch.from_numpy(images).permute(0, 3, 1, 2).float().div(255).split(1)
            return torch.cat([backbone(batch.contiguous()) for batch in batches]).numpy()

    return run


def onnx_engine(backbone: Backbone, input_size: int, folder: Path) -> Engine:
    import onnxruntime

    path = folder / "backbone.onnx"
    example = torch.zeros(1, 3, input_size, input_size)
    # The older exporter: the newer one needs a package that is not installed here.
    torch.onnx.export(backbone, (example,), str(path), input_names=["images"], dynamo=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(images: np.ndarray) -> np.ndarray:
        scaled = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32) / 255
        rows = [session.run(None, {"images": scaled[i : i + 1]})[0] for i in range(len(scaled))]
        return np.concatenate(rows)

    return run


def all_engines(backbone: Backbone, input_size: int, folder: Path) -> dict[str, Engine]:
    plain = plain_engine(load(backbone.spec.name))
    engines = {"PyTorch, default layout": plain}
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        engines["ONNX Runtime"] = onnx_engine(load(backbone.spec.name), input_size, folder)
    if importlib.util.find_spec("openvino"):
        engines["OpenVINO"] = openvino_engine(load(backbone.spec.name), input_size)
    engines["PyTorch, channels last"] = torch_engine(backbone)
    if torch.cuda.is_available():
        engines["PyTorch, CUDA"] = torch_engine(load(backbone.spec.name), "cuda")
    return engines


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def noise_files(count: int, side: int, folder: Path) -> list[str]:
    """JPEG files of smooth noise; they cost about as much to decode as photographs."""
    rng = np.random.default_rng(0)
    paths = [str(folder / f"{number:04d}.jpg") for number in range(count)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8))
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(path, quality=92)
    return paths


def measure(name: str, input_size: int, images: int, repeats: int, folder: Path) -> pd.DataFrame:
    paths = noise_files(images, 500, folder)
    pixels = np.stack(list(read_ahead(paths[:16], input_size, threads=2, ahead=4)))
    engines = all_engines(load(name), input_size, folder)
    features = {engine: run(pixels) for engine, run in engines.items()}
    table = pd.DataFrame({"path": paths, "id": paths})

    def whole(turn: int) -> None:
        extract(SimpleNamespace(table=table, fingerprint=str(turn)), name, input_size)

    best = dict.fromkeys(engines, float("inf"))
    decoding = extraction = float("inf")
    for turn in range(repeats):
        for engine, run in engines.items():
            best[engine] = min(best[engine], seconds(lambda run=run: run(pixels)))
        ahead = read_ahead(paths, input_size, threads=os.cpu_count() or 1, ahead=64)
        decoding = min(decoding, seconds(lambda ahead=ahead: list(ahead)))
        extraction = min(extraction, seconds(lambda turn=turn: whole(turn)))
    truth = features["PyTorch, default layout"]
    rows = [
        (engine, len(pixels) / best[engine], np.abs(features[engine] - truth).max())
        for engine in engines
    ]
    rows.append(("reading and resizing alone", images / decoding, np.nan))
    rows.append(("whole extraction, with loading the model", images / extraction, np.nan))
    return pd.DataFrame(rows, columns=["what", "images per second", "largest error"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--backbone", default="efficientnet_lite0", choices=list(REGISTRY))
    parser.add_argument("--input-size", type=int, default=512, help="pixels")
    parser.add_argument("--images", type=int, default=200, help="in the whole extraction")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IQA_CACHE"] = folder
        found = measure(given.backbone, given.input_size, given.images, given.repeats, Path(folder))
    print(f"{given.backbone} at {given.input_size} px, {os.cpu_count()} cores")
    print(found.to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
