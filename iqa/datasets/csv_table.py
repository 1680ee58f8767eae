"""Any table of image paths and scores, loaded by a name that begins with `csv:`.

`csv:ratings.csv?image=file&score=mos&group=scene&split=set&low=1&high=5`: the columns and the scale
after the question mark are optional. Columns that are not named are guessed from usual names, and
the scale is taken from the data; `DatasetInfo.where` says what was taken. Further options are
`better=lower`, for scores that fall with quality, and `root`, the folder that paths are relative to
(by default the table's).
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pandas as pd

from iqa.datasets import rows
from iqa.datasets.files import content_fingerprint, with_paths
from iqa.datasets.types import Dataset, DatasetInfo
from iqa.errors import UserError, unknown

PREFIX = "csv:"
USUAL = {
    "image": (
        "image", "image_path", "image_name", "path", "filepath", "file_path", "file", "filename",
        "file_name", "img", "img_path", "img_name", "dist_img", "name", "id",
    ),
    "score": ("score", "mos", "dmos", "mos_zscore", "mos_quality", "quality", "rating"),
    "group": ("group", "content", "scene", "reference", "ref_img", "ref", "prompt"),
    "split": ("split", "set", "subset", "side"),
}  # fmt: skip
OPTIONS = (*USUAL, "low", "high", "better", "root")


@dataclass(frozen=True)
class Source:
    """A `csv:` name taken apart.

    Attributes:
        name: the whole of it.
        path: the table.
        options: what stands after the question mark.
    """

    name: str
    path: Path
    options: dict[str, str] = field(default_factory=dict)


def parse(name: str) -> Source:
    """Take a name apart.

    >>> parse("csv:a.csv?score=mos&low=1").options
    {'score': 'mos', 'low': '1'}

    Raises:
        UserError: an option is unknown, or the table is not there.
    """
    path, _, query = name.removeprefix(PREFIX).partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    for option in options:
        if option not in OPTIONS:
            raise unknown("option of csv:", option, list(OPTIONS))
    if options.get("better", "higher") not in ("higher", "lower"):
        raise unknown("value of better", options["better"], ["higher", "lower"])
    return Source(name, Path(path).expanduser(), options)


def absolute(name: str) -> str:
    """The same table by a name that means it in any working directory.

    >>> absolute("csv:/data/a.csv?score=mos")
    'csv:/data/a.csv?score=mos'

    Raises:
        UserError: as `parse`.
    """
    source = parse(name)
    options = source.options
    if "root" in options:
        options = options | {"root": str(Path(options["root"]).expanduser().absolute())}
    query = f"?{urlencode(options, safe='/')}" if options else ""
    return f"{PREFIX}{source.path.absolute()}{query}"


def describe(source: Source) -> DatasetInfo:
    """What the table says of itself; no image is looked for."""
    return _read(source)[0]


def load(source: Source) -> Dataset:
    """Read the table and find its images; none is decoded.

    Raises:
        UserError: the table, a column or an image is missing, or a row is faulty.
    """
    info, table = _read(source)
    root = Path(source.options.get("root", source.path.parent)).expanduser()
    remedy = (
        "say which folder the paths are relative to by ?root=FOLDER, or which column holds them by "
        "?image=COLUMN"
    )
    table = with_paths(table, root, info.name, remedy)
    return Dataset(info, table, content_fingerprint(table))


def _read(source: Source) -> tuple[DatasetInfo, pd.DataFrame]:
    raw = _parse(source.path)
    chosen = {role: _choose(raw, role, source) for role in USUAL}
    names = rows.column(raw, (chosen["image"] or "image",), source.path)
    names = names.astype("string").str.strip().astype(object)
    score = rows.column(raw, (chosen["score"] or "score",), source.path)
    scores = rows.numbers(score, names, source.path)
    info = _info(source, chosen, scores)
    rows.check(names, scores, info.low, info.high, source.path)
    table = pd.DataFrame({"id": names, "score": scores, "target": info.to_target(scores)})
    table["group"] = (
        rows.groups(raw[chosen["group"]], names, source.path) if chosen["group"] else names
    )
    if chosen["split"]:
        table["split"] = rows.sides(raw[chosen["split"]], names, source.path)
    return info, table.reset_index(drop=True)


def _parse(path: Path) -> pd.DataFrame:
    """The rows as text columns where they are text; the separator is the header's most frequent."""
    if not path.is_file():
        raise UserError(f"table {path} not found; give its path as csv:PATH")
    try:
        with path.open(encoding="utf-8-sig") as lines:
            header = lines.readline()
        separator = max(",;\t", key=header.count)
        raw = pd.read_csv(
            path, sep=separator, skipinitialspace=True, encoding="utf-8-sig", dtype=str
        )
    except (OSError, ValueError) as fault:
        reason = " ".join(str(fault).split())
        raise UserError(
            f"table {path} cannot be read ({reason}); save it as UTF-8 with a header and commas"
        ) from fault
    raw.columns = raw.columns.str.strip()
    return raw.dropna(axis="columns", how="all").dropna(how="all")


def _choose(raw: pd.DataFrame, role: str, source: Source) -> str | None:
    """The column named for a role, else the first usual one, whatever its case; else None."""
    if role in source.options:
        return str(rows.column(raw, (source.options[role],), source.path).name)
    by_lower = {str(name).lower(): str(name) for name in reversed(raw.columns)}
    found = [by_lower[usual] for usual in USUAL[role] if usual in by_lower]
    if not found and role in ("image", "score"):
        raise UserError(
            f"{source.path}: no column of {role}s recognised (found: {', '.join(raw.columns)}); "
            f"name it: csv:{source.path}?{role}=COLUMN"
        )
    return found[0] if found else None


def _info(source: Source, chosen: dict[str, str | None], scores: pd.Series) -> DatasetInfo:
    low, high = _scale(source, scores)
    higher = source.options.get("better", "higher") == "higher"
    given = [end for end in ("low", "high") if end in source.options]
    scale = "given" if len(given) == 2 else "taken from the data" if not given else "half given"
    columns = ", ".join(f"{role} `{name or 'none'}`" for role, name in chosen.items())
    score = str(chosen["score"])
    return DatasetInfo(
        name=source.name,
        title=source.path.stem,
        score_kind="DMOS" if "dmos" in score.lower() else "MOS",
        low=low,
        high=high,
        higher_is_better=higher,
        group_rule=f"column `{chosen['group']}`" if chosen["group"] else "every image is its own",
        licence="the owner's",
        citation="",
        expected_rows=None,
        where=f"columns: {columns}; scale {low:g} to {high:g} {scale}, "
        f"{'higher' if higher else 'lower'} is better; to choose otherwise: "
        f"csv:PATH?image=COLUMN&score=COLUMN&group=COLUMN&low=1&high=5&better=lower",
    )


def _scale(source: Source, scores: pd.Series) -> tuple[float, float]:
    """Both ends of the scale, each as given or else the extreme of the data."""
    ends = {"low": scores.min(), "high": scores.max()}
    for end in ends:
        try:
            ends[end] = float(source.options.get(end, ends[end]))
        except ValueError:
            raise UserError(
                f"{source.name}: {end} is '{source.options[end]}', expected a number"
            ) from None
    if not ends["low"] < ends["high"]:
        raise UserError(
            f"{source.name}: scale {ends['low']:g} to {ends['high']:g} is empty, expected low < "
            f"high; give both: ?low=1&high=5"
        )
    return float(ends["low"]), float(ends["high"])
