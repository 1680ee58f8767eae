"""Grad-CAM: pictures of the maps, and whether they lie where an image was damaged."""

from pathlib import Path

import numpy as np
import pandas as pd

from iqa.experiments import Record, read_record
from iqa.images import open_image
from iqa.report import explanations
from iqa.report.chapters.fragments import (
    save_figure,
    save_provenance,
    save_text,
    what_was_run,
)
from iqa.report.tables import listing, markdown, p_value, short, with_sign

RATIOS = {
    "lowering": "lowers, on the blur",
    "lowering_before": "lowers, before the blur",
    "gain": "gain by the blur",
    "raising": "raises, on the blur",
}
AREAS = {"deletion": "deletion minus random", "insertion": "insertion minus random"}


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    summary = tables["summary"]
    save_text(folder, "setting", f"{what_was_run(record)} {_looked_at(record)}")
    save_text(folder, "findings", findings(record, summary))
    save_text(folder, "localization", markdown(localization_table(summary)))
    save_text(folder, "deletion", markdown(deletion_table(summary)))
    save_figure(folder, "ratios", explanations.ratio_intervals(summary))
    save_figure(folder, "curves", explanations.deletion_curves(tables["curves"]))
    for name, part in tables["grid"].groupby("figure"):
        pictures = {one: np.asarray(open_image(run / f"{one}.png")) for one in part["picture"]}
        save_figure(folder, str(name), explanations.picture_grid(pictures, part), "png")
    save_provenance(folder, record, "gradcam")


def _looked_at(record: Record) -> str:
    found = record.metrics
    taught = found["photographs_trained_on"]
    seen = (
        f"of {taught} of them the content **was trained on**"
        if taught
        else "no head was trained on an image of the content that it is shown"
    )
    sides = listing([f"{side:.0%}" for side in found["sides"]])
    return (
        f"{found['photographs']} photographs, {found['regions']} regions of each (sides of "
        f"{sides} of the image's), blurred by {found['blur_px']:.1f} px; {seen}. The maps are of "
        f"the layer `{found['cam_layer']}`, with a cell for every {found['cell_px']} × "
        f"{found['cell_px']} pixels of its input."
    )


def localization_table(summary: pd.DataFrame) -> pd.DataFrame:
    """A row a head: the concentrations with their intervals, and the gain's difference."""
    rows = []
    for (untrained, head), part in summary.groupby(["untrained", "head"], sort=False):
        lines = part.set_index("measure")
        row = {"head": f"{head}, **untrained** backbone" if untrained else head}
        for measure, title in RATIOS.items():
            row[title] = _ratio(lines.loc[measure])
        row["change of the score"] = _signed(lines.loc["change"])
        row["gain minus baseline's, p (Holm)"] = _against(lines.loc["gain"], 2)
        rows.append(row)
    return pd.DataFrame(rows)


def deletion_table(summary: pd.DataFrame) -> pd.DataFrame:
    """A row a head: area under the curve by its map minus that by random order."""
    rows = []
    shown = summary[summary["measure"].isin(AREAS)]
    for (untrained, head), part in shown.groupby(["untrained", "head"], sort=False):
        lines = part.set_index("measure")
        row = {"head": f"{head}, **untrained** backbone" if untrained else head}
        for measure, title in AREAS.items():
            row[title] = _signed(lines.loc[measure])
            row[f"{measure}: minus baseline's, p (Holm)"] = _against(lines.loc[measure], 4)
        rows.append(row)
    return pd.DataFrame(rows)


def findings(record: Record, summary: pd.DataFrame) -> str:
    """Where the maps lie and what they are worth, in sentences made from the numbers."""
    lines = [f"- {line}" for line in headlines(record, {"summary": summary})]
    lines += [f"- {line}" for line in _between_heads(record, summary)]
    lines += [f"- {line}" for line in _deletion(record, summary)]
    empty, all_maps = record.metrics["empty_maps"], record.metrics["regions"]
    if empty:
        lines.append(
            f"- In {empty} cases nothing lowered the score, before the blur or after; they are "
            f"left out of the means (there are {all_maps} regions for each photograph and head)."
        )
    return "\n".join(lines)


