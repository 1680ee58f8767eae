import json
import re

import numpy as np
import pandas as pd
import pytest

from iqa.report import charts, show

ROWS = pd.DataFrame(
    {
        "head": ["relu", "sigmoid"],
        "difference": [0.1234, -0.05],
        "low": [0.1, np.nan],
        "high": [0.2, np.nan],
        "p": [0.0001, 0.25],
        "verdict": ["better", "undecided"],
        "set": ["CLIVE", "CLIVE"],
    }
)


def test_a_table_is_html_with_rounded_numbers_and_withheld_intervals():
    text = show.table(ROWS, name="rows").data
    cells = re.findall(r"<td>([^<]*)</td>", text)
    assert cells[:7] == ["CLIVE", "relu", "better", "0.123", "0.100", "0.200", "&lt; .001"]
    assert cells[8:] == ["sigmoid", "undecided", "-0.050", "–", "–", ".250"]
    assert 'data-name="rows"' in text


def test_a_learning_rate_is_shown_whole():
    text = show.table(pd.DataFrame({"learning_rate": [1e-4], "srcc": [0.71234]})).data
    assert re.findall(r"<td>([^<]*)</td>", text) == ["0.0001", "0.712"]


@pytest.mark.parametrize(
    ("p", "told"), [([0.0313, 0.0001], [".031", "&lt; .001"]), ([float("nan")], ["–"])]
)
def test_p_values_are_written_short_and_withheld_ones_as_a_dash(p, told):
    assert re.findall(r"<td>([^<]*)</td>", show.table(pd.DataFrame({"p": p})).data) == told


def test_differences_are_drawn_with_zero():
    gains = ROWS.assign(difference=0.15, low=0.1, high=0.2)
    (panel,) = charts.intervals(gains, "difference", "head", "SRCC minus that of ReLU")
    scale = panel.to_dict()["layer"][1]["encoding"]["x"]["scale"]
    assert scale["domain"] == [0, 0.2]


def test_a_chart_has_a_picture_with_text_a_sentence_and_its_own_data():
    chart = charts.intervals(ROWS, "difference", "head", "SRCC minus that of ReLU")
    text = charts.show(chart, 'Sigmoid is "ahead".').data
    assert charts.LEGEND in text
    assert text.endswith('aria-hidden="true">Sigmoid is &quot;ahead&quot;.</p>')
    levels = charts.intervals(ROWS.drop(columns="verdict"), "difference", "head", "SRCC")
    assert charts.LEGEND not in charts.show(levels, "").data
    assert 'aria-label="Sigmoid is &quot;ahead&quot;."' in text
    assert ">sigmoid</text>" in text
    assert "SRCC minus that of ReLU" in text
    spec = json.loads(re.search(r'<script type="application/json">(.*?)</script>', text, re.S)[1])
    assert spec["config"]["background"] == "transparent"
    assert "http" not in text.replace("http://www.w3.org", "").replace(spec["$schema"], "")


def test_a_head_has_one_colour_wherever_it_is_shown():
    for names in (["ReLU", "sigmoid"], ["sigmoid", "GELU", "ReLU"]):
        scale = charts.colour("head:N", names, True).to_dict()["scale"]
        shades = dict(zip(scale["domain"], scale["range"], strict=True))
        assert shades["ReLU"] == charts.HEADS["ReLU"]
        assert shades["sigmoid"] == charts.HEADS["sigmoid"]
    assert len(set(charts.HEADS.values())) == len(charts.HEADS)


def test_a_change_is_called_larger_and_has_no_colour_of_a_verdict():
    change, gain = (show.claim(name).data for name in ("rate-gap-clive", "sigmoid-paper-clive"))
    assert '<p class="claim larger"><span class="verdict">↑ larger</span>' in change
    assert '<p class="claim better"><span class="verdict">✓ better' in gain


def test_of_many_claims_the_first_stand_open_and_the_verdicts_of_the_rest_are_counted():
    names = ["sigmoid-paper-biq2021", "sigmoid-paper-agiqa3k", "sigmoid-paper-clive"]
    assert "<details" not in show.claim(*names, "sigmoid-own-clive").data
    text = show.claim(*names, "sigmoid-own-clive", "rate-gap-clive").data
    opened, folded = text.split('<details class="claims">')
    assert opened.count('<p class="claim') == 3
    assert "<summary>2 more results: ? 1 undecided, ↑ 1 larger</summary>" in folded
    assert folded.count('<p class="claim') == 2
