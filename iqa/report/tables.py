"""Numbers as text: the formats of the report's tables."""

import pandas as pd


def with_interval(value: float, low: float, high: float) -> str:
    """A figure with its 95 % interval.

    >>> with_interval(0.8512, 0.8, 0.9)
    '.851 [.800, .900]'
    """
    return f"{short(value)} [{short(low)}, {short(high)}]"


def with_sign(gap: pd.Series) -> str:
    """A difference with its 95 % interval, each with its sign.

    >>> with_sign(pd.Series({"difference": 0.1, "low": -0.02, "high": 0.2}))
    '+.100 [−.020, +.200]'
    """
    value, low, high = (short(gap[name], sign=True) for name in ("difference", "low", "high"))
    return f"{value} [{low}, {high}]"


def with_doubt(gap: pd.Series) -> str:
    """`with_sign`, and whether the difference is not significant by its `p_holm`.

    >>> with_doubt(pd.Series({"difference": 0.1, "low": -0.02, "high": 0.2, "p_holm": 0.4}))
    '+.100 [−.020, +.200], not significant'
    """
    return with_sign(gap) + ("" if gap["p_holm"] < 0.05 else ", not significant")


def short(value: float, digits: int = 3, sign: bool = False) -> str:
    """A correlation or a difference without its leading zero; a dash where it is undefined.

    >>> short(0.8512), short(-0.02, sign=True), short(-1.0), short(float("nan"))
    ('.851', '−.020', '−1.000', '–')
    """
    if pd.isna(value):
        return "–"
    text = f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def unbroken(text: str) -> str:
    r"""`text` with spaces at which a line does not break, for narrow cells.

    >>> unbroken("+.1 [.0, .2]") == "+.1\u00a0[.0,\u00a0.2]"
    True
    """
    return text.replace(" ", "\u00a0")


def p_value(value: float) -> str:
    """A p-value to two digits.

    >>> p_value(0.0421), p_value(0.0002)
    ('.042', '< .001')
    """
    return "< .001" if value < 0.001 else short(value, 3 if value < 0.1 else 2)


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table, text to the left, its first column's names as given."""
    return table.to_markdown(index=False, disable_numparse=True, stralign="left")


def listing(words: list[str]) -> str:
    """Words as an English list.

    >>> listing(["a"]), listing(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
