import copy

import pytest
import torch
from torch import nn

from iqa.backbones import add_lora, load, merge_lora

NAMES = ["efficientnet_lite0", "efficientnet_lite0/middle"]


@pytest.fixture(params=NAMES)
def backbone(request):
    return load(request.param, "none")


def images():
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def step(backbone, seed=0):
    """One step that moves whatever is trainable; the statistics of normalisation stand still."""
    torch.manual_seed(seed)
    trainable = [value for value in backbone.parameters() if value.requires_grad]
    optimiser = torch.optim.SGD(trainable, lr=0.1)
    for _ in range(2):  # at the first step B is zero, so A has no gradient
        optimiser.zero_grad()
        backbone(images()).square().mean().backward()
        optimiser.step()
    return backbone


def test_adapters_sit_on_every_pointwise_convolution_and_nothing_else():
    backbone = load("efficientnet_lite0", "none")
    pointwise = {
        name
        for name, module in backbone.body.named_modules()
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1) and module.groups == 1
    }
    add_lora(backbone)
    adapted = {
        name.partition(".lora_A")[0]
        for name, _ in backbone.body.named_parameters()
        if ".lora_A" in name
    }
    assert adapted == pointwise


def test_features_are_at_first_unchanged(backbone):
    with torch.no_grad():
        before = backbone(images())
        torch.testing.assert_close(add_lora(backbone)(images()), before)


def test_a_step_moves_the_adapters_only(backbone):
    add_lora(backbone)
    before = copy.deepcopy(backbone.state_dict())
    step(backbone)
    moved = {name for name, value in backbone.state_dict().items() if (value != before[name]).any()}
    assert moved
    assert moved == {name for name in before if ".lora_" in name}


def test_merged_features_are_the_adapted_ones(backbone):
    names = list(backbone.state_dict())
    step(add_lora(backbone))
    with torch.no_grad():
        adapted = backbone(images())
        merged = merge_lora(backbone)(images())
    assert list(backbone.state_dict()) == names
    torch.testing.assert_close(merged, adapted, atol=1e-5, rtol=1e-4)
    assert all(value.requires_grad for value in backbone.parameters())


def test_adapters_of_a_half_precision_backbone_are_float32(backbone):
    add_lora(backbone.bfloat16())
    kinds = {value.requires_grad: value.dtype for value in backbone.parameters()}
    assert kinds == {True: torch.float32, False: torch.bfloat16}
