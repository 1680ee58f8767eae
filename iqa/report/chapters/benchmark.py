"""What was published beside what was measured here, in tables apart, and how sure either is."""

from pathlib import Path

import pandas as pd

from iqa import datasets
from iqa.evaluation import fisher_interval
from iqa.experiments import Record, project_root, read_record
from iqa.report.chapters.fragments import data_used, save_provenance, save_text
from iqa.report.chapters.literature import HEADS, TITLES
from iqa.report.chapters.measured import measured_table
from iqa.report.tables import listing, markdown, short, unbroken, with_interval

TEST_SHARE = 0.2
"""Of the images, in the 80/20 splits of the literature."""

HERE = ("clive", "agiqa3k")
"""Data sets that this project measured on."""


def write(run: Path, folder: Path) -> None:
    """Write the fragments of a run: the formula of the intervals against the bootstrap."""
    record, tables = read_record(run)
    intervals = tables["intervals"]
    save_text(folder, "setting", f"{data_used(record)} {_predicted_by(record)}")
    save_text(folder, "findings", check_findings(intervals))
    save_text(folder, "table", markdown(check_table(intervals)))
    save_provenance(folder, record, "benchmark")


def _predicted_by(record: Record) -> str:
    untrained = " (**untrained**)" if record.untrained else ""
    return (
        f"Scores are those of heads on a frozen {record.parameters['backbone']}{untrained}, under "
        f"the rigorous protocol, {record.parameters['folds']} folds pooled. The images are then "
        f"dealt into {record.metrics['parts']} test sets at random, one by one."
    )


def check_table(intervals: pd.DataFrame) -> pd.DataFrame:
    """A row a head and test set: SRCC with both intervals."""
    both = zip(
        *(intervals[c] for c in ("srcc", "formula_low", "formula_high", "low", "high")), strict=True
    )
    shown = [(with_interval(r, a, b), with_interval(r, c, d)) for r, a, b, c, d in both]
    return pd.DataFrame(
        {
            "head": intervals["head"],
            "images": intervals["images"].map("{:,}".format),
            "contents": intervals["contents"].map("{:,}".format),
            "SRCC [95 %, formula]": [formula for formula, _ in shown],
            "SRCC [95 %, bootstrap over contents]": [bootstrap for _, bootstrap in shown],
        }
    )


def check_findings(intervals: pd.DataFrame) -> str:
    """How wide the formula's intervals are beside the bootstrap's, and why they differ."""
    formula = (intervals["formula_high"] - intervals["formula_low"]).mean()
    bootstrap = (intervals["high"] - intervals["low"]).mean()
    each = (intervals["images"] / intervals["contents"]).mean()
    ratio = formula / bootstrap
    verdict = (
        "they agree to within a tenth"
        if abs(ratio - 1) <= 0.1
        else f"the formula's are {abs(1 - ratio):.0%} {'narrower' if ratio < 1 else 'wider'}"
    )
    why = (
        f" A content has {each:.1f} of the images of a test set, and the formula takes all images "
        "for independent."
        if each > 1.1 and ratio < 0.9
        else ""
    )
    return (
        f"- Over {len(intervals)} test sets of about {intervals['images'].mean():.0f} images, the "
        f"formula's interval is {short(formula)} wide on average, the bootstrap's "
        f"{short(bootstrap)}: {verdict}.{why}"
    )


