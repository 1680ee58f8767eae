# features -> notebooks -> site, for one profile:
#   snakemake --cores all --config profile=demo
#   snakemake --profile profiles/paper -n
# A run's stamp is out of date when its parameters or the code that its notebook reaches changed;
# `iqa run` then looks at the data too, and does nothing where the record is up to date. Where the data
# of a run are not there, its stamp holds the reason; the run is taken up at the next call that finds them.
import atexit
import sys

from filelock import FileLock, Timeout

from iqa.doctor import gpu_hours
from iqa.errors import UserError
from iqa.experiments import find_notebook, plan, read_profile
from iqa.experiments.keys import code_key

try:
    PROFILE = read_profile(config.get("profile", "demo"))
    RUNS = plan(PROFILE)
except UserError as fault:
    sys.exit(f"error: {fault}")  # one line, where an exception of Snakemake's would show a place
PLACES = {run: place for place, run in enumerate(RUNS, 1)}
STAMPS = f"build/stamps/{PROFILE.name}"
PAGES = [str(p) for p in Path("book").rglob("*") if p.is_file()]
REPORT = ["iqa/drawing.py", *(str(p) for p in Path("iqa/report").rglob("*.py"))]
RECORDS = [str(p) for p in Path("results").rglob("*") if p.suffix in (".json", ".yaml", ".csv")]
EXECUTED = [p.stem for p in Path("book").glob("*.md") if p.read_text().startswith("---\njupytext:")]
# It takes longest, so it begins before the others; what it converts, the start page finds.
EXECUTED.sort(key=lambda page: page != "gallery")
EXECUTED_IN = f"build/pages/{PROFILE.name}"
SITE = "build/report" if PROFILE.name == "demo" else f"build/report-{PROFILE.name}"


def text_of(path):
    return Path(path).read_text() if Path(path).is_file() else ""


def features_of(run):
    """The words of each `iqa features` call that a run needs, joined by commas; none without."""
    values = run.values
    if "backbone" not in values:
        return []
    wanted = [(name, values["weights"]) for name in [values["backbone"], *values.get("backbones", [])]]
    wanted += [(name, "none") for name in values.get("untrained", [])]
    data, size = values["dataset"], values["input_size"]
    return [f"{STAMPS}/features/{data},{name},{weights},{size}" for name, weights in wanted]


def skipped():
    """The reason of each run that was skipped, a line each."""
    reasons = {name: text_of(f"{STAMPS}/runs/{name}").strip() for name in RUNS}
    return [f"{name}: {reason}" for name, reason in reasons.items() if reason]


def say(lines):
    for line in lines:
        print(line, file=sys.stderr)


# Not in the jobs of a cluster, which read this file again.
if workflow.is_main_process:
    # The system frees this lock when its process dies. Snakemake's own (switched off in
    # profiles/default) would stay after a kill, and ask for --unlock.
    LOCK = FileLock(".snakemake/running.lock")
    try:
        if not workflow.dryrun:
            LOCK.acquire(timeout=0)
    except Timeout:
        sys.exit("error: another snakemake runs in this folder: wait for it, or stop it first")
    for name, run in RUNS.items():
        for stamp in [f"{STAMPS}/runs/{name}", *features_of(run)]:
            if not run.absent and text_of(stamp).startswith("skipped:"):
                Path(stamp).unlink()
    known = [f"profile {PROFILE.name}: {len(RUNS)} runs"]
    if PROFILE.card:
        known.append(gpu_hours.told(RUNS.values(), PROFILE.card))
        # Again at the end: thousands of planned jobs are listed in between.
        atexit.register(say, known)
    say(known)


onsuccess:
    say(skipped())


onerror:
    say(skipped())


rule all:
    input:
        f"{SITE}/index.html" if PROFILE.book else expand(STAMPS + "/runs/{run}", run=RUNS),


rule runs:
    input:
        expand(STAMPS + "/runs/{run}", run=RUNS),


rule features:
    output:
        STAMPS + "/features/{dataset},{backbone},{weights},{size}",
    threads: 64  # at most all cores of the machine; a cluster's profile says how many there
    # Before any run, since it takes all cores: else it waits for each of them to be free.
    priority: 2
    shell:
        # Quoted: the name of a csv: table may hold characters of the shell's, as in `?low=1&high=5`.
        "iqa features {wildcards.dataset:q} {wildcards.backbone:q} --weights {wildcards.weights:q}"
        " --input-size {wildcards.size:q} --skip-absent | tee {output:q}"


rule run:
    input:
        lambda wildcards: features_of(RUNS[wildcards.run]),
    output:
        STAMPS + "/runs/{run}",
    log:
        f"{PROFILE.folder}/{{run}}.log",
    params:
        values=lambda wildcards: repr(RUNS[wildcards.run].values),
        code=lambda wildcards: code_key(find_notebook(RUNS[wildcards.run].experiment)),
    # In the profile's order, which has the long ones first: else one of them ends on its own.
    priority: lambda wildcards: 1 / PLACES[wildcards.run]
    # One core a run (Snakemake sets OMP_NUM_THREADS to it): runs side by side use a machine better
    # than one at a time on all cores, since much of a run is start-up.
    threads: 1
    shell:
        # grep finds nothing, and the stamp stays empty, where the run was not skipped.
        "iqa run {wildcards.run:q} --profile {PROFILE.name:q} --skip-absent 2>&1 | tee {log:q}"
        " && (grep '^skipped:' {log:q} > {output:q} || true)"


rule pages:
    input:
        expand(STAMPS + "/runs/{run}", run=RUNS),
        REPORT,
        RECORDS,
        pages=expand("book/{page}.md", page=EXECUTED),
    output:
        expand(EXECUTED_IN + "/{page}.ipynb", page=EXECUTED),
    threads: 64  # all cores
    shell:
        # One thread a page, which has a core: more wait for each other, busily. PyTorch asks for MKL's.
        "OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 IQA_DEMO={PROFILE.folder:q}"
        " python -m iqa.report.pages {EXECUTED_IN} {input.pages:q}"


rule book:
    input:
        expand(EXECUTED_IN + "/{page}.ipynb", page=EXECUTED),
        PAGES,
        RECORDS,
    output:
        f"{SITE}/index.html",
    params:
        source=f"build/book/{PROFILE.name}",
        site=SITE,
    shell:
        # Warnings are errors; the built pages replace the old ones only when all is well.
        "python -m iqa.report.site {PROFILE.name} {EXECUTED_IN} {params.source}"
        " && jupyter-book build {params.source} --all -W -n --keep-going --quiet"
        " && python -m iqa.report.site prune {params.source}/_build/html"
        " && python tests/check_site.py {params.source}/_build/html"
        " && rm -rf {params.site} && mv {params.source}/_build/html {params.site}"
