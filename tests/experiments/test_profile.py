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


def test_a_matrix_is_a_run_for_each_combination_under_a_name_that_tells_it(write):
    write(
        GOOD + "- experiment: toy\n  parameters: {epochs: 9}\n"
        "  matrix: {backbone: [dinov2/large, clip], seeds: [[8], [19, 25]]}"
    )
    runs = {run.label: run.parameters for run in read_profile("p").resolved()}
    assert list(runs) == [
        "toy-dinov2.large-8",
        "toy-dinov2.large-19+25",
        "toy-clip-8",
        "toy-clip-19+25",
    ]
    assert runs["toy-clip-19+25"] == {
        "epochs": 9,
        "rate": 0.1,
        "backbone": "clip",
        "seeds": [19, 25],
    }


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("{experiment: toy, matrix: {seeds: 8}}", "runs.0.matrix.seeds: Input should be a .* list"),
        ("{experiment: toy, matrix: {seeds: []}}", "runs.0.matrix.seeds: List should have at"),
        ("{experiment: toy, matrix: {seeds: [8, 8]}}", "two runs are named .*toy-8"),
        ("{experiment: toy, name: a/b}", "runs.0.name: String should match"),
        ("{experiment: toy, name: ..}", "runs.0.name: String should match"),
    ],
)
def test_a_faulty_matrix_or_name_is_refused(write, run, said):
    write(GOOD + f"- {run}")
    with pytest.raises(UserError, match=said):
        read_profile("p")