def read_literature() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Published values (a row a value), cross-dataset ones, and what is known of protocols."""
    folder = project_root() / "results/literature"
    tables = {n: pd.read_csv(folder / f"{n}.csv") for n in ("table5", "others", "table3")}
    values = pd.concat([tables["table5"], tables["others"]], ignore_index=True)
    protocols = pd.read_csv(folder / "protocols.csv").set_index("method")
    return values, tables["table3"], protocols


def _images(dataset: str) -> int:
    """All images of a benchmark, which is a published number."""
    return datasets.info(dataset).expected_rows or 0


def images_in_test(dataset: str) -> int:
    """Test images in an 80/20 split of a data set.

    >>> images_in_test("clive")
    232
    """
    return round(TEST_SHARE * _images(dataset))


def published_table(values: pd.DataFrame, protocols: pd.DataFrame, sets: list[str]) -> pd.DataFrame:
    """A row a data set and method, in the order they were published: no ranking."""
    wide = values.pivot(index=["dataset", "method"], columns="metric", values="value")
    source = values.drop_duplicates(["dataset", "method"]).set_index(["dataset", "method"])
    rows = []
    for dataset in sets:
        count = images_in_test(dataset)
        for method in dict.fromkeys(values[values["dataset"] == dataset]["method"]):
            value = wide.loc[(dataset, method)]
            low, high = fisher_interval(value["SRCC"], count)
            rows.append(
                {
                    "data": TITLES[dataset],
                    "method": method + _second_hand(source.loc[(dataset, method), "read_from"]),
                    "SRCC [95 %]": unbroken(with_interval(value["SRCC"], low, high)),
                    "PLCC": short(value["PLCC"]),
                    **_protocol(protocols, method),
                }
            )
    return pd.DataFrame(rows)


def _second_hand(read_from: str) -> str:
    return " (second-hand)" if "second-hand" in read_from else ""


def _protocol(protocols: pd.DataFrame, method: str) -> dict[str, str]:
    names = ("split", "checkpoint", "backbone", "trained_parameters")
    known = protocols.loc[method] if method in protocols.index else dict.fromkeys(names, "–")
    return {name.replace("_", " "): known[name] for name in names}


def cross_table(values: pd.DataFrame) -> pd.DataFrame:
    """The known values of Table 3, all images of the target in the test set."""
    rows = []
    for _, line in values.iterrows():
        count = _images(line["target_dataset"])
        low, high = fisher_interval(line["value"], count)
        rows.append(
            {
                "method": line["method"],
                "trained on": TITLES[line["source_dataset"]],
                "tested on": f"{TITLES[line['target_dataset']]} ({count:,} images)",
                "SRCC [95 %]": with_interval(line["value"], low, high),
                "read from": line["read_from"],
            }
        )
    return pd.DataFrame(rows)


def gains(values: pd.DataFrame) -> pd.DataFrame:
    """For each data set of Table 5: the paper's best head, and what lies inside its interval.

    Columns: dataset, images, head, srcc, low, high, others (methods that are not the paper's),
    inside (those of them in the interval), best_other, lead (over it), sigmoid (B_Sig minus B),
    reach (how far down the interval of B_Sig reaches).
    """
    rows = []
    table5 = values[values["source"].str.startswith("Table 5") & (values["metric"] == "SRCC")]
    for dataset in TITLES:
        srcc = table5[table5["dataset"] == dataset].set_index("method")["value"]
        heads, others = srcc[list(HEADS)], srcc.drop(list(HEADS))
        count = images_in_test(dataset)
        low, high = fisher_interval(heads.max(), count)
        rows.append(
            {
                "dataset": dataset,
                "images": count,
                "head": heads.idxmax(),
                "srcc": heads.max(),
                "low": low,
                "high": high,
                "others": len(others),
                "inside": list(others[others.between(low, high)].index),
                "best_other": others.idxmax(),
                "lead": heads.max() - others.max(),
                "sigmoid": heads["B_Sig"] - heads["B"],
                "reach": heads["B_Sig"] - fisher_interval(heads["B_Sig"], count)[0],
            }
        )
    return pd.DataFrame(rows)


def gains_table(found: pd.DataFrame) -> pd.DataFrame:
    """`gains` for print."""
    return pd.DataFrame(
        {
            "data": found["dataset"].map(TITLES),
            "test images": found["images"].map("{:,}".format),
            "best of the paper's [95 %]": [
                f"{row['head']} {with_interval(row['srcc'], row['low'], row['high'])}"
                for _, row in found.iterrows()
            ],
            "others inside": [
                f"{len(row['inside'])} of {row['others']}"
                f"{': ' if row['inside'] else ''}{', '.join(row['inside'])}"
                for _, row in found.iterrows()
            ],
            "minus the best other": [
                f"{short(row['lead'], sign=True)} ({row['best_other']})"
                for _, row in found.iterrows()
            ],
            "B_Sig minus B": found["sigmoid"].map(lambda gap: short(gap, sign=True)),
        }
    )


def gains_findings(found: pd.DataFrame) -> str:
    """Which published leads and gains are no larger than the interval of one test set."""
    leads = found[found["lead"] > 0]
    within = leads[leads["srcc"] - leads["lead"] >= leads["low"]]
    sigmoid = found[found["sigmoid"] > 0]
    small = sigmoid[sigmoid["sigmoid"] <= sigmoid["reach"]]
    said = [
        f"A head of the paper leads Table 5 on {_titles(leads)}. The best of the others lies "
        f"inside its interval on {_titles(within)}.",
        f"B_Sig is above B on {_titles(sigmoid)}; B lies inside the interval of B_Sig on "
        f"{_titles(small)} of these.",
    ]
    return "\n".join(f"- {line}" for line in said)


def _titles(rows: pd.DataFrame) -> str:
    return listing([TITLES[name] for name in rows["dataset"]]) if len(rows) else "none of the sets"


def write_together(measured: dict[str, Path], folder: Path) -> None:
    """Write both tables, Table 3, and what the intervals say of Table 5.

    Args:
        measured: the committed runs by name.
        folder: where to.
    """
    values, cross, protocols = read_literature()
    elsewhere = [name for name in TITLES if name not in HERE]
    found = gains(values)
    save_text(folder, "published", markdown(published_table(values, protocols, list(HERE))))
    save_text(folder, "elsewhere", markdown(published_table(values, protocols, elsewhere)))
    save_text(folder, "cross", markdown(cross_table(cross)))
    save_text(folder, "gains", markdown(gains_table(found)))
    save_text(folder, "gains_findings", gains_findings(found))
    table = measured_table([read_record(run) for run in measured.values()])
    save_text(folder, "measured", markdown(table) if len(table) else "*Not run: no record.*")
