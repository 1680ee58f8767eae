"""Loading from the hub, with a cache that is made here and no network."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import httpx2
import huggingface_hub.constants
import pytest
import timm
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

from iqa import backbones
from iqa.backbones import catalogue
from iqa.backbones.hub import hub_or_cache
from iqa.errors import UserError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TINY = [name for name, spec in backbones.REGISTRY.items() if spec.source == "none"]


@pytest.fixture(autouse=True)
def hub(tmp_path, monkeypatch):
    """An empty cache without a network; gives the folder that repositories are put into."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for module in [m for name, m in sys.modules.items() if name.startswith("huggingface_hub")]:
        if isinstance(getattr(module, "HF_HUB_CACHE", None), str):
            monkeypatch.setattr(module, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def snapshot(hub, repository):
    """The folder of the repository's one commit, registered as a download leaves it."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    return folder / "snapshots" / COMMIT


def published(hub, name, monkeypatch):
    """The catalogue's `name`, a miniature, as if it were on the hub; its random model, cached."""
    spec = replace(backbones.find(name), source="hub", hub_id=f"acme/{name.replace('/', '-')}")
    monkeypatch.setitem(catalogue.REGISTRY, name, spec)
    folder = snapshot(hub, spec.hub_id)
    if spec.library == "transformers":
        whole_model(spec).save_pretrained(folder)
    else:
        folder.mkdir(parents=True)
        model = timm.create_model(spec.model_id, pretrained=False, **spec.options)
        save_file(model.state_dict(), folder / "model.safetensors")
        (folder / "config.json").write_text("{}")
    return spec, folder


def whole_model(spec):
    """What is published: of CLIP and SigLIP2 the towers of images and of texts."""
    torch.manual_seed(5)
    kind = getattr(transformers, spec.model_id)
    text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 9}
    text |= {"projection_dim": spec.own_dim, "bos_token_id": 1, "eos_token_id": 2}
    vision = dict(spec.options)
    if spec.family == "clip":
        parts = {"text_config": text, "vision_config": vision, "projection_dim": spec.own_dim}
        return transformers.CLIPModel(transformers.CLIPConfig(**parts))
    if spec.family == "siglip2":
        parts = {"text_config": text, "vision_config": vision}
        return transformers.SiglipModel(transformers.SiglipConfig(**parts))
    return kind(kind.config_class(**vision))


@pytest.mark.parametrize("name", TINY)
def test_what_is_cached_is_loaded_and_identified_by_its_commit(name, hub, monkeypatch):
    spec, folder = published(hub, name, monkeypatch)
    backbone = backbones.load(name)
    assert not backbone.untrained
    assert backbones.weights_id(name, "pretrained") == COMMIT
    assert backbones.weights_source(name, "pretrained") == f"{spec.hub_id}@{COMMIT}"
    assert backbones.whereabouts(spec) == "here"
    backbones.check_weights(name)
    stored = load_file(folder / "model.safetensors")
    mine = [value for value in backbone.body.parameters() if value.ndim > 1]
    theirs = [value for value in stored.values() if value.ndim > 1]
    rows = [part for value in theirs for part in (value, *value.chunk(3))]
    for value in mine:  # each is a stored tensor, or a third of one where q, k, v are fused
        assert any(value.shape == row.shape and torch.equal(value, row) for row in rows)


@pytest.mark.parametrize("name", TINY)
def test_weights_that_lack_a_parameter_are_refused(name, hub, monkeypatch):
    spec, folder = published(hub, name, monkeypatch)
    file = folder / "model.safetensors"
    state = load_file(file)
    cut = [key for key in state if "text" not in key and key.endswith("weight")]
    state.pop(cut[0])
    save_file(state, file, metadata={"format": "pt"})
    with pytest.raises(UserError, match=rf"{spec.hub_id} do not fit.*--force-download"):
        backbones.load(name)


@pytest.mark.parametrize("name", ["clip/tiny", "dinov3/tiny", "perception/tiny"])
def test_damaged_weights_are_refused(name, hub, monkeypatch):
    _, folder = published(hub, name, monkeypatch)
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(UserError, match=r"do not fit|cannot be downloaded"):
        backbones.load(name)


