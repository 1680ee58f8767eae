"""The paper's Table 5, from `results/literature/`, with what can be read off it."""

from pathlib import Path

import pandas as pd

from iqa.report import figures
from iqa.report.chapters.fragments import save_figure, save_text
from iqa.report.tables import listing, markdown, short

TITLES = {
    "clive": "CLIVE",
    "koniq10k": "KonIQ-10k",
    "flive": "FLIVE",
    "spaq": "SPAQ",
    "agiqa3k": "AGIQA-3K",
    "agiqa1k": "AGIQA-1K",
    "kadid10k": "KADID-10k",
}
HEADS = ("B", "B_Sig", "B_Gated")


def write(source: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the table `source` (CSV, a row a value)."""
    values = pd.read_csv(source)
    for measure in ("SRCC", "PLCC"):
        save_text(folder, measure.lower(), markdown(wide_table(values, measure)))
    where, how = values["source"].iloc[0], values["read_from"].iloc[0]
    save_text(folder, "source", f"Source: {where}, read from {how}.")
    save_text(folder, "findings", findings(values))
    named = values.assign(dataset=values["dataset"].map(TITLES))
    save_figure(folder, "srcc", figures.table5(named))


def wide_table(values: pd.DataFrame, measure: str) -> pd.DataFrame:
    """A row a method, a column a data set; the best of each column is bold."""
    part = values[values["metric"] == measure]
    wide = part.pivot(index="method", columns="dataset", values="value")
    wide = wide.reindex(index=list(dict.fromkeys(values["method"])), columns=list(TITLES))
    best = wide.max()
    shown = wide.apply(
        lambda column: [f"**{short(v)}**" if v == best[column.name] else short(v) for v in column]
    )
    return shown.rename(columns=TITLES).reset_index()


def findings(values: pd.DataFrame) -> str:
    """On which data sets each of the paper's heads is best, by SRCC."""
    srcc = values[values["metric"] == "SRCC"].pivot(
        index="dataset", columns="method", values="value"
    )
    winner = srcc.idxmax(axis=1)
    lines = []
    for head in HEADS:
        sets = [TITLES[name] for name in TITLES if winner[name] == head]
        lines.append(f"- {head} has the best SRCC on {listing(sets) if sets else 'none of them'}.")
    plain = [TITLES[n] for n in TITLES if srcc.loc[n, "B"] > srcc.loc[n, "B_Sig"]]
    lines.append(f"- B (ReLU) is above B_Sig (sigmoid) on {listing(plain)}.")
    gated = [TITLES[n] for n in TITLES if srcc.loc[n, "B_Gated"] < srcc.loc[n, "B_Sig"]]
    lines.append(f"- B_Gated is below B_Sig on {listing(gated)}.")
    return "\n".join(lines)
