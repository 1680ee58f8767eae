"""What 8-bit integers would cost and save in scoring: NNCF's quantisation of the shipped model.

    pip install nncf
    IQA_DATA=... python benchmarks/int8.py

Calibrated on 150 training images each of CLIVE and BIQ2021, compared with float32 on 200 test
images of each: rank correlation (SRCC) of both scores, the largest change on the scale of 0 to 100,
and milliseconds of processor time an image. It is not part of iqa because no variant keeps the
order: docs/DESIGN.md has the outcome.
"""

import time
from typing import Any

import nncf
import numpy as np
import openvino
import pandas as pd

from iqa import datasets
from iqa.datasets import SPLITS
from iqa.evaluation import srcc
from iqa.features import read_image
from iqa.features.engine import converted
from iqa.files import project_root
from iqa.models import load_model

MODEL = project_root() / "results" / "models" / "lite0-photographs.safetensors"
MIXED = {"preset": nncf.QuantizationPreset.MIXED}  # signed activations, as of a SiLU or a sum
EXACT = {**MIXED, "fast_bias_correction": False}
VARIANTS: dict[str, dict[str, Any]] = {
    "int8": {},
    "int8, mixed": MIXED,
    "int8, mixed, bias corrected layer by layer": EXACT,
    "... and linear layers in float": {
        **EXACT,
        "ignored_scope": nncf.IgnoredScope(types=["MatMul"]),
    },
    "... and depthwise convolutions in float": {
        **EXACT,
        "ignored_scope": nncf.IgnoredScope(types=["MatMul", "GroupConvolution"]),
    },
}


def pictures(side: str, count: int, size: int) -> list[np.ndarray]:
    """`count` images (1, S, S, 3) of that side of CLIVE's first split and BIQ2021's own, each."""
    found, rng = [], np.random.default_rng(0)
    for name, split in (("clive", "grouped"), ("biq2021", "official_apart")):
        table = datasets.load(name).table
        ids = rng.permutation(sorted(getattr(SPLITS[split](table, 8), side)))[:count]
        paths = table.set_index("id").loc[ids, "path"]
        found += [read_image(path, size)[None] for path in paths]
    return found


def scores(network: Any, images: list[np.ndarray], precision: str) -> tuple[np.ndarray, float]:
    """Scores (N,) from 0 to 100 and milliseconds of processor time an image, on one thread."""
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision}
    request = openvino.Core().compile_model(network, "CPU", settings).create_infer_request()
    request.infer({0: images[0]})
    started = time.process_time()
    found = [float(request.infer({0: image})[0].ravel()[0]) for image in images]
    return 100 * np.array(found), 1000 * (time.process_time() - started) / len(images)


def main() -> None:
    """Print the table."""
    model, info = load_model(MODEL)
    known = nncf.Dataset(pictures("train", 150, info.input_size))
    images = pictures("test", 200, info.input_size)
    network = converted(model.eval(), info.input_size)
    exact, ms = scores(network, images, "f32")
    rows: list[dict[str, Any]] = [{"numbers": "float32", "ms": ms}]
    cases = {"bfloat16": (network, "bf16")} | {
        name: (nncf.quantize(network, known, subset_size=300, **settings), "f32")
        for name, settings in VARIANTS.items()
    }
    for name, (changed, precision) in cases.items():
        found, ms = scores(changed, images, precision)
        row = {"numbers": name, "ms": ms, "rank correlation": srcc(found, exact)}
        rows.append(row | {"largest change": np.abs(found - exact).max()})
    print(pd.DataFrame(rows).round(4).to_string(index=False))


if __name__ == "__main__":
    main()