def headlines(record: Record, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Whether the maps lie on the damage: a sentence for each kind of backbone."""
    said = []
    for untrained, part in tables["summary"].groupby("untrained", sort=True):
        lines = part.set_index(["measure", "head"])
        heads = list(dict.fromkeys(part["head"]))
        on, gain = lines.loc["lowering"].loc[heads], lines.loc["gain"].loc[heads]
        ratios = listing([f"{_ratio(line)} for {head}" for head, line in on.iterrows()])
        said.append(
            f"With {'an **untrained**' if untrained else 'the pretrained'} backbone the map of "
            f"what lowers the score puts on the blurred region so many times the mass of an even "
            f"map: {ratios}. {_verdict(on, 1, 'above', 'below', 'chance')} "
            f"{_verdict(gain, 0, 'more', 'less', 'than before the blur')}"
        )
    return said


def _verdict(lines: pd.DataFrame, line: float, above: str, below: str, what: str) -> str:
    """Which heads' intervals lie above `line`, and which below."""
    high = list(lines.index[lines["low"] > line])
    low = list(lines.index[lines["high"] < line])
    rest = [head for head in lines.index if head not in high + low]
    parts = [f"{above} {what} for {listing(high)}"] if high else []
    parts += [f"{below} {what} for {listing(low)}"] if low else []
    parts += [f"not to be told from {_same(what)} for {listing(rest)}"] if rest else []
    text = "; ".join(parts)
    return f"That is {text}." if what == "chance" else f"It is {text}."


def _same(what: str) -> str:
    return what.removeprefix("than ")


def _between_heads(record: Record, summary: pd.DataFrame) -> list[str]:
    """Whether heads differ in how far the blur draws the map to it [P claim 4]."""
    baseline = record.metrics["baseline"]
    mine = summary[(summary["measure"] == "gain") & (summary["untrained"] == record.untrained)]
    others = mine[mine["head"] != baseline]
    if not len(others) or others["difference"].isna().all():
        return []
    gaps = [
        f"{line['head']} {_difference(line, 2)}"
        + ("" if line["p_holm"] < 0.05 else ", not significant")
        for _, line in others.iterrows()
    ]
    sigmoid = others[others["head"] == "sigmoid"]
    claim = "" if sigmoid.empty else f" {_claim(sigmoid.iloc[0])}"
    return [f"By the gain, compared with {baseline}: {'; '.join(gaps)}.{claim}"]


def _claim(line: pd.Series) -> str:
    said = (
        "The paper says that the maps of a sigmoid sit on blurred parts [P]: that they do so more"
    )
    if line["p_holm"] < 0.05 and line["difference"] > 0:
        return f"{said} than the baseline's is **supported** here."
    against = "; the opposite is significant" if line["p_holm"] < 0.05 else ""
    return f"{said} than the baseline's is **not confirmed** here{against}."


def _deletion(record: Record, summary: pd.DataFrame) -> list[str]:
    shown = summary[summary["measure"].isin(AREAS)].set_index(["measure", "head"])
    heads = list(record.parameters["heads"])
    deletion, insertion = (shown.loc[name].loc[heads] for name in AREAS)
    untrained = " (**untrained** backbone)" if record.untrained else ""
    right = list(deletion.index[(deletion["high"] < 0) & (insertion["low"] > 0)])
    gaps = listing([f"{_signed(line)} for {head}" for head, line in deletion.iterrows()])
    back = listing([f"{_signed(line)} for {head}" for head, line in insertion.iterrows()])
    verdict = (
        f"By both, the map of {listing(right)} finds what the score rests on better than chance."
        if right
        else "For no head do both show that the map finds what the score rests on."
    )
    return [
        f"Area under the deletion curve by the map minus by random order{untrained}: {gaps} (below "
        f"0 is right); under the insertion curve: {back} (above 0 is right). {verdict}"
    ]


def _ratio(line: pd.Series) -> str:
    if pd.isna(line["value"]):
        return "–"
    return f"{line['value']:.2f} [{line['low']:.2f}, {line['high']:.2f}]".replace("-", "−")


def _signed(line: pd.Series) -> str:
    values = {"difference": line["value"], "low": line["low"], "high": line["high"]}
    return with_sign(pd.Series(values))


def _difference(line: pd.Series, digits: int) -> str:
    ends = (short(line[name], digits, sign=True) for name in ("difference", "low_gap", "high_gap"))
    value, low, high = ends
    return f"{value} [{low}, {high}]"


def _against(line: pd.Series, digits: int) -> str:
    if pd.isna(line.get("difference")):
        return ""
    return f"{_difference(line, digits)}, {p_value(line['p_holm'])}"
