"""The paper's backbones at their full size, with random weights: sizes, a forward pass, a step."""

import json
import subprocess
import sys

import pandas as pd
import pytest
import timm
import torch

from iqa.backbones import REGISTRY, add_lora, feature_dim, load
from iqa.files import project_root

LITERATURE = project_root() / "results" / "literature" / "parameter_counts.csv"
NAMES = [name for name, spec in REGISTRY.items() if spec.paper]
RANK = 4


def on_bottlenecks():
    """Adapters of a ResNet-152, from its 1 x 1 convolutions: into a block, out of it, past it."""
    count, given = 0, 64
    for width, blocks in ((64, 3), (128, 8), (256, 36), (512, 3)):
        count += RANK * (given + 4 * width)
        for _ in range(blocks):
            count += RANK * ((given + width) + (width + 4 * width))
            given = 4 * width
    return count


def on_queries_and_keys(width, blocks):
    return blocks * 2 * RANK * 2 * width


ADAPTERS = {
    "clip/large-336": on_queries_and_keys(1024, 24),
    "siglip2/so400m-512": 497_664,  # in the files that the paper's authors released
    "dinov2/large": on_queries_and_keys(1024, 24),
    "dinov3/large": on_queries_and_keys(1024, 24),
    "perception/large-336": on_queries_and_keys(1024, 18),
    "resnet152": on_bottlenecks(),
}


def test_each_of_the_papers_backbones_has_a_published_count():
    assert list(pd.read_csv(LITERATURE)["backbone"]) == list(ADAPTERS)
    assert sorted(NAMES) == sorted(ADAPTERS)


def test_the_page_tells_of_each():
    page = (project_root() / "docs" / "backbones.md").read_text()
    assert all(name in page for name in NAMES)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_parameters_that_are_published(name):
    """On PyTorch's meta device, where tensors have shapes only: the model, and what LoRA trains."""
    spec = REGISTRY[name]
    with torch.device("meta"):
        backbone = load(name, "none")
        whole = timm.create_model(spec.model_id) if spec.library == "timm" else backbone
        published = pd.read_csv(LITERATURE).set_index("backbone").loc[name, "millions"]
        assert parameters(whole) / 1e6 == pytest.approx(published, abs=0.0051)  # two decimals
        add_lora(backbone, RANK)
    assert sum(p.numel() for p in backbone.parameters() if p.requires_grad) == ADAPTERS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_learns_at_its_full_size(name):
    command = [sys.executable, "benchmarks/full_size.py", "--one", name]
    done = subprocess.run(command, capture_output=True, check=True, cwd=project_root())
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kept"] <= found["whole"]
    assert found["features"] == [1, feature_dim(REGISTRY[name])]
    assert found["finite"]
    assert found["lora"] == ADAPTERS[name]
    assert found["without_gradient"] == 0
    assert found["features_moved"] > 0
    assert found["frozen_unchanged"]
    assert found["step_gb"] < 12
