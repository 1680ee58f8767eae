"""Disks that are full or read-only, files that cannot be read: one line, nothing half-written."""

import ctypes
import errno
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from campaign import FEATURES, copied, leftovers, one_line, shards
from PIL import Image

from iqa.backbones import load
from iqa.datasets import Split, write_split
from iqa.features.cache import write_shard
from iqa.heads import MLPHead
from iqa.models import ModelInfo, QualityModel, save_model
from iqa.training import TrainedHeads
from iqa.training.resume import Progress, write_progress

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("room", [0, 40, 100])
def test_features_on_a_full_disk_go_on_when_there_is_room(room, iqa, demo, truth, disk):
    place = copied(demo, disk(20_000))
    used = (20_000 << 10) - shutil.disk_usage(place).free
    disk((used >> 10) + room)
    child = iqa(*FEATURES, IQA_CACHE=place)
    assert child.wait() == 1
    assert one_line(child, f"error: {place}/features", "No space left on device; make room")
    assert leftovers(place) == []
    assert shards(place).items() < truth.items()
    disk(20_000)
    assert iqa(*FEATURES, IQA_CACHE=place).wait() == 0
    assert shards(place) == truth


def model():
    body = load("resnet/tiny", weights="none")
    return QualityModel(body, MLPHead.from_preset("relu", 64, 512)).eval()


INFO = ModelInfo(name="m", backbone="resnet/tiny", head="relu", input_size=64, trained_on="-")
MUCH = torch.rand(200_000)
IDS = tuple(f"image {number}" for number in range(40_000))
WRITERS = {
    "a model": lambda path: save_model(path, model(), INFO),
    "heads": lambda path: TrainedHeads((), (), (), MUCH, MUCH + 1, {}, pd.DataFrame()).save(path),
    "progress": lambda path: write_progress(path, Progress(trained={"a": MUCH})),
    "features": lambda path: write_shard(path, IDS, MUCH.numpy().reshape(40_000, 5), {}),
    "a split": lambda path: write_split(path, Split("k", 0, 0, IDS, ("v",), ("t",)), "-"),
}


@pytest.mark.parametrize("what", WRITERS)
def test_what_is_written_on_a_full_disk_is_whole_or_the_old(what, disk):
    target = disk(300) / "deep" / "file.safetensors"
    target.parent.mkdir()
    target.write_text("old")
    with pytest.raises(OSError, match="No space left") as caught:
        WRITERS[what](target)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(target))
    assert os.listdir(target.parent) == [target.name]
    assert target.read_text() == "old"
    disk(20_000)
    WRITERS[what](target)
    assert target.stat().st_size > 300 << 10
    assert leftovers(target.parent) == []


def test_a_read_only_cache_is_read_and_nothing_more(iqa, demo, truth, disk):
    place = copied(demo, disk(20_000))
    disk(20_000, "ro")
    child = iqa(*FEATURES, IQA_CACHE=place)
    assert child.wait() == 1
    assert one_line(child, f"error: {place}", "Read-only file system; choose a place", "IQA_CACHE")
    disk(20_000, "rw")
    assert iqa(*FEATURES, IQA_CACHE=place).wait() == 0
    disk(20_000, "ro")
    again = iqa(*FEATURES, IQA_CACHE=place)
    assert (again.wait(), again.err) == (0, "")


@pytest.fixture
def without_rights():
    """What a process of root's does first that is to be refused what is forbidden."""
    if os.geteuid():
        return ""
    if not hasattr(ctypes.CDLL(None), "capset"):
        pytest.skip("root reads everything, and gives up its rights on Linux alone")
    # The version of the header, and this process; then no right of any of three kinds.
    return """
import ctypes
header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert ctypes.CDLL(None).capset(header, none) == 0
"""


def photographs(folder):
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (70, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "t.csv").write_text("image,mos\n0.png,1\n1.png,2\n2.png,3\n")


@pytest.mark.parametrize(
    ("forbidden", "words"),
    [
        ("1.png", "features csv:t.csv resnet/tiny --weights none"),
        ("1.png", "datasets check csv:t.csv"),
        ("t.csv", "datasets check csv:t.csv"),
        ("sub", "datasets check csv:t.csv?root=sub"),
        ("cache", "features csv:t.csv resnet/tiny --weights none"),
        ("m.safetensors", "score 0.png --model m.safetensors"),
        ("out", "export m.safetensors out/m.onnx"),
    ],
)
def test_what_cannot_be_read_or_written_is_named(forbidden, words, iqa, without_rights, tmp_path):
    photographs(tmp_path)
    for name in ("sub", "out", "cache"):
        (tmp_path / name).mkdir()
    save_model(tmp_path / "m.safetensors", model(), INFO)
    (tmp_path / forbidden).chmod(0)
    before = f"{without_rights}\nos.chdir({str(tmp_path)!r})"
    child = iqa(*words.split(), before=before, IQA_CACHE=tmp_path / "cache")
    assert child.wait() == 1
    (tmp_path / forbidden).chmod(0o755)
    assert "Traceback" not in child.err
    said = [line for line in (child.out + child.err).splitlines() if "denied" in line]
    assert len(said) == 1
    assert forbidden in said[0]
    assert leftovers(tmp_path) == []
