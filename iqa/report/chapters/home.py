"""The first page: what was found, in a few lines made from the records."""

from pathlib import Path

from iqa.experiments import Profile, read_record
from iqa.report.chapters import activations, gate
from iqa.report.chapters.fragments import save_text


def write(profile: Profile, runs: dict[str, Path], human: dict[str, Path], folder: Path) -> None:
    """Write the fragments of the first page.

    Args:
        profile: that the book shows.
        runs: its runs by name.
        human: the committed runs on human ratings by name.
        folder: where to.
    """
    record, tables = read_record(runs["activations"])
    found = activations.findings(record, tables["heads"], tables["comparisons"])
    gate_record, gate_tables = read_record(runs["gate"])
    gate_says = gate.paper_gate(gate_tables["movement"], gate_record.metrics["steps"])[0]
    used = record.dataset
    save_text(
        folder,
        "setting",
        f":::{{important}}\nThis build shows the profile **{profile.name}**: {profile.title}. "
        f"Its scores are **{used.score_kind}**, so its figures compare heads with each other "
        "under one protocol; they are not figures of a benchmark, and stand beside none.\n:::"
        if used.score_kind == "pseudo-MOS"
        else f"This build shows the profile **{profile.name}**: {profile.title}.",
    )
    save_text(folder, "findings", f"{found}\n{gate_says}")
    save_text(folder, "human", "\n".join(_on_human_ratings(path) for path in human.values()))


def _on_human_ratings(run: Path) -> str:
    """The two claims on one set that people rated; empty where the run studied something else."""
    record, tables = read_record(run)
    if record.experiment != "activations":
        return ""
    said = activations.claims(tables["comparisons"], record.metrics["baseline"])
    where = f"**{record.dataset.title}** ({record.dataset.images:,} images)"
    return "\n".join(f"- {where}: {line.removeprefix('- ')}" for line in said)
