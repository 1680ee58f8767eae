"""How fast images are scored: every engine, extraction and scoring on the same images, one process.

    python benchmarks/throughput.py                        # Lite0 at 384 px, about two minutes
    python benchmarks/throughput.py --input-size 512 --repeats 5

Every figure is the best of `--repeats` runs, taken in turns so that other work on the machine
meets them alike. The engines get decoded images; extraction and scoring get JPEG files of 500 x 500
pixels, as CLIVE's. "largest error" is against PyTorch in its default layout. Parameters are random:
speed does not depend on them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from iqa.backbones import REGISTRY, load
from iqa.features import encode
from iqa.features.engine import Engine, fastest_engine, openvino_engine, torch_engine
from iqa.features.squares import read_ahead
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, save_model
from iqa.scoring import Scorer, export_onnx, open_model

THREADS = os.cpu_count() or 1
CHANNELS_LAST = "PyTorch, channels last"


def untrained_model(backbone: str, input_size: int, folder: Path) -> Path:
    body = load(backbone, weights="none")
    features = body(torch.zeros(1, 3, input_size, input_size)).shape[1]
    about = {"name": "random", "backbone": backbone, "pooling": body.pooling, "head": "relu"}
    info = ModelInfo(**about, input_size=input_size, trained_on="nothing", untrained=True)
    path = folder / "random.safetensors"
    save_model(path, QualityModel(body, MLPHead.from_preset("relu", features)), info)
    return path


def plain_engine(network: torch.nn.Module) -> Engine:
    def run(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            batches = torch.from_numpy(images).permute(0, 3, 1, 2).float().div(255).split(1)
            return torch.cat([network(batch.contiguous()) for batch in batches]).numpy()

    return run


def onnx_engine(path: Path, folder: Path) -> Engine:
    import onnxruntime

    export_onnx(*open_model(path), folder / "model.onnx")
    session = onnxruntime.InferenceSession(folder / "model.onnx")

    def run(images: np.ndarray) -> np.ndarray:
        scaled = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32) / 255
        rows = [session.run(None, {"images": scaled[i : i + 1]})[0] for i in range(len(scaled))]
        return np.concatenate(rows)

    return run


def all_engines(path: Path, input_size: int, folder: Path) -> dict[str, Engine]:
    """Each has a model of its own: `torch_engine` changes the layout of what it is given."""
    engines = {
        "PyTorch, default layout": plain_engine(open_model(path)[0]),
        CHANNELS_LAST: torch_engine(open_model(path)[0]),
        "ONNX Runtime": onnx_engine(path, folder),
        "OpenVINO": openvino_engine(open_model(path)[0], input_size),
    }
    if torch.cuda.is_available():
        engines["PyTorch, CUDA"] = torch_engine(open_model(path)[0], "cuda")
    return engines


def noise_files(count: int, side: int, folder: Path) -> list[str]:
    """JPEG files of smooth noise; they cost about as much to decode as photographs."""
    rng = np.random.default_rng(0)
    paths = [str(folder / f"{number:04d}.jpg") for number in range(count)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8))
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(path, quality=92)
    return paths


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fastest(tasks: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """The best time of each task; they take turns."""
    turns = [{name: seconds(task) for name, task in tasks.items()} for _ in range(repeats)]
    return {name: min(turn[name] for turn in turns) for name in tasks}


def measure(backbone: str, input_size: int, images: int, repeats: int, folder: Path) -> None:
    paths = noise_files(images, 500, folder)

    def ready() -> Iterable[np.ndarray]:
        return read_ahead(paths, input_size, THREADS, 64)

    pixels = np.stack(list(ready()))
    model = untrained_model(backbone, input_size, folder)
    engines = all_engines(model, input_size, folder)
    few = {name: run(pixels[:8]) for name, run in engines.items()}
    encoder, scorer = fastest_engine(open_model(model)[0].backbone, input_size), Scorer(model)
    tasks = {f"model, {name}": lambda run=run: run(pixels) for name, run in engines.items()}
    tasks |= {
        "model, scorer's engine": lambda: scorer._engine(pixels),
        "backbone, extraction's engine": lambda: encoder(pixels),
        "reading and resizing alone": lambda: list(ready()),
        "extraction": lambda: list(encode(paths, encoder, input_size)),
        "scoring": lambda: list(scorer.stream(paths)),
    }
    best = fastest(tasks, repeats)
    table = pd.DataFrame({"images per second": images / pd.Series(best)})
    truth = few["PyTorch, default layout"]
    table["largest error"] = pd.Series(
        {f"model, {name}": np.abs(found - truth).max() for name, found in few.items()}
    )
    print(table.to_string(float_format="{:.3g}".format, na_rep=""))
    bare, plain = best["backbone, extraction's engine"], best[f"model, {CHANNELS_LAST}"]
    print(f"extraction / bare backbone in its engine:  {bare / best['extraction']:.2f}")
    bare = best["model, scorer's engine"]
    print(f"scoring / bare model in its engine:        {bare / best['scoring']:.2f}")
    print(f"scoring / bare model, {CHANNELS_LAST}: {plain / best['scoring']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--backbone", default="efficientnet_lite0", choices=list(REGISTRY))
    parser.add_argument("--input-size", type=int, default=384, help="pixels")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{given.backbone} at {given.input_size} px, {THREADS} cores, {given.images} images")
    with tempfile.TemporaryDirectory() as folder:
        measure(given.backbone, given.input_size, given.images, given.repeats, Path(folder))
    command = [sys.executable, "-c", "from iqa.cli import main; main()", "--help"]
    start = fastest({"help": lambda: subprocess.run(command, capture_output=True)}, given.repeats)
    print(f"start-up of iqa --help: {start['help']:.2f} s")


if __name__ == "__main__":
    main()
