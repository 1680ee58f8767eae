"""The defects of the paper's code, each with what it does to a figure."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, project_root, read_record
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.effects import effects as effects_figure
from iqa.report.tables import listing, markdown, p_value, short, unbroken, with_doubt, with_sign

ACCUMULATED = 12
"""Images of one step of the paper's code: 6 batches of 2."""

CONTROL = "other folds"
"""The run without a defect: what luck does."""


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    effects, ties = tables["effects"], tables["ties"]
    save_text(folder, "setting", what_was_run(record, "Protocol varied as below"))
    save_text(folder, "findings", findings(record, effects, ties))
    save_text(folder, "table", markdown(effects_table(effects)))
    save_text(folder, "orders", markdown(orders(effects)))
    save_figure(folder, "effects", effects_figure(effects))
    save_provenance(folder, record, "audit")


def effects_table(effects: pd.DataFrame) -> pd.DataFrame:
    """A row a head, defect and figure: as it should be, as it is then reported, the difference."""
    return pd.DataFrame(
        {
            "head": effects["head"],
            "defect": effects["defect"],
            "figure": effects["figure"],
            "rigorous": effects["baseline"].map(short),
            "with it": effects["value"].map(short),
            "difference [95 %]": effects.apply(with_sign, axis=1),
            "p (Holm)": effects["p_holm"].map(p_value),
        }
    )


def orders(effects: pd.DataFrame) -> pd.DataFrame:
    """The heads from best to worst, by SRCC, under the rigorous protocol and with each defect."""
    srcc = effects[effects["figure"] == "SRCC"]
    # B12 is compared fold by fold, all others over the pooled folds.
    pooled = srcc[srcc["defect"] != "B12"]
    rigorous = pooled.drop_duplicates("head").assign(defect="rigorous")
    rows = [
        {"protocol": name, "heads by SRCC": " > ".join(_ranked(part, value))}
        for value, table in (("baseline", rigorous), ("value", srcc))
        for name, part in table.groupby("defect", sort=False)
    ]
    return pd.DataFrame(rows)


def _ranked(part: pd.DataFrame, value: str) -> list[str]:
    best_first = part.sort_values(value, ascending=False)
    return [f"{row['head']} {short(row[value])}" for _, row in best_first.iterrows()]


def findings(record: Record, effects: pd.DataFrame, ties: pd.DataFrame) -> str:
    """What moved and what did not, in sentences made from the numbers."""
    said = [_luck(effects)]
    for head, part in effects.groupby("head", sort=False):
        said.append(_moved(str(head), part[~part["defect"].isin([CONTROL, "as published"])]))
    said += [
        _together(record, effects),
        _order(effects),
        _ties(ties),
        _counts(record),
    ]
    return "\n".join(f"- {line}" for line in said)


def _luck(effects: pd.DataFrame) -> str:
    control = effects[effects["defect"] == CONTROL]
    gaps = [f"{with_sign(row)} ({row['head']})" for _, row in control.iterrows()]
    return (
        f"**Luck.** With no defect at all, dealing the contents into other folds moves SRCC by "
        f"{listing(gaps)}: a run of its own that moves it by no more shows nothing."
    )


def _moved(head: str, part: pd.DataFrame) -> str:
    """The defects that raise a figure of one head, that lower it, and those that do neither."""
    sure = part["p_holm"] < 0.05
    moved = {
        "raised by": part[sure & (part["difference"] > 0)],
        "lowered by": part[sure & (part["difference"] < 0)],
    }
    said = [
        f"{verb} {listing([f'{row.defect} {with_sign(row)}' for _, row in rows.iterrows()])}"
        for verb, rows in moved.items()
        if len(rows)
    ]
    if not sure.all():
        said.append(f"not shown to be moved by {listing(list(part['defect'][~sure]))}")
    return f"**{head}**: what is reported (SRCC, if not said) is {'; '.join(said)}."


def _together(record: Record, effects: pd.DataFrame) -> str:
    rows = effects[effects["defect"] == "as published"]
    said = [f"{row['head']} {row['figure']} {with_doubt(row)}" for _, row in rows.iterrows()]
    own = {
        "B3": record.dataset.name.startswith("koniq10k"),
        "B4": record.metrics["examples"] > 0,
    }
    on_this_set = [name for name, is_there in own.items() if is_there]
    names = ["B1", *on_this_set, "B5", "B6", "B7", "B9", "raw PLCC"]
    return f"**As published** ({listing(names)} at once): {'; '.join(said)}."


