"""What a profile would run is checked before anything runs."""

import pytest
from conftest import PARAMETERS, make_notebook

from iqa.errors import UserError
from iqa.experiments import Profile, RunSpec, check_run, plan, read_profile
from iqa.files import project_root

NAMES = """
dataset = 'demo'
backbone = 'resnet/tiny'
input_size = 384
protocol = 'rigorous'
split = 'grouped'
first = ''  # empty: none
resamples = 50
split_seed = 0
seeds = [8]
"""


@pytest.fixture
def named(project):
    make_notebook(project / "notebooks" / "toy.ipynb", parameters=f"{PARAMETERS}\n{NAMES}")
    return project


def profile_of(*runs):
    return Profile(name="p", title="P", folder="runs", runs=runs)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"experiment": "nose"}, "run nose: unknown experiment 'nose': choose one of toy"),
        (
            {"experiment": "toy", "parameters": {"epohcs": 1}},
            "run toy: unknown parameter of toy.ipynb 'epohcs': choose one of epochs",
        ),
        ({"experiment": "toy", "matrix": {"epochs": [1, "two"]}}, "run toy-two: .*expected int"),
        ({"experiment": "toy", "parameters": {"dataset": "ckive"}}, "unknown dataset 'ckive'"),
        ({"experiment": "toy", "parameters": {"backbone": "vgg"}}, "unknown backbone 'vgg'"),
        ({"experiment": "toy", "parameters": {"heads": ["rleu"]}}, "unknown .* 'rleu'"),
        ({"experiment": "toy", "parameters": {"protocol": "fair"}}, "unknown protocol 'fair'"),
        ({"experiment": "toy", "parameters": {"first": "ckive"}}, "unknown dataset 'ckive'"),
        ({"experiment": "toy", "parameters": {"split": "gruoped"}}, "unknown split 'gruoped'"),
        (
            {"experiment": "toy", "parameters": {"epochs": 0}},
            "epochs: .*greater than or equal to 1",
        ),
        ({"experiment": "toy", "parameters": {"resamples": 0}}, "resamples: .*or equal to 1"),
        ({"experiment": "toy", "parameters": {"split_seed": -1}}, "split_seed: .*or equal to 0"),
    ],
)
def test_a_fault_is_told_in_one_line_with_profile_and_run(named, run, said):
    with pytest.raises(UserError, match=said) as fault:
        plan(profile_of({"experiment": "toy", "name": "first"}, run))
    assert str(fault.value).startswith("profile p, run ")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("experiment", "changed", "said"),
    [
        ("audit", {"split_seeds": [-1]}, "split_seeds.0: Input should be greater than or equal"),
        ("audit", {"split_seeds": []}, "split_seeds: List should have at least 1 item"),
        ("learning_rates", {"rates": ["foo"]}, "rates.0: Input should be a valid number"),
        ("learning_rates", {"rates": [1e-3]}, "reference learning rate 0.0001 is not among"),
        ("activations", {"heads": ["relu", "relu"]}, "heads: .*expected each once"),
        ("factorial", {"heads": ["relu"]}, "`heads` needs two"),
        ("regimes", {"start": "foo"}, "start: Input should be 'trained' or 'fresh'"),
        ("regimes", {"regimes": ["lroa"]}, "regimes.0: Input should be 'lora' or 'full'"),
        ("leakage", {"splits": ["foo"]}, "unknown split 'foo'"),
        ("data_efficiency", {"shares": [2.0]}, "shares.0: Input should be less than or equal to 1"),
        ("tsne", {"shown_fold": 9}, "shown_fold is 9: choose one of 0 to 4"),
        ("gate", {"paper_heads": ["rleu"]}, "unknown head 'rleu'"),
        ("baselines", {"trainings": {"x": {"epochz": 3}}}, "epochz: Extra inputs"),
        ("baselines", {"trainings": {"x": {"checkpoint": "best"}}}, "Input should be 'validation'"),
        ("generalization", {"rates": [1e-3]}, "0.0001 is not among"),
        ("data_efficiency", {"shares": [0.5]}, "add 1.0, all training images"),
        ("gate", {"gate_rates": [10]}, "add 1, the paper's own"),
        ("regimes", {"backbone_learning_rate": {"lora": 1e-3}}, "add one for the regime `full`"),
        ("regimes", {"crop": 16}, "crop is 16: expected 0, the whole image, or 32"),
        ("backbones", {"backbone": "efficientnet_lite0"}, "`efficientnet_lite0` is the first"),
        ("generalization", {"others": ["demo"]}, "others: `demo` is trained on"),
    ],
)
def test_a_value_out_of_range_is_found_before_the_run(experiment, changed, said):
    with pytest.raises(UserError, match=said):
        check_run(RunSpec(experiment=experiment, parameters=changed))


@pytest.mark.parametrize(
    "notebook", sorted(project_root().glob("notebooks/*.ipynb")), ids=lambda path: path.stem
)
def test_the_defaults_of_every_notebook_are_in_range(notebook):
    assert check_run(RunSpec(experiment=notebook.stem))


def test_a_run_without_its_data_is_planned_with_the_reason(named, monkeypatch, tmp_path):
    monkeypatch.setenv("IQA_DATA", str(tmp_path))
    matrix = {"dataset": ["demo", "clive"]}
    planned = plan(profile_of({"experiment": "toy", "matrix": matrix}))
    assert planned["toy-demo"].absent == ""
    assert planned["toy-clive"].absent.startswith("dataset `clive`: folder ")


def test_without_an_input_size_the_backbones_own_is_taken(named):
    planned = plan(profile_of({"experiment": "toy", "parameters": {"input_size": None}}))
    assert planned["toy"].values["input_size"] == 64


def test_the_paper_profile_is_complete():
    planned = plan(read_profile("paper"))
    frozen = [r.values for r in planned.values() if r.experiment == "activations"]
    adapted = [r.values for r in planned.values() if r.experiment == "regimes"]
    one = {
        (r["protocol"], r["backbone"], r["dataset"], regime, head, seed)
        for r in adapted
        for head in r["heads"]
        for regime in r["regimes"]
        for seed in r["seeds"]
    }
    assert len(one) == len(adapted)  # one run each
    sets, sizes = {r["dataset"] for r in frozen}, {r["backbone"]: r["input_size"] for r in frozen}
    assert len(sets) == 7
    assert sizes == {
        "clip/large-336": 336,
        "siglip2/so400m-512": 512,
        "dinov2/large": 518,
        "dinov3/large": 512,
        "perception/large-336": 336,
        "resnet152": 224,
    }
    assert {(r["protocol"], r["backbone"], r["dataset"]) for r in frozen} == {x[:3] for x in one}
    for seeds in (frozen[0]["seeds"], sorted({x[5] for x in one})):
        assert seeds == [8, 19, 25]
    assert {x[3] for x in one} == {"lora", "full"}
    everywhere = {"relu", "sigmoid", "gated"}
    for backbone in sizes:
        heads = {x[4] for x in one if x[1] == backbone}
        assert heads >= everywhere
        assert (heads > everywhere) == (backbone == "siglip2/so400m-512")
