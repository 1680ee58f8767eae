"""Training of 10 seeds x 10 heads as stacks against one head at a time, on this machine.

Both do the same work on the same random features: every head over all epochs, validation SRCC
after each. The plain loop is what one writes by hand (`nn.Module`, `torch.optim.Adam`); a second
one gives Adam its fused kernel, which is part of what the stack gains. Variants take turns, so
that other load on the machine meets all of them; OMP_NUM_THREADS=1 keeps it out of the ratio.

    python benchmarks/batched_heads.py [--features 1280] [--repeats 5] [--device cuda]
"""

import argparse
import time
from statistics import median

import numpy as np
import torch
from scipy.stats import spearmanr

from iqa.heads import MLPHead
from iqa.training import OBJECTIVES, HeadTraining, train_heads

PRESETS = ["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "sigmoid2", "identity"]
PRESETS += ["gated", "mixture4"]


def one_at_a_time(x, y, train, val, preset, seed, config, device="cpu", fused=None):
    """One head by the plain loop, on features as given: validation predictions of each epoch."""
    x, y = torch.as_tensor(x, device=device), torch.as_tensor(y, device=device)
    torch.manual_seed(seed)
    head = MLPHead.from_preset(preset, x.shape[1], config.hidden).to(device)
    groups: dict[bool, list] = {False: [], True: []}
    for name, parameter in head.named_parameters():
        groups[name in ("act1.g", "act2.g")].append(parameter)
    adam = torch.optim.Adam([{"params": groups[False]}], config.learning_rate, fused=fused)
    if groups[True]:
        rate = config.gate_rate * config.learning_rate
        adam.add_param_group({"params": groups[True], "lr": rate})
    order, objective = torch.Generator().manual_seed(seed), OBJECTIVES[config.objective]
    train, preds = torch.as_tensor(train, device=device), []
    for _ in range(config.epochs):
        for batch in torch.randperm(len(train), generator=order).split(config.batch_size):
            rows = train[batch.to(device)]
            adam.zero_grad()
            objective(head(x[rows]), y[rows]).backward()
            adam.step()
        with torch.no_grad():
            preds.append(head(x[val]).cpu().numpy())
    return preds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=1280)
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    x = np.random.default_rng(0).normal(size=(args.images, args.features)).astype(np.float32)
    y = (1 / (1 + np.exp(-x[:, :20].sum(axis=1) / 5))).astype(np.float32)
    val = np.arange(0, args.images, 5)
    train = np.setdiff1d(np.arange(args.images), val)
    seeds = list(range(args.seeds))
    config = HeadTraining(epochs=args.epochs, batch_size=args.batch_size, standardize=False)

    def loop(fused=None):
        for preset in PRESETS:
            for seed in seeds:
                data = (x, y, train, val, preset, seed)
                for preds in one_at_a_time(*data, config, args.device, fused):
                    spearmanr(preds, y[val])

    variants = {
        "one at a time": loop,
        "one at a time, fused Adam": lambda: loop(fused=True),
        "stacked": lambda: train_heads(x, y, train, val, PRESETS, seeds, config, args.device),
    }
    train_heads(x, y, train, val, PRESETS, seeds[:1], config, args.device)  # warm up
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(args.repeats):
        for name, run in variants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    stacked = np.array(seconds["stacked"])
    for name, values in seconds.items():
        ratio = median(np.array(values) / stacked)
        print(f"{name:27} median {median(values):7.2f} s, each {np.round(values, 2).tolist()}")
        print(f"{'':27} median ratio to stacked, turn by turn: {ratio:.2f}")


if __name__ == "__main__":
    main()
