import pandas as pd

from iqa.report import figures
from iqa.report.chapters.variants import ranking, table

SUMMARY = pd.DataFrame(
    {
        "head": ["relu", "relu", "sigmoid", "sigmoid"],
        "variant": ["clean", "leaky", "leaky", "clean"],
        "srcc": [0.8, 0.7, 0.9, 0.6],
        "low": [0.7, 0.6, 0.8, 0.5],
        "high": [0.9, 0.8, 0.95, 0.7],
        "difference": [None, -0.1, 0.3, None],
        "low_gap": [None, -0.2, 0.2, None],
        "high_gap": [None, 0.05, 0.4, None],
        "p": [None, 0.2, 0.0002, None],
        "p_holm": [None, 0.2, 0.0002, None],
    }
).astype(dict.fromkeys(("difference", "low_gap", "high_gap", "p", "p_holm"), float))


def test_the_table_says_each_variant_and_leaves_the_baselines_gap_empty():
    rows = table(SUMMARY, "protocol")
    assert list(rows["protocol"]) == ["clean", "leaky", "leaky", "clean"]
    assert list(rows["SRCC [95 %]"])[2] == ".900 [.800, .950]"
    gaps = ["", "−.100 [−.200, +.050]", "+.300 [+.200, +.400]", ""]
    assert list(rows["minus baseline [95 %]"]) == gaps
    assert list(rows["p (Holm)"]) == ["", ".20", "< .001", ""]


def test_heads_are_ranked_under_one_variant():
    assert ranking(SUMMARY, "clean") == "relu .800 > sigmoid .600"
    assert ranking(SUMMARY, "leaky") == "sigmoid .900 > relu .700"


def test_the_figure_has_a_panel_a_head_with_the_same_rows_in_each():
    figure = figures.variants(SUMMARY, "clean")
    assert [ax.get_title("left") for ax in figure.axes] == ["relu", "sigmoid"]
    for ax, head in zip(figure.axes, ("relu", "sigmoid"), strict=True):
        by_variant = SUMMARY[SUMMARY["head"] == head].set_index("variant")["srcc"]
        dots = ax.collections[1].get_offsets()[:, 0]
        assert list(dots) == [by_variant["clean"], by_variant["leaky"]]
    colours = [ax.collections[1].get_facecolors()[1][:3].tolist() for ax in figure.axes]
    assert colours[0] != colours[1]  # not sure against sure
