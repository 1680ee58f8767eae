"""Checkpoints like the released ones are written by peft and PyTorch, on a miniature of SigLIP2."""

import json
import sys
from dataclasses import replace

import numpy as np
import peft
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from iqa import backbones
from iqa.cli import app
from iqa.errors import UserError
from iqa.features import read_image
from iqa.features.engine import openvino_engine
from iqa.models import load_model, save_model
from iqa.scoring import openers
from iqa.scoring.authors import open_authors

BASE = "google/siglip2-so400m-patch16-512"
DIM, HIDDEN = 32, 512


def siglip():
    """A model of both towers whose vision tower is our untrained `siglip2/tiny`."""
    vision = backbones.find("siglip2/tiny").options
    text = {key: vision[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads")}
    config = transformers.SiglipConfig(vision_config=dict(vision), text_config=text)
    model = transformers.SiglipModel(config)
    body = backbones.load("siglip2/tiny", weights="none").body
    model.vision_model.load_state_dict(body.state_dict())
    return model


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """The model with a trained adapter, and the folder that peft saved it to."""
    torch.manual_seed(3)
    config = peft.LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.05, target_modules=r".*\.(q_proj|k_proj)$"
    )
    model = peft.get_peft_model(siglip(), config).eval()
    for name, values in model.named_parameters():
        if "vision_model" in name and "lora_B" in name:
            torch.nn.init.normal_(values)
    model.peft_config["default"].base_model_name_or_path = BASE
    folder = tmp_path_factory.mktemp("adapter")
    model.save_pretrained(folder, save_embedding_layers=False)
    return model, folder


def linear(name, rows, columns):
    return {
        f"{name}.weight": torch.randn(rows, columns) / columns**0.5,
        f"{name}.bias": torch.randn(rows),
    }


def plain_head(dim=DIM):
    return (
        linear("adapter.0", HIDDEN, dim)
        | linear("adapter.2", HIDDEN, HIDDEN)
        | linear("adapter.4", 1, HIDDEN)
    )


def gated_head(gamma, dim=DIM):
    names = ["act1.g", "act1.sig_act.alpha", "act1.sig_act.beta", "act1.lrelu_act.a", "act2.a"]
    names += ["act1.sig_act.gamma"] if gamma else []
    linears = linear("fc1", HIDDEN, dim) | linear("fc2", HIDDEN, HIDDEN) | linear("fc3", 1, HIDDEN)
    # Slopes of 10 carry some arguments of the sigmoid beyond the clamp.
    return linears | {name: 10 * torch.randn(HIDDEN) for name in names}


HEADS = {
    "Baseline_Sigmoid_MSE_seed8_train_CLIVE_test_CLIVE": ("sigmoid", plain_head),
    "Baseline_MSE_seed8_train_SPAQ#relu": ("relu", plain_head),
    "Baseline_gating_MSE_seed8_train_KonIQ_10K_test_CLIVE": ("gated", lambda: gated_head(False)),
    "Gating_CLIVE_to_KonIQ": ("gated_gamma", lambda: gated_head(True)),
}


@pytest.fixture
def checkpoint(tmp_path, adapted):
    """Write a checkpoint, by default B_Sig's; its folder comes back."""

    def write(name="Sigmoid_CLIVE", head=None):
        folder = tmp_path / name
        folder.mkdir()
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            (folder / file).write_bytes((adapted[1] / file).read_bytes())
        torch.save(plain_head() if head is None else head, folder / "mlp.pt")
        return folder

    return write


def opened(spec):
    return open_authors(str(spec), backbone="siglip2/tiny", weights="none")


def by_hand(kind, head, f):
    """The head of the paper's code in NumPy: features (N, d) to scores (N,)."""
    p = {key: values.float().numpy().astype(float) for key, values in head.items()}
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    leaky = lambda x, a: np.where(x >= 0, x, a * x)  # noqa: E731
    one, two, three = (
        ("fc1", "fc2", "fc3") if "fc1.weight" in p else ("adapter.0", "adapter.2", "adapter.4")
    )
    u = f @ p[f"{one}.weight"].T + p[f"{one}.bias"]
    if kind == "relu":
        h = np.maximum(u, 0)
    elif kind == "sigmoid":
        h = sigmoid(u)
    else:
        w = sigmoid(p["act1.g"])
        argument = np.clip(p["act1.sig_act.alpha"] * u + p["act1.sig_act.beta"], -20, 20)
        s = sigmoid(argument) * p.get("act1.sig_act.gamma", 1)
        h = w * s + (1 - w) * leaky(u, p["act1.lrelu_act.a"])
    u = h @ p[f"{two}.weight"].T + p[f"{two}.bias"]
    slope = p.get("act2.a", 0.0 if kind == "relu" else 0.01)
    return (leaky(u, slope) @ p[f"{three}.weight"].T + p[f"{three}.bias"])[:, 0]


@torch.no_grad()
@pytest.mark.parametrize("spec", HEADS)
def test_scores_are_those_of_the_adapted_model_and_the_head_by_hand(spec, checkpoint, adapted):
    kind, make = HEADS[spec]
    torch.manual_seed(5)
    head = make()
    folder = checkpoint(spec.partition("#")[0], head)
    model, info = opened(folder.parent / spec)
    images = torch.rand(3, 3, 64, 64)
    features = adapted[0].get_image_features(images * 2 - 1).pooler_output
    expected = by_hand(kind, head, features.numpy().astype(float))
    np.testing.assert_allclose(model(images), expected, rtol=1e-3, atol=1e-4)
    assert info.head == kind
    assert info.untrained
    # The adapter is no trifle: without it the features are others.
    bare = backbones.load("siglip2/tiny", weights="none")
    assert (features - bare(images)).abs().max() > 0.1


@torch.no_grad()
def test_bf16_and_keys_of_a_run_on_several_gpus_load_and_the_model_can_be_saved(
    checkpoint, tmp_path
):
    head = {f"module.{key}": values.bfloat16() for key, values in gated_head(True).items()}
    model, info = opened(checkpoint("Gating_CLIVE", head))
    images = torch.rand(2, 3, 64, 64)
    save_model(tmp_path / "m.safetensors", model, info)
    again, said = load_model(tmp_path / "m.safetensors")
    assert said == info
    assert torch.equal(again(images), model(images))
    assert {values.dtype for values in model.parameters()} == {torch.float32}


@torch.no_grad()
def test_the_cpu_engine_gives_the_same_scores(checkpoint):
    model, info = opened(checkpoint())
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    expected = model(torch.from_numpy(images).permute(0, 3, 1, 2) / 255)
    scores = openvino_engine(model, info.input_size)(images)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "trained_on", "low", "high"),
    [
        ("x_Sigmoid_MSE_seed8_train_CLIVE_test_KonIQ_10K", "CLIVE", 0, 100),
        ("Sigmoid_KonIQ_to_CLIVE", "KonIQ-10k", 0, 100),
        ("b_sig_train_KADID10K", "KADID-10k", 1, 5),
        ("sigmoid_train_AGIQA3K_test_AGIQA3K", "AGIQA-3K", 0, 5),
        ("my_sigmoid", "unknown", 0, 1),
    ],
)
def test_the_folder_names_the_data_and_its_scale(checkpoint, name, trained_on, low, high):
    _, info = opened(checkpoint(name))
    assert (info.trained_on, info.low, info.high) == (trained_on, low, high)


