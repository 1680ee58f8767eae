"""Grad-CAM on versions of one photograph, heads side by side."""

from pathlib import Path
from shutil import copyfile

import pandas as pd

from iqa.experiments import read_record
from iqa.report.chapters.fragments import save_provenance, save_text, what_was_run
from iqa.report.tables import markdown, short


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    folder.mkdir(parents=True, exist_ok=True)
    for name in record.files:
        if name.endswith(".png"):
            copyfile(run / name, folder / name)
    save_text(folder, "setting", what_was_run(record))
    save_text(folder, "maps", _grid(tables["scores"]))
    save_text(folder, "subject", _subject(record.metrics))
    save_provenance(folder, record, "gradcam")


def _subject(found: dict) -> str:
    levels = " and ".join(str(level) for level in found["levels"])
    return (
        f"The photograph is *{found['photograph']}* under *{found['distortion']}* at levels "
        f"{levels}; the maps are of the layer `{found['cam_layer']}`, which has a cell for every "
        f"{found['cell_px']} × {found['cell_px']} pixels of its input: they say *which part*, not "
        "*which edge*."
    )


def _grid(scores: pd.DataFrame) -> str:
    """A table of pictures: a row a version, a column a head, the predicted target under each."""
    heads = list(dict.fromkeys(scores["head"]))
    rows = []
    for level, part in scores.groupby("level"):
        by_head = part.set_index("head")["prediction"]
        row = {"version": _picture(f"image_{level}", f"target {short(part['target'].iloc[0], 2)}")}
        for head in heads:
            row[head] = _picture(f"{head}_{level}", f"predicted {short(by_head[head], 2)}")
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def _picture(name: str, caption: str) -> str:
    return f"![{name}](_generated/gradcam/{name}.png) {caption}"
