"""Files made to break what opens them: each has a row, memory is bounded, no program starts."""

import json
import os
import subprocess
import sys

import pytest
import torch
from hostile_files import write_hostile

from iqa.backbones import load
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, save_model
from iqa.scoring import Scorer, conversions

pytestmark = pytest.mark.slow

SCORE = """
import json, resource, sys

started = []
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn")


def watch(event, about):
    if event in PROGRAMS:
        started.append(f"{event} {about[:1]}")


sys.addaudithook(watch)

from iqa.scoring import Scorer
from iqa.scoring.inputs import Skipped, find_images

model, folder = sys.argv[1:]
skipped = Skipped()
found = Scorer(model).stream(find_images([folder], skipped))
rows = [[row.path, row.score, row.error] for row in found]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"rows": rows, "skipped": str(skipped), "started": started, "peak": peak}))
"""


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    torch.manual_seed(8)
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    network = QualityModel(
        load("efficientnet_lite0/middle", weights="none"), MLPHead.from_preset("relu", 224, 16)
    )
    info = ModelInfo(
        name="m", backbone="efficientnet_lite0/middle", pooling="mean+std", head="relu",
        input_size=128, trained_on="-"
    )  # fmt: skip
    save_model(path, network, info)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversions, "_convert_apart", lambda file: {})
        Scorer(path)  # is converted now, not by the process that is watched
    return path


def test_every_hostile_file_has_a_row_and_memory_is_bounded(model_file, tmp_path):
    folder = tmp_path / "hostile"
    whole = write_hostile(folder)
    done = subprocess.run(
        [sys.executable, "-c", SCORE, str(model_file), str(folder)],
        capture_output=True,
        cwd=tmp_path,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    paths = [path for path, _, _ in found["rows"]]
    scores = {path: score for path, score, _ in found["rows"]}
    there = {
        os.path.join(place, name)
        for place, _, names in os.walk(folder)
        for name in names
        if name != "up" and "/deep" not in place
    }
    assert len(paths) == len(set(paths)) > 280
    assert set(paths) == there
    assert all((score is None) != (error is None) for _, score, error in found["rows"])
    assert [path for path in whole if scores[path] is None] == []
    assert all("\n" not in error for _, _, error in found["rows"] if error)
    assert "1 folder that cannot be read" in found["skipped"]
    assert found["started"] == []
    assert os.listdir(tmp_path) == ["hostile"]
    assert found["peak"] < 1_500_000  # kilobytes
