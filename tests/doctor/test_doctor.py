"""Each fault is faked, and has to be found with its remedy."""

import os
import shutil
from dataclasses import replace
from importlib import metadata
from types import SimpleNamespace

import huggingface_hub
import psutil
import pytest
import torch
from huggingface_hub import constants
from typer.testing import CliRunner

from iqa import backbones, datasets
from iqa.backbones import catalogue, hub
from iqa.cli import app
from iqa.doctor import Finding, examination, examine, machine, needs
from iqa.experiments import Planned, Profile, RunSpec, read_profile

GB = 10**9


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No network, no data, empty caches."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path), raising=False)
    monkeypatch.setattr(hub, "cached_commit", lambda spec: None)
    monkeypatch.setattr(needs, "cached_commit", lambda spec: None)
    monkeypatch.setenv("IQA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("IQA_DATA", raising=False)


def card(monkeypatch, memory, bfloat16=True):
    """A GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "Acme 1")
    about = SimpleNamespace(total_memory=memory)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: about)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)


def test_a_finding_is_one_line_with_a_mark():
    assert str(Finding("hub", "answers")) == "ok       hub: answers"
    assert str(Finding("hub", "silent", "wait")) == "missing  hub: silent; wait"
    assert str(Finding("hub", "silent", "wait", needed=False)) == "note     hub: silent; wait"


def test_versions_that_fit_are_one_line():
    (finding,) = machine.versions()
    assert finding.mark == "ok"
    assert len(machine.versions(["report"])) == 1


@pytest.mark.parametrize(
    ("version", "said"),
    [("0.9.1", "0.9.1, expected ==1.0.31; run `pip install 'timm==1.0.31'`"), (None, "not inst")],
)
def test_a_package_that_does_not_fit_is_named(version, said, monkeypatch):
    true = metadata.version

    def faked(name):
        if name == "timm" and version is None:
            raise metadata.PackageNotFoundError(name)
        return version if name == "timm" else true(name)

    monkeypatch.setattr(metadata, "version", faked)
    (finding,) = machine.versions()
    assert f"missing  package timm: {said}" in str(finding)


def test_a_gpu_is_missing_only_where_one_is_planned_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert machine.gpu().mark == "note"
    assert "planned for one NVIDIA A100" in str(machine.gpu("NVIDIA A100"))
    assert machine.gpu("NVIDIA A100").mark == "missing"
    card(monkeypatch, 80 * GB)
    assert str(machine.gpu("NVIDIA A100", 7 * GB)) == "ok       GPU: Acme 1, 80 GB"
    card(monkeypatch, 6 * GB)
    assert "at least 7 GB are needed" in str(machine.gpu("NVIDIA A100", 7 * GB))


def test_bfloat16_is_missing_only_where_it_is_asked_for(monkeypatch):
    card(monkeypatch, 80 * GB, bfloat16=False)
    assert machine.precision({"fp32"}).mark == "note"
    assert machine.precision({"fp32", "bf16"}).mark == "missing"
    card(monkeypatch, 80 * GB)
    assert machine.precision({"bf16"}).mark == "ok"


def test_too_little_memory_is_told(monkeypatch):
    have = SimpleNamespace(total=8 * GB, available=2 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: have)
    assert machine.memory().mark == machine.memory(1 * GB).mark == "ok"
    assert "close other programs" in str(machine.memory(4 * GB))
    assert machine.memory(4 * GB).mark == "note"
    assert machine.memory(16 * GB).mark == "missing"


def test_a_full_or_closed_disk_is_told(tmp_path, monkeypatch):
    place = tmp_path / "not" / "made" / "yet"
    assert machine.disk("features", place, "IQA_CACHE").mark == "ok"
    assert not place.exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=GB))
    said = str(machine.disk("features", place, "IQA_CACHE", 2 * GB))
    assert said.startswith("missing  features")
    assert "at least 2.0 GB are needed: make room, or choose a place by IQA_CACHE" in said
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    assert "cannot be written to; choose" in str(machine.disk("features", place, "IQA_CACHE"))


def test_a_hub_that_is_not_reached_is_told(monkeypatch):
    assert "HF_HUB_OFFLINE is set" in str(examination._hub())
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "answers", lambda: False)
    assert "does not answer; weights come from the cache alone" in str(examination._hub())
    monkeypatch.setattr(hub, "answers", lambda: True)
    assert examination._hub().mark == "ok"


def test_weights_that_are_nowhere_have_the_licence_in_their_remedy():
    said = str(examination._weights("dinov3/large", answers=False, needed=True))
    assert said.startswith("missing  weights of dinov3/large: not in the hub's cache; accept the")
    assert examination._weights("dinov2", answers=False, needed=False).mark == "note"


def test_weights_that_the_hub_refuses_or_gives(monkeypatch):
    def refuse(repository):
        raise OSError("403: gated")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "auth_check", refuse)
    said = str(examination._weights("dinov3", answers=True, needed=True))
    assert "cannot be had" in said
    assert "403: gated" in said
    assert "accept the licence" in said
    monkeypatch.setattr(huggingface_hub, "auth_check", lambda repository: None)
    assert "may be downloaded" in str(examination._weights("dinov3", answers=True, needed=True))


def test_weights_in_the_cache_need_no_hub(monkeypatch):
    monkeypatch.setattr(hub, "cached_commit", lambda spec: "0123")
    monkeypatch.setattr("iqa.backbones.weights.cached_commit", lambda spec: "0123")
    assert examination._weights("dinov3", answers=False, needed=True).mark == "ok"


def test_damaged_bundled_weights_are_told(monkeypatch):
    assert examination._weights("efficientnet_lite0", answers=False, needed=True).mark == "ok"
    spoilt = replace(backbones.find("efficientnet_lite0"), sha256="0" * 64)
    monkeypatch.setitem(catalogue.REGISTRY, "efficientnet_lite0", spoilt)
    said = str(examination._weights("efficientnet_lite0", answers=False, needed=True))
    assert "cannot be had" in said
    assert "--force-reinstall" in said


def test_a_data_set_that_is_not_there_is_told_with_how_to_get_it():
    said = str(examination._data("clive", needed=True))
    assert said.startswith("missing  data set clive: IQA_DATA is not set, expected")
    assert "live.ece.utexas.edu" in said
    assert str(examination._data("demo", needed=True)) == "ok       data set demo: made on use"


def profile(**parameters):
    runs = [RunSpec(experiment="regimes", parameters=parameters)]
    chosen = Profile(name="small", title="", folder="", runs=runs)
    return needs.of_profile(chosen, [Planned("regimes", parameters, "")])


def test_needs_follow_from_sizes():
    size = sum(p.numel() for p in backbones.load("resnet/tiny", "none").parameters())
    common = {"dataset": "clive", "backbone": "resnet/tiny", "input_size": 64}
    found = profile(**common, untrained=["clip/tiny"], regimes=["lora"], precision="bf16")
    assert found.datasets == ("clive",)
    assert found.backbones == ("resnet/tiny",)  # what is untrained needs no weights
    assert found.precisions == {"bf16"}
    assert found.memory_bytes == 4 * size
    assert found.feature_bytes == 4 * 1162 * (64 + 24)
    assert found.weight_bytes == 0
    assert profile(**common, regimes=["frozen", "full"]).memory_bytes == 16 * size


def test_weights_to_come_take_room():
    found = profile(dataset="demo", backbone="resnet50", input_size=224)
    assert found.weight_bytes == 4 * 23_508_032  # torchvision's 25,557,032 without the classifier


def test_without_a_profile_nothing_is_needed():
    found = examine()
    assert {finding.mark for finding in found} <= {"ok", "note"}
    told = " ".join(map(str, found))
    assert all(f"data set {name}:" in told for name in datasets.names())
    assert "weights of siglip2/so400m-512:" in told


def test_a_profile_that_runs_has_status_0_and_one_that_cannot_has_1(monkeypatch):
    runner = CliRunner()
    done = runner.invoke(app, ["doctor", "--profile", "demo"])
    assert done.exit_code == 0
    number = len(read_profile("demo").runs)
    assert f"ok       profile demo: {number} of {number} runs" in done.stdout
    done = runner.invoke(app, ["doctor", "--profile", "cpu"])
    assert done.exit_code == 1
    assert "missing  data set clive: IQA_DATA is not set" in done.stdout
    assert "missing  profile cpu: 0 of" in done.stdout
    assert all(line.startswith(("ok ", "note ", "missing ")) for line in done.stdout.splitlines())
