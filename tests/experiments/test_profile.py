import pytest

from iqa.errors import UserError
from iqa.experiments import read_profile

GOOD = "title: T\nfolder: runs\nparameters: {epochs: 2, rate: 0.1}\nruns:\n"


@pytest.fixture
def write(project):
    def write_profile(text):
        (project / "profiles").mkdir(exist_ok=True)
        (project / "profiles" / "p.yaml").write_text(text)

    return write_profile


def test_a_runs_own_parameters_win_over_the_common_ones(write):
    write(GOOD + "- {experiment: toy, name: long, parameters: {epochs: 9}}\n- experiment: toy")
    profile = read_profile("p")
    assert profile.find("long").parameters == {"epochs": 9, "rate": 0.1}
    assert profile.find("toy").parameters == {"epochs": 2, "rate": 0.1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "- {experiment: toy, epochs: 3}", r"runs.0.epochs: Extra inputs"),
        ("title: T\nfolder: f\nruns: []", "runs: List should have at least 1"),
        (GOOD + "- experiment: toy\n- experiment: toy", "two runs are named"),
        ("title: [", "p.yaml: while parsing"),
        ("just words", "expected `title:`"),
        ("name: q\ntitle: T\nfolder: f\nruns: [{experiment: toy}]", "multiple values"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(write, text, said):
    write(text)
    with pytest.raises(UserError, match=said) as fault:
        read_profile("p")
    assert "\n" not in str(fault.value)


def test_unknown_names_list_the_known_ones(write):
    write(GOOD + "- experiment: toy")
    with pytest.raises(UserError, match="unknown profile 'q': choose one of p"):
        read_profile("q")
    with pytest.raises(
        UserError, match="unknown experiment of profile p 'gate': choose one of toy"
    ):
        read_profile("p").find("gate")
