import importlib.util
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from iqa.backbones import load
from iqa.features import engine

SIZE = 64


@pytest.fixture(scope="module", params=["mean", "mean+std"])
def backbone(request):
    return load("efficientnet_lite0", pooling=request.param)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)


ENGINES = {
    "openvino": lambda backbone: engine.openvino_engine(backbone, SIZE),
    "torch": engine.torch_engine,
}


@pytest.fixture(params=ENGINES)
def run(request, backbone):
    return ENGINES[request.param](backbone)


def test_agrees_with_the_plain_module(run, backbone, images):
    with torch.inference_mode():
        expected = backbone(torch.from_numpy(images).permute(0, 3, 1, 2) / 255).numpy()
    given = run(images)
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=2e-5)


def test_a_feature_does_not_depend_on_its_batch(run, images):
    alone = np.concatenate([run(images[row : row + 1]) for row in range(len(images))])
    reversed_batch = run(np.ascontiguousarray(images[::-1]))[::-1]
    np.testing.assert_allclose(run(images), alone, rtol=0, atol=1e-5)
    np.testing.assert_allclose(reversed_batch, alone, rtol=0, atol=1e-5)


class Corner(torch.nn.Module):
    """The first pixel of each image times 255: tells images apart."""

    def forward(self, images):
        return 255 * images[:, :, 0, 0]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_more_and_fewer_images_than_requests_come_out_in_order(count):
    run = engine.openvino_engine(Corner(), 32)
    for start in (0, 100):  # requests are used again by the next call
        images = np.zeros((count, 32, 32, 3), np.uint8)
        images[:, 0, 0] = start + np.arange(count)[:, None] + [0, 1, 2]
        np.testing.assert_allclose(run(images), images[:, 0, 0], atol=1e-3)


MANY_ENGINES = """
import threading
import numpy as np
import torch
from iqa.features.engine import openvino_engine

images = np.zeros((9, 32, 32, 3), np.uint8)

def make_and_free():
    for _ in range(15):
        openvino_engine(torch.nn.Conv2d(3, 4, 3), 32)(images)

threads = [threading.Thread(target=make_and_free) for _ in range(3)]
for thread in threads:
    thread.start()
make_and_free()
for thread in threads:
    thread.join()
print("done")
"""


class Interrupted(torch.nn.Module):
    """A network whose forward pass is interrupted, and says whether it went on."""

    went_on = False

    def forward(self, images):
        signal.raise_signal(signal.SIGINT)
        self.went_on = True
        return images.mean((1, 2, 3))


def test_a_signal_waits_for_the_conversion():
    network, before = Interrupted(), signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        engine.converted(network, SIZE)
    assert network.went_on
    assert signal.getsignal(signal.SIGINT) is before


def test_engines_that_are_freed_after_use_do_not_hang():
    """In a process of its own, which can be ended; here and in threads, while others compute."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_ENGINES],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr


def test_without_openvino_torch_takes_over_with_a_notice(monkeypatch, images):
    small = load("efficientnet_lite0", "none")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="pip install openvino"):
        run = engine.fastest_engine(small, SIZE)
    assert run(images).shape == (5, 1280)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_agrees_with_cpu(backbone, images):
    expected = engine.openvino_engine(backbone.cpu(), SIZE)(images)
    given = engine.torch_engine(backbone, "cuda")(images)
    backbone.cpu()
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=2e-5)