def test_another_architecture_is_refused(hub, monkeypatch):
    """Of the same shapes, so that only the configuration tells."""
    _, folder = published(hub, "dinov2/tiny", monkeypatch)
    file = folder / "config.json"
    config = json.loads(file.read_text()) | {"hidden_act": "relu"}
    file.write_text(json.dumps(config))
    with pytest.raises(UserError, match="hidden_act is relu, expected gelu"):
        backbones.load("dinov2/tiny")


@pytest.mark.parametrize("name", [n for n, s in backbones.REGISTRY.items() if s.source == "hub"])
def test_without_network_and_cache_the_remedy_is_told(name, hub):
    spec = backbones.find(name)
    with pytest.raises(UserError) as caught:
        backbones.load(name)
    said = str(caught.value)
    assert "\n" not in said
    for word in (name, spec.hub_id, str(hub), "HF_HUB_OFFLINE", f"hf download {spec.hub_id}"):
        assert word in said
    assert ("accept the licence" in said) == spec.gated
    assert backbones.whereabouts(spec) == "on the hub"


def response(status, code=None):
    request = httpx2.Request("GET", "https://hub.test/api")
    headers = {"X-Error-Code": code} if code else {}
    return httpx2.Response(status, headers=headers, request=request)


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("dinov3", response(403, "GatedRepo"), "accept the licence at .*dinov3-vitb16.*hf auth"),
        ("dinov2", response(401, "RepoNotFound"), "cannot be downloaded.*hf download"),
        ("dinov2", response(500), "cannot be downloaded.*hf download"),
        ("dinov2", httpx2.ConnectError("no route"), "does not answer: no route.*hf download"),
        ("dinov2", response(200), None),
    ],
)
def test_whether_the_hub_gives_weights_is_asked_without_a_download(name, answer, said, monkeypatch):
    class Hub:
        def get(self, address, **_):
            assert address.endswith(f"{backbones.find(name).hub_id}/auth-check")
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.hf_api.get_session", Hub)
    if said is None:
        backbones.check_weights(name)
        return
    with pytest.raises(UserError, match=said):
        backbones.check_weights(name)


def test_without_an_answer_the_hub_is_asked_once(hub, monkeypatch):
    """Its client would try each file again after 1, 2, 4, 8 and 8 seconds."""
    asked = []

    class Unreachable:
        def head(self, address, timeout):
            asked.append(address)
            raise RuntimeError("no route")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.utils.get_session", Unreachable)
    started = time.monotonic()
    with pytest.raises(UserError, match="cannot be downloaded"):
        backbones.load("dinov2")
    assert time.monotonic() - started < 10
    assert asked == [huggingface_hub.constants.ENDPOINT]
    assert not huggingface_hub.constants.HF_HUB_OFFLINE


def test_a_hub_that_answers_is_downloaded_from(monkeypatch):
    class Reachable:
        def head(self, address, timeout):
            return None

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.utils.get_session", Reachable)
    with hub_or_cache():
        assert not huggingface_hub.is_offline_mode()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with hub_or_cache():
        assert huggingface_hub.is_offline_mode()


def test_a_cache_with_the_configuration_only_is_no_model(hub):
    spec = backbones.find("siglip2")
    folder = snapshot(hub, spec.hub_id)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "siglip"}')
    assert backbones.whereabouts(spec) == "on the hub"
    with pytest.raises(UserError, match="cannot be downloaded"):
        backbones.load("siglip2")


def test_miniatures_have_no_weights():
    with pytest.raises(UserError, match="ask for weights='none'"):
        backbones.load("siglip2/tiny")


def test_the_command_line_says_it_in_one_line(tmp_path):
    for name in ("a", "b"):
        Image.new("RGB", (40, 40)).save(tmp_path / f"{name}.png")
    (tmp_path / "ratings.csv").write_text("image,mos\na.png,1\nb.png,2\n")
    words = ["iqa", "features", f"csv:{tmp_path}/ratings.csv", "dinov3"]
    code = f"import sys; sys.argv = {words}; from iqa.cli import main; main()"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: backbone 'dinov3'")
    assert "Traceback" not in done.stderr
    assert "facebook/dinov3-vitb16-pretrain-lvd1689m" in done.stderr
