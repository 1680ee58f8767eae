"""t-SNE of the hidden features, with the numbers beside the picture."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import explanations
from iqa.report.chapters.fragments import (
    save_figure,
    save_provenance,
    save_text,
    what_was_run,
)
from iqa.report.tables import markdown, p_value, short, with_interval, with_sign


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    summary, differences = tables["summary"], tables["differences"]
    save_text(folder, "setting", what_was_run(record))
    save_text(folder, "findings", findings(record, summary, differences))
    save_text(folder, "table", markdown(main_table(record, summary)))
    save_text(folder, "differences", markdown(gaps_table(differences)))
    save_figure(folder, "points", explanations.tsne_panels(tables["points"]), "png")
    save_figure(folder, "measures", explanations.measures_by_fold(tables["numbers"], summary))
    save_provenance(folder, record, "tsne")


def main_table(record: Record, summary: pd.DataFrame) -> pd.DataFrame:
    """A row a head, and the feature before any head: each measure with its interval."""
    rows: dict[str, dict[str, str]] = {}
    for _, line in summary.iterrows():
        row = rows.setdefault(line["head"], {"features": _named(record, line["head"])})
        title = explanations.MEASURES[line["measure"]]
        row[title] = with_interval(line["mean"], line["low"], line["high"])
        if line["measure"] in ("silhouette", "neighbour_srcc"):
            row[f"sd over folds of {title}"] = short(line["sd"])
    table = pd.DataFrame(rows.values())
    empty = [title for title in table if (table[title] == "– [–, –]").all()]
    return table.drop(columns=empty)


def gaps_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Each difference on the same folds, with its interval and p-values."""
    shown = differences[differences["mean"].notna()]
    return pd.DataFrame(
        {
            "measure": shown["measure"].map(explanations.MEASURES),
            "difference": shown["head"] + " minus " + shown["against"],
            "mean [95 %]": [with_sign(_gap(line)) for _, line in shown.iterrows()],
            "p (Holm)": ["–" if pd.isna(p) else p_value(p) for p in shown["p_holm"]],
        }
    )


def findings(record: Record, summary: pd.DataFrame, differences: pd.DataFrame) -> str:
    """What a head adds, and whether the paper's claim is seen here, in sentences."""
    means = summary.set_index(["measure", "head"])["mean"]
    heads, feature = list(record.parameters["heads"]), record.metrics["feature"]
    lines = [
        f"- Before any head, in the feature of the {_backbone(record)}, the SRCC of nearest "
        f"neighbours is {short(means['neighbour_srcc'][feature])} and the silhouette by quality "
        f"quarter {short(means['silhouette'][feature])}. {_added(differences, heads, feature)}"
    ]
    if not pd.isna(means["silhouette_groups"][heads[0]]):
        groups = means["silhouette_groups"]
        lines.append(
            f"- By content, the silhouette is {_span(groups[heads])} in the heads, and "
            f"{short(groups[feature])} before: {_clusters(means, heads)}."
        )
    lines += [f"- {line}" for line in claims(record, differences)]
    trust = means["trustworthiness"]
    lines.append(
        f"- The plane keeps {_span(trust)} of the neighbourhoods (trustworthiness; 1 is all). The "
        f"folds are the unit: {len(record.splits)} of them, and intervals allow for the training "
        "images that they share."
    )  # fmt: skip
    return "\n".join(lines)


def claims(record: Record, differences: pd.DataFrame) -> list[str]:
    """Whether sigmoid features separate quality better than the baseline's [P claim 4]."""
    baseline = record.metrics["baseline"]
    mine = differences.query("head == 'sigmoid' and against == @baseline").set_index("measure")
    if not len(mine):
        return []
    said, verdicts = [], []
    for measure in ("silhouette", "neighbour_srcc"):
        line = mine.loc[measure]
        sure = line["p_holm"] < 0.05
        verdicts.append((1 if line["mean"] > 0 else -1) if sure else 0)
        said.append(
            f"{explanations.MEASURES[measure]} {with_sign(_gap(line))}"
            + ("" if sure else ", not significant")
        )
    return [
        f"The paper says that sigmoid features separate quality better [P]. Sigmoid minus "
        f"{baseline}, on the same folds with the {_backbone(record)}: "
        f"{'; '.join(said)}. {_verdict(verdicts)}"
    ]


def _backbone(record: Record) -> str:
    return "**untrained** backbone" if record.untrained else "backbone"


def _verdict(verdicts: list[int]) -> str:
    if min(verdicts) < 0 < max(verdicts):
        return "The two measures **contradict each other**: the claim is not confirmed here."
    if max(verdicts) > 0:
        whole = min(verdicts) > 0
        return f"{'Both measures' if whole else 'One of the two measures'} **support** the claim."
    if min(verdicts) < 0:
        return "The claim is **not confirmed**: what is significant speaks against it."
    return "The claim is **not confirmed** here: neither difference is significant."


def _added(differences: pd.DataFrame, heads: list[str], feature: str) -> str:
    """What the heads add to the feature, by both measures."""
    gaps = differences[differences["against"] == feature].set_index(["measure", "head"])
    said = []
    for measure in ("neighbour_srcc", "silhouette"):
        part = gaps.loc[measure].loc[heads]
        more = list(part.index[(part["p_holm"] < 0.05) & (part["mean"] > 0)])
        less = list(part.index[(part["p_holm"] < 0.05) & (part["mean"] < 0)])
        moved = f"{_span(part['mean'], sign=True)} in {explanations.MEASURES[measure]}"
        kinds = [f"more with {', '.join(more)}"] * bool(more)
        kinds += [f"less with {', '.join(less)}"] * bool(less)
        said.append(f"{moved} (significantly {' and '.join(kinds) or 'with none'})")
    return f"A head changes that by {'; by '.join(said)}."


def _clusters(means: pd.Series, heads: list[str]) -> str:
    by_content = means["silhouette_groups"][heads] > means["silhouette"][heads]
    if by_content.all():
        return "what clusters in every head is the **content** more than the quality"
    if not by_content.any():
        return "quality separates more than content in every head"
    return f"content separates more than quality in {', '.join(by_content.index[by_content])} alone"


def _span(values: pd.Series, sign: bool = False) -> str:
    return f"{short(values.min(), sign=sign)} to {short(values.max(), sign=sign)}"


def _gap(line: pd.Series) -> pd.Series:
    """The columns of a difference under the names that `with_sign` takes."""
    return pd.Series({"difference": line["mean"], "low": line["low"], "high": line["high"]})


def _named(record: Record, name: str) -> str:
    return f"{name}, before any head" if name == record.metrics["feature"] else name