def _order(effects: pd.DataFrame) -> str:
    """Under which defects the heads stand in another order than under the rigorous protocol."""
    srcc = effects[effects["figure"] == "SRCC"]
    turned = []
    for defect, part in srcc.groupby("defect", sort=False):
        right, wrong = (list(part.sort_values(c)["head"]) for c in ("baseline", "value"))
        if right != wrong:
            turned.append(str(defect))
    of = srcc["defect"].nunique()
    if not turned:
        return f"**Order of the heads**: the same under each of the {of} protocols compared."
    return (
        f"**Order of the heads**: another one under {len(turned)} of the {of} protocols compared: "
        f"{listing(turned)}."
    )


def _ties(ties: pd.DataFrame) -> str:
    said = [
        f"of {row['head']} take {row['distinct']:,.0f} values, in bfloat16 "
        f"{row['distinct_bf16']:,.0f}, and KRCC goes from {short(row['krcc'], 4)} to "
        f"{short(row['krcc_bf16'], 4)}"
        for _, row in ties.iterrows()
    ]
    images = f"{ties['images'].iloc[0]:,.0f}"
    return f"**B9**: {images} scores {'; those '.join(said)} (means over seeds)."


def _counts(record: Record) -> str:
    found = record.metrics
    trained = found["trained_a_fold"]
    lost = [100 * (n % ACCUMULATED) / n for n in trained]
    return (
        f"**B6** puts {found['contents_on_two_sides']:,.0f} of {record.dataset.groups:,} contents "
        f"on more than one side. **B7** leaves {found['dropped']} of {record.dataset.images:,} "
        f"images out of the report. **B15**, by arithmetic: steps of {ACCUMULATED} images leave "
        f"{min(lost):.1f} to {max(lost):.1f} % of a fold's training images out of each epoch."
    )


MEASURED_ON = {"audit-clive": "CLIVE", "audit-agiqa3k": "AGIQA-3K"}
EFFECTS_OF = {"PLCC": ["PLCC raw", "PLCC fitted on test"]}
"""Defect to its rows in a run's effects, where they are not named after it."""


def write_together(measured: dict[str, Path], folder: Path) -> None:
    """Write the table of all defects, with their effects on the data sets of people's ratings.

    Args:
        measured: the committed runs by name; one that is missing is told in the table.
        folder: where to.
    """
    found = {
        title: read_record(measured[label])[1]["effects"] if label in measured else None
        for label, title in MEASURED_ON.items()
    }
    defects = pd.read_csv(project_root() / "results/literature/defects.csv").fillna("")
    save_text(folder, "defects", markdown(defects_table(defects, found)))


def defects_table(defects: pd.DataFrame, found: dict[str, pd.DataFrame | None]) -> pd.DataFrame:
    """A row a defect: what it is and who says so, its effects or why there are none, its cure."""
    rows = []
    for _, defect in defects.iterrows():
        row = {
            "": f"**{defect['defect']}**",
            "defect": f"{defect['what']} {defect['mark']}".strip(),
        }
        for title, effects in found.items():
            row[f"{title} [95 %]"] = _effect(defect, effects)
        row["right here"] = _cure(defect)
        rows.append(row)
    return pd.DataFrame(rows)


def _effect(defect: pd.Series, effects: pd.DataFrame | None) -> str:
    """A line for each head and figure; why it is not measured, where it is not."""
    names = EFFECTS_OF.get(defect["defect"], [defect["defect"]])
    if effects is not None and (part := effects[effects["defect"].isin(names)]).size:
        return "<br>".join(
            f"{row['head']}{', ' + row['defect'] if row['defect'] in EFFECTS_OF['PLCC'] else ''}: "
            f"{unbroken(with_sign(row))}{'' if row['p_holm'] < 0.05 else ' n. s.'}"
            for _, row in part.iterrows()
        )
    return defect["needs"] or "not run"


def _cure(defect: pd.Series) -> str:
    """What is done instead, and the name of the test that shows it, as words that can break."""
    if not defect["cure"]:
        return "–"
    test = defect["shown_by"].rpartition("::test_")[2].replace("_", " ")
    return f"{defect['cure']}<br>test: *{test}*"
