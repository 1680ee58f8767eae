"""How much of its SRCC a head keeps with fewer training images."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.chapters.variants import said_gap, table
from iqa.report.share_curves import srcc_by_share
from iqa.report.tables import listing, markdown, short, with_sign


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    summary, gaps = tables["summary"], tables["differences"]
    save_text(folder, "setting", f"{what_was_run(record)} {steps(summary)}")
    save_text(folder, "findings", findings(record, summary, gaps))
    save_text(folder, "table", markdown(with_shares(summary)))
    save_text(folder, "differences", markdown(differences(record, gaps)))
    save_figure(folder, "shares", srcc_by_share(summary))
    save_provenance(folder, record, "data_efficiency")


def steps(summary: pd.DataFrame) -> str:
    """What was trained with each share, in a sentence; all had the same steps."""
    held = summary.drop_duplicates("variant").sort_values("share")
    first, last = held.iloc[0], held.iloc[-1]
    return (
        f"Every share had {last['steps']:.0f} steps of the optimiser, the images of a smaller one "
        f"being repeated within an epoch. The shares held {first['images']:.0f} to "
        f"{last['images']:.0f} images on average."
    )


def with_shares(summary: pd.DataFrame) -> pd.DataFrame:
    """The table of `variants.table` with what each share held and how much SRCC it kept."""
    rows = table(summary, "share")
    held = [f"{line.images:.0f} ({line.contents:.0f})" for line in summary.itertuples(index=False)]
    rows.insert(2, "images (contents)", held)
    rows.insert(4, "kept", [f"{100 * value:.0f} %" for value in summary["kept"]])
    rows.insert(5, "SD over seeds", [short(value) for value in summary["srcc_sd_seeds"]])
    return rows.rename(columns={"minus baseline [95 %]": "minus all images [95 %]"})


def differences(record: Record, gaps: pd.DataFrame) -> pd.DataFrame:
    """Each head minus the first at each share, and the change against all images."""
    rows = []
    for line in gaps.to_dict("records"):
        row = pd.Series(line)
        whole = line["variant"] == record.metrics["whole"]
        rows.append(
            {
                "head": line["head"],
                "share": line["variant"],
                f"minus {record.metrics['baseline']} [95 %]": with_sign(row),
                "minus that on all images [95 %]": "" if whole else with_sign(change(row)),
            }
        )
    return pd.DataFrame(rows)


def change(line: pd.Series) -> pd.Series:
    """By how much a difference differs from that on all images, for `with_sign`."""
    ends = {"difference": "change", "low": "change_low", "high": "change_high"}
    return pd.Series({name: line[column] for name, column in ends.items()})


def findings(record: Record, summary: pd.DataFrame, gaps: pd.DataFrame) -> str:
    """How much each share keeps, and whether heads differ more with less data, in sentences."""
    whole = record.metrics["whole"]
    lines = []
    for head, part in summary.groupby("head", sort=False):
        by_share = part.set_index("variant")
        kept = [
            f"{100 * line['kept']:.0f} % of it with {share}"
            for share, line in by_share.drop(index=whole).iterrows()
        ]
        lines.append(
            f"- **{head}** has SRCC {short(by_share.loc[whole, 'srcc'])} with all training images, "
            f"and keeps {listing(kept)}. {enough(by_share.drop(index=whole))}"
        )
    lines += [apart(record, str(head), part) for head, part in gaps.groupby("head", sort=False)]
    return "\n".join(lines)


def enough(smaller: pd.DataFrame) -> str:
    """The largest share whose fall in SRCC is confirmed, or that there is none."""
    lost = smaller[(smaller["p_holm"] < 0.05) & (smaller["difference"] < 0)].sort_values("share")
    if lost.empty:
        return "No fall in SRCC is confirmed."
    last = lost.iloc[-1]
    said = f"The fall is confirmed up to {last.name} of the images: {said_gap(last)}"
    rest = smaller[smaller["share"] > last["share"]]
    return f"{said}; not above." if len(rest) else f"{said}."


def apart(record: Record, head: str, gaps: pd.DataFrame) -> str:
    """A head minus the first by share, and whether that depends on the share."""
    whole, baseline = record.metrics["whole"], record.metrics["baseline"]
    said = [f"{with_sign(line)} at {line['variant']}" for _, line in gaps.iterrows()]
    rest = gaps[gaps["variant"] != whole]
    moved = rest[(rest["change_low"] > 0) | (rest["change_high"] < 0)]
    if moved.empty:
        verdict = (
            "Its change against all images has an interval with 0 in it at every share: that it "
            "depends on the amount of data is **not confirmed**."
        )
    else:
        by = [f"{with_sign(change(row))} at {row['variant']}" for _, row in moved.iterrows()]
        verdict = (
            f"Against all images it changes by {listing(by)}: the intervals, not corrected for "
            f"looking at {len(rest)} share{'s' if len(rest) > 1 else ''}, exclude 0."
        )
    return f"- **{head} minus {baseline}**: {listing(said)}. {verdict}"
