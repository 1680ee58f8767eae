"""Pages of committed runs that have no record yet."""

import pytest

from iqa.report.missing import say_missing, why_missing, without_runs

PAGE = """# Title

```{include} _generated/human/there/srcc.md
```

:::{dropdown} The table
```{include} _generated/human/gone/srcc.md
```
:::

```{figure} _generated/human/gone/intervals.svg
:class: figure-wide
A caption with `code`.
```

```{figure} _generated/human/gone-too/intervals.svg
Another run.
```

```bash
iqa score
```
"""


def test_every_figure_of_a_missing_run_gives_way_to_a_line_that_names_it():
    page = without_runs(PAGE, {"human/gone": "Not run"})
    assert page.count("*Not run: there is no record of `gone`.*") == 2
    assert "human/gone/" not in page
    assert "A caption" not in page
    assert ":::{dropdown} The table\n*Not run: there is no record of `gone`.*\n:::" in page


def test_runs_that_are_there_and_other_blocks_stay():
    page = without_runs(PAGE, {"human/gone": "Not run"})
    assert "```{include} _generated/human/there/srcc.md\n```" in page
    assert "```{figure} _generated/human/gone-too/intervals.svg\nAnother run.\n```" in page
    assert "```bash\niqa score\n```" in page


def test_notes_on_one_run_that_follow_each_other_are_said_once():
    block = "```{include} _generated/human/gone/a.md\n```\n\n"
    assert without_runs(3 * block + "Text.\n", {"human/gone": "Not run"}).count("Not run") == 1


@pytest.mark.parametrize("reasons", [{}, {"human/elsewhere": "Not run"}])
def test_where_nothing_is_missing_a_page_stays_as_it_is(tmp_path, reasons):
    (tmp_path / "page.md").write_text(PAGE)
    say_missing(tmp_path, reasons)
    assert (tmp_path / "page.md").read_text() == PAGE


def test_a_skipped_run_is_told_with_its_reason_as_it_is():
    reason = r"Skipped: dataset `x_y`: folder C:\1*g_ not found"
    page = without_runs(PAGE, {"human/gone": reason})
    assert page.count(reason) == 2
    assert "human/gone/" not in page
    assert "human/gone-too/" in page


def test_the_reason_is_read_from_the_log_beside_the_run(tmp_path):
    run = tmp_path / "toy"
    assert why_missing(run) == "Not run"
    (tmp_path / "toy.log").write_text("note: x\nskipped: dataset `spaq`: not found\n")
    assert why_missing(run) == "Skipped: dataset `spaq`: not found"
    (tmp_path / "toy.log").write_text("error: experiment toy failed\n")
    assert why_missing(run) == "Not run"
    run.mkdir()
    (run / "record.json").touch()
    assert why_missing(run) == ""
