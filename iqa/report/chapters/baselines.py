"""What the MLP head has to beat, and what it lacks where ridge beats it."""

from pathlib import Path

import pandas as pd

from iqa.experiments import Record, read_record
from iqa.report import figures
from iqa.report.chapters.fragments import save_figure, save_provenance, save_text, what_was_run
from iqa.report.chapters.variants import gap, said_gap, table
from iqa.report.tables import (
    listing,
    markdown,
    p_value,
    short,
    with_doubt,
    with_interval,
    with_sign,
)

RIDGE, LOOSE = "ridge", "ridge, hardly any penalty"
STUDIED, TUNED = "as studied", "chosen on validation"
SQUARES = "least squares"  # the head under which ridge stands beside `LOOSE`
SCENES = "SVR on scene statistics"


def write(run: Path, folder: Path) -> None:
    """Write the fragments of the chapter from the record in `run`."""
    record, tables = read_record(run)
    heads, gaps, gains = tables["heads"], tables["gaps"], tables["gains"]
    comparisons = tables["comparisons"].query("figure == 'srcc'")
    save_text(folder, "setting", what_was_run(record))
    save_text(folder, "findings", findings(record, heads, comparisons))
    save_text(folder, "table", markdown(main_table(heads, comparisons, tables["choices"])))
    save_figure(
        folder,
        "regressors",
        figures.heads_with_intervals(
            heads, comparisons, "relu", record.dataset.score_kind, what="regressor"
        ),
    )
    save_text(folder, "why", why(record, gaps, gains, tables["fits"]))
    shown = gaps[gaps["head"] != SQUARES]
    save_text(folder, "reasons", markdown(reasons_table(shown, gains, tables["fits"])))
    save_figure(folder, "reasons", figures.variants(shown, RIDGE))
    save_provenance(folder, record, "baselines")


def main_table(
    heads: pd.DataFrame, comparisons: pd.DataFrame, choices: pd.DataFrame
) -> pd.DataFrame:
    """A row a regressor: SRCC, its difference to the relu head, and what was chosen how often."""
    gaps = comparisons.set_index("head")
    rows = []
    for line in heads.itertuples():
        row = {
            "regressor": line.head,
            "SRCC [95 %]": with_interval(line.srcc, line.low, line.high),
        }
        if line.head in gaps.index:
            row["minus relu [95 %]"] = with_sign(gaps.loc[line.head])
            row["p (Holm)"] = p_value(gaps.loc[line.head, "p_holm"])
        chosen = choices.query("head == @line.head")["settings"].value_counts()
        if len(chosen):
            row["chosen most often"] = f"{chosen.index[0]} ({chosen.iloc[0]} of {chosen.sum()})"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def reasons_table(gaps: pd.DataFrame, gains: pd.DataFrame, fits: pd.DataFrame) -> pd.DataFrame:
    """A row a head and way of training: its gap to ridge, its gain, its fit of training images."""
    rows = table(gaps, "training").rename(
        columns={"minus baseline [95 %]": "minus ridge [95 %]", "p (Holm)": "p (Holm), ridge"}
    )
    keys = pd.MultiIndex.from_frame(gaps[["head", "variant"]])
    gained = gains.set_index(["head", "variant"]).reindex(keys)
    rows["minus as studied [95 %]"] = [
        "" if pd.isna(line["difference"]) else with_sign(gap(line)) for _, line in gained.iterrows()
    ]
    fitted = fits.groupby(["head", "variant"])["train_srcc"].mean().reindex(keys)
    rows["SRCC, training images"] = ["" if pd.isna(value) else short(value) for value in fitted]
    return rows


