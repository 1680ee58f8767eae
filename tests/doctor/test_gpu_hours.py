import pytest

from iqa.doctor.gpu_hours import flops_per_image, gpu_hours, told
from iqa.experiments import Planned
from iqa.experiments.profile import Card


def test_operations_are_counted_as_by_hand():
    # Patches of 16 px by an embedding of 32: what the two layers of the miniature cost.
    tokens, width, hidden = 16, 32, 64
    layer = 2 * tokens * (4 * width**2 + 2 * width * hidden) + 4 * tokens**2 * width
    embedding = 2 * tokens * 3 * 16**2 * width
    at_least = embedding + 2 * layer
    counted = flops_per_image("siglip2/tiny", 64)
    assert at_least <= counted <= 1.2 * at_least  # and the attention that pools


def test_the_estimate_adds_features_adapting_and_starts(monkeypatch):
    monkeypatch.setattr("iqa.doctor.gpu_hours.flops_per_image", lambda backbone, size: 1e12)
    card = Card(name="C", peak_tflops=100, utilisation=0.5, start_minutes=6)
    values = {"dataset": "clive", "backbone": "clip", "input_size": 224}
    frozen = Planned("activations", values, "")
    adapted = Planned(
        "regimes", values | {"regimes": ["full"], "seeds": [8], "heads": ["relu"], "epochs": 10}, ""
    )
    features = 1162 / 50 / 3600
    assert gpu_hours([frozen, frozen], card) == pytest.approx(features + 2 * 0.1)
    passes = 0.8 * 3 + 0.2
    assert gpu_hours([adapted], card) == pytest.approx(features * (1 + 10 * passes) + 0.1)
    assert told([frozen], card).startswith("ESTIMATE, not measured: about 0 GPU hours on one C.")
