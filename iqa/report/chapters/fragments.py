"""Writing the pieces that a page includes: text, figures, and where the numbers come from."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from iqa.experiments import Record
from iqa.report.tables import listing

SPLITS = {
    "grouped": "{folds}-fold cross-validation over contents",
    "random": "{folds}-fold cross-validation over images",
    "official": "the split that its owner published",
    "published": "a split for each seed, 80/20 by image",
}
BY_SEED = {
    "grouped": "a split by content for each of the seeds {seeds} (70 % train, 10 % validation, "
    "20 % test)",
    "official": "the split that its owner published, for each of the seeds {seeds}",
    "published": "a split 80/20 by image for each of the seeds {seeds}",
}
CHECKPOINTS = {
    "validation": "checkpoint chosen on validation",
    "test": "checkpoint chosen on the test images",
    "last": "last epoch kept",
}


def save_text(folder: Path, name: str, text: str) -> None:
    """Write `<name>.md` for an `include`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text.rstrip() + "\n")


def save_figure(folder: Path, name: str, figure: Figure, ending: str = "svg") -> None:
    """Write `<name>.svg` (or .png where there are many points) and close the figure."""
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    # Without a date, an unchanged figure gives an unchanged file.
    extra = {"metadata": {"Date": None}} if ending == "svg" else {"dpi": 160}
    figure.savefig(folder / f"{name}.{ending}", **extra)
    plt.close(figure)


def protocol_of(record: Record) -> dict[str, Any]:
    """Split, checkpoint and PLCC of a run; records without them are of when there was one way."""
    one_way = {"split": "grouped", "checkpoint": "validation", "plcc": "val"}
    return record.parameters.get("protocol", one_way)


def data_used(record: Record) -> str:
    """The first sentence of every setting: images, contents, and where the scores come from."""
    used = record.dataset
    return (
        f"**What was run.** {used.title}: {used.images:,} images of {used.groups:,} contents, "
        f"scores are **{used.score_kind}**."
    )


def splits_by_seed(record: Record) -> str:
    """The protocol of a run that has a split for each seed in place of folds."""
    rules, seeds = protocol_of(record), listing([str(seed) for seed in record.seeds])
    split = BY_SEED[rules["split"]].format(seeds=seeds)
    return f"Protocol *{record.protocol}*: {split}, {CHECKPOINTS[rules['checkpoint']]}."


def what_was_run(record: Record, protocol: str = "") -> str:
    """One paragraph on the data, the backbone and the protocol; says pseudo-MOS and untrained.

    `protocol` is said in place of the record's own, where a run varies it.
    """
    settings = record.parameters
    if not protocol:
        rules = protocol_of(record)
        split = SPLITS[rules["split"]].format(folds=settings["folds"])
        protocol = f"Protocol *{record.protocol}*: {split}, {CHECKPOINTS[rules['checkpoint']]}"
    backbone = settings["backbone"] + (" (**untrained**)" if record.untrained else "")
    training = settings["training"]
    return (
        f"{data_used(record)} Backbone {backbone}, frozen, at {settings['input_size']} px. "
        f"{protocol}, seed{'s' if len(record.seeds) > 1 else ''} "
        f"{listing([str(s) for s in record.seeds])}; {training['epochs']} epochs of Adam at "
        f"{training['learning_rate']:g}, batch {training['batch_size']}, objective "
        f"{training['objective']}."
    )


def save_provenance(folder: Path, record: Record, notebook: str) -> None:
    """Write `record.md`: the run behind the page's numbers, folded away.

    It leads to the executed `notebook` where that is a page of the book.
    """
    libraries = ", ".join(f"{name} {version}" for name, version in record.libraries.items())
    splits = ", ".join(f"`{mark}`" for mark in record.splits) or "none"
    rows = {
        "run": f"`{record.experiment}`, key `{record.key}`, profile {record.profile}",
        "data": f"{record.dataset.title}, fingerprint `{record.dataset.fingerprint}`",
        "splits": splits,
        "code": f"iqa {record.version}, source `{record.code}`",
        "libraries": libraries,
        "device": record.device,
        "seconds": "; ".join(f"{stage}: {time:.0f}" for stage, time in record.seconds.items()),
    }
    lines = [f"| {name} | {text} |" for name, text in rows.items()]
    table = "\n".join(["| | |", "|:--|:--|", *lines])
    link = f"The executed notebook: [{notebook}](runs/{notebook}.ipynb).\n"
    there = (folder.parents[1] / "runs" / f"{notebook}.ipynb").is_file()
    save_text(
        folder,
        "record",
        f":::{{dropdown}} The record behind these numbers\n{table}\n\n{link if there else ''}:::",
    )