def findings(record: Record, heads: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """How the regressors stand to each other and to the heads, in sentences."""
    srcc = heads.set_index("head")["srcc"]
    gaps = comparisons.set_index("head")
    order = " > ".join(f"{name} {short(value)}" for name, value in srcc.items())
    ours = [name for name in srcc.index if name in record.parameters["heads"]]
    above = [name for name in ours if srcc[name] > srcc[RIDGE]]
    lines = [
        f"- In order: {order}.",
        f"- **Ridge** minus the relu head: {with_doubt(gaps.loc[RIDGE])}. "
        + (
            f"It is above all {len(ours)} MLP heads."
            if not above
            else f"Above it is {listing(above)}."
        ),
    ]
    for name in ("SVR", "boosting"):
        lines.append(
            f"- **{name}** on the same features, minus relu: {with_doubt(gaps.loc[name])}."
        )
    lines.append(
        f"- **Natural scene statistics**, 36 numbers without a network: SRCC "
        f"{short(srcc[SCENES])}; minus relu: {with_doubt(gaps.loc[SCENES])}."
    )
    return "\n".join(lines)


def why(record: Record, gaps: pd.DataFrame, gains: pd.DataFrame, fits: pd.DataFrame) -> str:
    """Which of the candidate reasons the numbers support, in sentences."""
    gap_of, gain_of = (t.set_index(["head", "variant"]) for t in (gaps, gains))
    looked, averaged = record.metrics["looked_into"], record.metrics["averaged"]
    some, of = record.metrics["looked_into_splits"], len(record.splits)
    splits = f"all {of} splits" if some == of else f"the first {some} of {of} splits"
    gaps_as_studied = [f"{head} {with_sign(gap(gap_of.loc[head, STUDIED]))}" for head in looked]
    lines = [
        f"- **The gap.** MLP heads minus ridge, seed {record.metrics['looked_into_seed']}, on the "
        f"{record.metrics['looked_into_images']:,} test images of {splits}, to which all that "
        f"follows refers: {listing(gaps_as_studied)}.",
        penalty(record, gap_of.loc[SQUARES, LOOSE]),
        closeness(record, fits),
    ]
    single = list(record.parameters["trainings"])
    lines += [f"- *{name}* adds, by {each(looked, name, gain_of)}." for name in single]
    for name, what in (
        (TUNED, "**The best of these by validation**, chosen for each split as ridge's penalty is"),
        (averaged, f"**The {averaged}** of each head, in all else as studied,"),
    ):
        lines.append(
            f"- {what} adds, by {each(looked, name, gain_of)}. Minus ridge: "
            f"{each(looked, name, gap_of)}."
        )
    return "\n".join([*lines, *conclusion(looked, [*single, averaged], averaged, gain_of, gap_of)])


def each(looked: list[str], way: str, table: pd.DataFrame) -> str:
    """The difference of one way of training in a table by head and variant, for each head."""
    return "; ".join(f"{head} {said_gap(table.loc[head, way])}" for head in looked)


def penalty(record: Record, loose: pd.Series) -> str:
    """What ridge's own penalty is worth."""
    said = (
        f"with hardly any penalty minus ridge: {said_gap(loose)}, SRCC {short(loose['srcc'])}. "
        f"There are {record.metrics['features']:,} features and "
        f"{record.metrics['training_images']:,} training images."
    )
    if surely_worse(loose):
        return f"- **A linear map by itself is not what wins, its penalty is**: {said}"
    return f"- **The penalty is not shown to matter**: {said}"


def closeness(record: Record, fits: pd.DataFrame) -> str:
    """Whether heads fit their training images more closely than ridge does, or less."""
    fitted = fits.groupby(["head", "variant"])["train_srcc"].mean()
    ridge = record.metrics["ridge_train_srcc"]
    said = [
        f"{head} with {short(fitted[head, STUDIED])}, "
        + ("**more closely**" if fitted[head, STUDIED] > ridge else "**less closely**")
        for head in record.metrics["looked_into"]
    ]
    return (
        f"- **Trained too little?** Ridge orders the images it was trained on with SRCC "
        f"{short(ridge)}; {'; '.join(said)}."
    )


def conclusion(
    looked: list[str], ways: list[str], averaged: str, gain_of: pd.DataFrame, gap_of: pd.DataFrame
) -> list[str]:
    """What helps surely, and whether it closes the gap; for each head that ridge surely beats.

    The gap as studied is what the page asks about, one comparison: its own interval decides.
    """
    lines = []
    for head in looked:
        studied = gap_of.loc[head, STUDIED]
        if not studied["high_gap"] < 0:
            lines.append(f"- **{head}**: ridge is not surely better, so nothing to explain.")
            continue
        helps = [way for way in ways if surely_better(gain_of.loc[head, way])]
        closed = [way for way in helps if not surely_worse(gap_of.loc[head, way])]
        lines.append(f"- **{head}, in short**: " + said_help(helps, closed))
        if averaged in helps:
            gained, missing = gain_of.loc[head, averaged]["difference"], -studied["difference"]
            lines[-1] += (
                " The heads averaged differ only in random start and order of the images; "
                f"averaging closes {gained / missing:.0%} of the gap, so that much of it is the "
                "noise of one start."
            )
    return lines


def said_help(helps: list[str], closed: list[str]) -> str:
    """What helps, and what of it leaves no significant gap."""
    if not helps:
        return "none of the changes helps significantly; the reason was **not found**."
    named = listing([f"*{way}*" for way in helps])
    if not closed:
        return f"{named} help significantly, but each leaves ridge significantly ahead."
    left = listing([f"*{way}*" for way in closed])
    return f"{named} help significantly; with {left} ridge is no longer significantly ahead."


def surely_better(line: pd.Series) -> bool:
    """A significant difference upwards."""
    return bool(line["p_holm"] < 0.05 and line["difference"] > 0)


def surely_worse(line: pd.Series) -> bool:
    """A significant difference downwards."""
    return bool(line["p_holm"] < 0.05 and line["difference"] < 0)