def test_the_real_sizes_are_those_of_the_released_files():
    """497,664 parameters of the vision tower's adapters, 853,505 of B: the project's PAPER.md."""
    spec = backbones.find("siglip2/so400m-512")
    kind = transformers.SiglipVisionModel
    with torch.device("meta"):
        body = kind(kind.config_class(**spec.options))
        backbone = backbones.add_lora(backbones.Backbone(spec, body, True, spec.pooling))
    trained = [values for values in backbone.parameters() if values.requires_grad]
    assert sum(values.numel() for values in trained) == 497_664
    counts = [
        sum(v.numel() for v in head.values())
        for head in (plain_head(1152), gated_head(False, 1152), gated_head(True, 1152))
    ]
    assert counts == [853_505, 856_065, 856_577]


def refused(spec, says):
    with pytest.raises(UserError, match=says) as caught:
        opened(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["mlp.pt", "adapter_config.json", "adapter_model.safetensors"])
def test_a_missing_or_cut_file_is_told(checkpoint, file):
    folder = checkpoint()
    whole = (folder / file).read_bytes()
    (folder / file).write_bytes(whole[: len(whole) // 2])
    refused(folder, file.replace(".", r"\."))
    (folder / file).unlink()
    refused(folder, f"{file} is missing")


class Code:
    def __reduce__(self):
        return (print, ("this must not be printed",))


def test_code_in_the_head_is_not_run(checkpoint, capsys):
    refused(checkpoint("Sigmoid_a", plain_head() | {"adapter.0.bias": Code()}), "more than tensors")
    refused(checkpoint("Sigmoid_b", [torch.zeros(1)]), "not a dictionary of tensors")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda head: head.pop("adapter.2.bias"), r"missing adapter\.2\.bias, 1 in all"),
        (lambda head: head.update(fc9=torch.zeros(1)), "unexpected fc9"),
        (lambda head: head["adapter.2.weight"][3].fill_(torch.nan), "not finite"),
        (lambda head: head.update(plain_head(48)), r"is \(512, 48\), expected \(512, 32\)"),
        (lambda head: head.clear(), "neither act1.g nor adapter.0.weight"),
    ],
)
def test_a_head_that_does_not_fit_is_told(checkpoint, change, says):
    head = plain_head()
    change(head)
    refused(checkpoint(head=head), says)


