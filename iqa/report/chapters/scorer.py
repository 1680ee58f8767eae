"""The small model that is shipped: how well it scores, and its card."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import (
    data_used,
    save_figure,
    save_provenance,
    save_text,
    splits_by_seed,
)
from iqa.report.tables import markdown, p_value, short, with_interval, with_sign


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    save_text(folder, "setting", setting(record))
    save_text(folder, "findings", findings(record, tables))
    save_text(folder, "shipped", markdown(shipped_table(tables["shipped"])))
    save_text(folder, "splits", markdown(splits_table(tables["by_fold"])))
    save_text(folder, "limits", limits(record))
    heads, comparisons = tables["heads"], tables["comparisons"]
    kind = record.dataset.score_kind
    save_figure(
        folder,
        "intervals",
        figures.heads_with_intervals(heads, comparisons, "frozen", kind, "model"),
    )
    save_figure(folder, "curves", figures.learning_curves(tables["history"], ["adapted"]))
    save_provenance(folder, record, "scorer")


def setting(record: Record) -> str:
    """One paragraph on what was trained on what, and how."""
    tuning = record.metrics["tuning"]
    trained = " (**untrained** start)" if record.untrained else ""
    return (
        f"{data_used(record)} Backbone {record.parameters['backbone']}{trained} at "
        f"{record.parameters['input_size']} px, {record.metrics['model_parameters'] / 1e6:.1f} "
        f"million parameters with its head ({record.parameters['heads'][0]}). "
        f"{splits_by_seed(record)} The head learns on frozen features first; then all above the "
        f"stem for {tuning['epochs']} epochs of AdamW, one cycle, at "
        f"{tuning['backbone_learning_rate']:g} (head {tuning['head_learning_rate']:g}), batch "
        f"{tuning['batch_size']}, random squares of {tuning['crop']} px, mirrored at random, "
        f"objective {tuning['objective']}."
    )


def findings(record: Record, tables: dict[str, pd.DataFrame]) -> str:
    """What the splits and the shipped model say, in sentences."""
    adapted = tables["by_fold"].query("head == 'adapted'")
    gap = tables["comparisons"].query("figure == 'srcc' and head == 'adapted'").iloc[0]
    own, foreign = tables["shipped"].iloc[0], tables["shipped"].iloc[1]
    srcc, plcc = adapted["srcc"], adapted["plcc_val_fit"]
    return "\n".join(
        [
            f"- Over {len(adapted)} splits the median SRCC is **{short(srcc.median())}** "
            f"({short(srcc.min())} to {short(srcc.max())}), the median PLCC "
            f"{short(plcc.median())} (logistic fitted on validation).",
            f"- Training the layers above the stem adds {with_sign(gap)} to the SRCC of the head "
            f"on frozen features, p {p_value(gap['p_holm'])}.",
            f"- The shipped model, that of the first split, reaches SRCC {_srcc(own)} on its "
            f"{own['images']:,} held-out images, and {_srcc(foreign)} on all {foreign['images']:,} "
            "of the data set it never saw.",
        ]
    )


def headlines(record: Record, tables: dict[str, pd.DataFrame]) -> list[str]:
    """The model in one sentence, for the first page."""
    foreign = tables["shipped"].iloc[1]
    return [
        f"A model of {record.metrics['model_parameters'] / 1e6:.1f} million parameters reaches a "
        f"median SRCC of {short(record.metrics['median_srcc'])} over {len(record.seeds)} splits; "
        f"the shipped one {_srcc(foreign)} on {foreign['data']}."
    ]


def _srcc(line: pd.Series) -> str:
    return with_interval(line["srcc"], line["srcc_low"], line["srcc_high"])


def shipped_table(shipped: pd.DataFrame) -> pd.DataFrame:
    """A row a set of images: SRCC and PLCC of the shipped model with their intervals."""
    rows = [
        {
            "images": line["data"],
            "number": f"{line['images']:,}",
            "SRCC [95 %]": _srcc(line),
            "PLCC [95 %]": with_interval(line["plcc"], line["plcc_low"], line["plcc_high"]),
        }
        for _, line in shipped.iterrows()
    ]
    return pd.DataFrame(rows)


def splits_table(by_fold: pd.DataFrame) -> pd.DataFrame:
    """A row a split: SRCC frozen and adapted, and PLCC adapted."""
    wide = by_fold.pivot(index="seed", columns="head")
    shown = {
        "SRCC, frozen": wide["srcc", "frozen"],
        "SRCC, adapted": wide["srcc", "adapted"],
        "KRCC, adapted": wide["krcc", "adapted"],
        "PLCC, adapted (logistic fitted on validation)": wide["plcc_val_fit", "adapted"],
        "PLCC, adapted (raw)": wide["plcc_raw", "adapted"],
    }
    table = pd.DataFrame({name: column.map(short) for name, column in shown.items()})
    table.insert(0, "split", [str(seed) for seed in table.index])
    return table


def card(record: Record, tables: dict[str, pd.DataFrame]) -> str:
    """The model card, Markdown: what it is, what it was measured at, and what it is not for."""
    untrained = "**untrained**, for tests only. " if record.untrained else ""
    licences = record.metrics["licences"]
    return f"""# {record.metrics["model"] or "unnamed"}

{untrained}Scores a photograph without a reference: higher is better, on the scale of
{record.dataset.title}.

{setting(record)}

## Figures

{markdown(shipped_table(tables["shipped"]))}

PLCC is after a logistic that was fitted on validation images of {record.dataset.title}.
Intervals are bootstraps over contents.

{findings(record, tables)}

{markdown(splits_table(tables["by_fold"]))}

## Limits

{limits(record)}

## Terms

Weights it started from: {licences["weights"]}. Ratings it learned from: {licences["ratings"]}. No
image is contained in the model.

Made by the notebook `scorer` (record key and splits in its run's `record.json`), code
`{record.code}`.
"""


def limits(record: Record) -> str:
    """What the model is not for, and what its figures do not show."""
    return f"""\
- It learned the taste of one group of raters on one set of photographs. Ranks within one kind of
  picture are worth more than the number itself; on other kinds it is less sure, as the second row
  of its figures shows.
- Every image is resized to {record.parameters["input_size"]} px, its aspect ratio ignored: detail
  that vanishes in that is not seen.
- The recipe was tried out on another split of the same images before, and in a first run on these
  splits that chose the epoch on validation; both are a small leak that no figure here shows.
- It says nothing about whether a picture is true, lawful or fit to be seen.
"""
