"""The paper's six backbones at their full size: do they run, how large are they, what do they take?

    python benchmarks/full_size.py                      # all of them; writes docs/backbones.md
    python benchmarks/full_size.py resnet152            # some; the page says which are not run yet
    python benchmarks/full_size.py --one dinov2/large   # one of them, as JSON

Each runs in a process of its own, one after another: features of one image, then a step of LoRA
with the paper's rank and batch (4; 2 images) and a sigmoid head, in float32. Weights are random
(untrained): sizes do not depend on them. Needs 9 GB of memory and about ten minutes on two cores.
"""

import argparse
import json
import resource
import subprocess
import sys

import pandas as pd
import timm
import torch
from torch import nn

from iqa.backbones import REGISTRY, Backbone, BackboneSpec, feature_dim, load
from iqa.files import project_root, written_whole
from iqa.heads import MLPHead
from iqa.models import QualityModel
from iqa.training import OBJECTIVES
from iqa.training.adaptation import REGIMES, FineTuning, optimizer_of, train_mode

NAMES = [name for name, spec in REGISTRY.items() if spec.paper]
PUBLISHED = project_root() / "results" / "literature" / "parameter_counts.csv"
PAGE = project_root() / "docs" / "backbones.md"
MARK = "<!-- Below: made by `python benchmarks/full_size.py`. -->\n"


def peak_gb() -> float:
    """The most memory that this process has held so far; Linux counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def whole(spec: BackboneSpec, backbone: Backbone) -> int:
    """Parameters of the model as it is published; of timm's we leave some layers out."""
    if spec.library != "timm":
        return parameters(backbone)
    with torch.device("meta"):
        return parameters(timm.create_model(spec.model_id, pretrained=False, **spec.options))


def checksum(module: nn.Module) -> float:
    """Of all parameters that are not trained."""
    return sum(float(p.double().sum()) for p in module.parameters() if not p.requires_grad)


def measure(name: str) -> dict[str, object]:
    """What one backbone is and does."""
    spec = REGISTRY[name]
    backbone = load(name, weights="none")
    found: dict[str, object] = {
        "backbone": name,
        "input_px": spec.input_size,
        "whole": whole(spec, backbone),
        "kept": parameters(backbone),
    }
    images = torch.rand(2, 3, spec.input_size, spec.input_size)
    with torch.inference_mode():
        before = backbone(images[:1])
    found |= {"features": list(before.shape), "finite": bool(before.isfinite().all())}
    found["forward_gb"] = peak_gb()

    torch.manual_seed(0)
    model = QualityModel(backbone, MLPHead.from_preset("sigmoid", feature_dim(spec)))
    config = FineTuning(regime="lora", batch_size=2)
    REGIMES[config.regime](model, config)
    frozen = checksum(backbone)
    train_mode(model)
    optimizer = optimizer_of(model, config)
    loss = OBJECTIVES[config.objective](model(images), torch.tensor([0.2, 0.8]))
    loss.backward()
    optimizer.step()
    found["step_gb"] = peak_gb()
    trained = [p for p in backbone.parameters() if p.requires_grad]
    model.eval()
    with torch.inference_mode():
        moved = (backbone(images[:1]) - before).abs().max()
    return found | {
        "loss": float(loss),
        "lora": sum(p.numel() for p in trained),
        "without_gradient": sum(p.grad is None for p in trained),
        "features_moved": float(moved),
        "frozen_unchanged": checksum(backbone) == frozen,
    }


def in_own_process(name: str) -> dict[str, object]:
    """`measure` in a process of its own, whose peak of memory is then that of `name`."""
    command = [sys.executable, __file__, "--one", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: ended with {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def page(rows: list[dict[str, object]]) -> str:
    """The table, in Markdown."""
    table = pd.DataFrame(rows).merge(pd.read_csv(PUBLISHED), on="backbone")
    shown = pd.DataFrame(
        {
            "backbone": table["backbone"],
            "input, px": table["input_px"],
            "features": table["features"].str[1],
            "whole model, M": (table["whole"] / 1e6).map("{:.2f}".format),
            "published, M": table["millions"].map("{:.2f}".format),
            "run here, M": (table["kept"] / 1e6).map("{:.2f}".format),
            "LoRA trains": table["lora"].map("{:,}".format),
            "memory, 1 image, GB": table["forward_gb"].map("{:.1f}".format),
            "memory, LoRA step of 2, GB": table["step_gb"].map("{:.1f}".format),
        }
    )
    sources = [
        f"- {row.backbone}: {row.counted} ({row.source})" for row in table.itertuples(index=False)
    ]
    versions = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, float32."
    told = "What the published counts count, and where they are from:"
    grid = shown.to_markdown(index=False, disable_numparse=True)
    left = [name for name in NAMES if name not in set(table["backbone"])]
    remaining = [f"Not run yet: {', '.join(left)}.", ""] if left else []
    return "\n".join([grid, "", *remaining, versions, "", told, "", *sources, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--one", choices=NAMES, help="measure one, in this process, as JSON")
    parser.add_argument("names", nargs="*", default=NAMES, help="all of them by default")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one)))
        return
    rows = []
    for name in given.names:
        rows.append(in_own_process(name))
        print(json.dumps(rows[-1]), flush=True)
    prose = PAGE.read_text().partition(MARK)[0]
    with written_whole(PAGE) as draft:
        draft.write_text(prose + MARK + "\n" + page(rows))


if __name__ == "__main__":
    main()