def test_a_head_that_can_be_two_has_to_be_named(checkpoint):
    folder = checkpoint("Baseline_MSE_train_CLIVE")
    refused(folder, "#relu or .*#sigmoid")
    refused(f"{folder}#tanh", "after # comes relu or sigmoid")
    assert opened(f"{folder}#sigmoid")[1].head == "sigmoid"
    refused(f"{checkpoint('Gating', gated_head(False))}#relu", "leave out #relu")
    refused(checkpoint("Other", {"x": torch.zeros(1)}), "neither act1.g nor adapter.0.weight")


Q = "encoder.layers.0.self_attn.q_proj.lora_{}.weight"
VISION, TEXT = (f"base_model.model.{tower}_model.{Q}" for tower in ("vision", "text"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a.pop(VISION.format("A")), "missing .*vision_model.*q_proj.lora_A"),
        (lambda a: a.update({VISION.format("C"): torch.zeros(1)}), "unexpected .*lora_C"),
        (lambda a: a.update({TEXT.format("C"): torch.zeros(1)}), "unexpected .*text_model.*lora_C"),
        (lambda a: a.update({VISION.format("A"): torch.zeros(8, 32)}), r"is \(8, 32\), expected"),
        (lambda a: a[VISION.format("B")].fill_(torch.inf), "not finite"),
        (lambda a: a[TEXT.format("B")].fill_(1e-3), "a trained text tower is not supported"),
    ],
)
def test_an_adapter_that_does_not_fit_is_told(checkpoint, change, says):
    folder = checkpoint()
    adapter = load_file(folder / "adapter_model.safetensors")
    change(adapter)
    save_file(adapter, folder / "adapter_model.safetensors")
    refused(folder, says)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("base_model_name_or_path", "openai/clip-vit-large-patch14", f"should be '{BASE}'"),
        ("peft_type", "PROMPT_TUNING", "peft_type"),
        ("use_dora", True, "use_dora"),
        ("rank_pattern", {"q_proj": 8}, "rank_pattern"),
        ("r", 8, "expected"),
    ],
)
def test_another_kind_of_adapter_is_told(checkpoint, field, value, says):
    folder = checkpoint()
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    refused(folder, says)


def test_the_real_base_is_asked_for_and_never_random(checkpoint, monkeypatch, tmp_path):
    import huggingface_hub.constants as hub

    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "hub"))
    head = plain_head(1152)
    with pytest.raises(UserError, match=BASE):
        open_authors(str(checkpoint(head=head)))


@pytest.fixture
def small_base(monkeypatch, tmp_path):
    """The base of the adapters, in the registry and in the hub's cache, of the miniature's size."""
    small = replace(
        backbones.find("siglip2/tiny"), name="siglip2/so400m-512", source="hub", hub_id=BASE
    )
    monkeypatch.setitem(backbones.REGISTRY, small.name, small)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for module in [m for name, m in sys.modules.items() if name.startswith("huggingface_hub")]:
        if isinstance(getattr(module, "HF_HUB_CACHE", None), str):
            monkeypatch.setattr(module, "HF_HUB_CACHE", str(tmp_path))
    folder, commit = tmp_path / f"models--{BASE.replace('/', '--')}", "0123456789" * 4
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    siglip().save_pretrained(folder / "snapshots" / commit)


def test_the_command_line_scores_by_a_checkpoint_on_the_weights_of_its_base(
    checkpoint, small_base, adapted, tmp_path
):
    head = gated_head(True)
    folder, path, maps = checkpoint("Gating_KADID", head), tmp_path / "a.png", tmp_path / "maps"
    Image.effect_noise((60, 40), 80).save(path)
    words = ["score", str(path), "--model", f"authors:{folder}"]
    done = CliRunner().invoke(app, [*words, "--format", "jsonl", "--explain", str(maps)])
    assert done.exception is None
    assert "text_model" not in done.stderr  # what is left out on purpose is no news
    row = json.loads(done.stdout)
    assert row["model"] == "authors:Gating_KADID"
    pixels = torch.from_numpy(read_image(path, 64).copy()).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        features = adapted[0].get_image_features(pixels * 2 - 1).pooler_output
    output = by_hand("gated_gamma", head, features.numpy().astype(float)).item()
    assert row["score"] == pytest.approx(1 + 4 * output, rel=1e-3, abs=1e-3)
    assert len(list(maps.iterdir())) == 1


def test_on_an_untrained_base_the_table_says_so(checkpoint, monkeypatch, tmp_path):
    monkeypatch.setitem(openers.OPENERS, "authors", opened)
    Image.effect_noise((60, 40), 80).save(tmp_path / "a.png")
    done = CliRunner().invoke(
        app, ["score", str(tmp_path / "a.png"), "--model", f"authors:{checkpoint()}"]
    )
    assert done.stdout.startswith("Scores by authors:Sigmoid_CLIVE (untrained), 0 to 100")
