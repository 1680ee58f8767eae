"""t-SNE of the hidden features, with the numbers beside the picture."""

from pathlib import Path

from iqa.experiments import read_record
from iqa.report import figures
from iqa.report.chapters.fragments import (
    save_figure,
    save_provenance,
    save_text,
    what_was_run,
)
from iqa.report.tables import markdown, short


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    numbers = tables["numbers"].set_index("head")
    captions = {
        head: f"silhouette {short(row['silhouette'], 2)}" for head, row in numbers.iterrows()
    }
    titles = {
        "srcc": "SRCC",
        "trustworthiness": "trustworthiness",
        "silhouette": "silhouette by quality",
        "silhouette_groups": "silhouette by content",
        "neighbour_srcc": "SRCC of neighbours",
    }
    shown = numbers.map(short).rename(columns=titles).reset_index()
    save_text(folder, "setting", what_was_run(record))
    save_text(folder, "table", markdown(shown))
    best = {column: numbers[column].idxmax() for column in ("silhouette", "neighbour_srcc")}
    low, high = numbers["silhouette_groups"].min(), numbers["silhouette_groups"].max()
    save_text(
        folder,
        "findings",
        f"- The clusters are **contents**: by photograph the silhouette is {short(low, 2)} to "
        f"{short(high, 2)}, by quality quarter {short(numbers['silhouette'].min(), 2)} to "
        f"{short(numbers['silhouette'].max(), 2)}.\n"
        f"- The quality quarters separate best in the features of **{best['silhouette']}** "
        f"(silhouette {short(numbers.loc[best['silhouette'], 'silhouette'], 2)}; 0 means "
        "overlapping, 1 apart).\n"
        f"- A score follows best from its neighbours of other contents in the features of "
        f"**{best['neighbour_srcc']}** (SRCC "
        f"{short(numbers.loc[best['neighbour_srcc'], 'neighbour_srcc'], 2)}).\n"
        f"- One fold and one seed, {record.metrics['images']} images: an illustration, not a test.",
    )
    save_figure(folder, "points", figures.tsne_panels(tables["points"], captions), "png")
    save_provenance(folder, record, "tsne")
