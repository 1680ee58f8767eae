# features -> notebooks -> book, for one profile:
#   snakemake --cores all --config profile=demo
# A rule runs when one of its inputs is newer than its stamp; `iqa features` and `iqa run` then look
# at what really changed, and do nothing where their result is up to date.
from iqa.experiments import project_root, read_profile
from iqa.experiments.parameters import merged

PROFILE = read_profile(config.get("profile", "demo"))
RUNS = {spec.label: spec for spec in PROFILE.resolved()}
CODE = [str(p) for p in Path("iqa").rglob("*.py") if p.parts[1] not in ("report", "cli")]
PAGES = [str(p) for p in Path("book").rglob("*") if p.is_file()]
REPORT = [str(p) for p in Path("iqa/report").rglob("*.py")]
STAMPS = f"build/stamps/{PROFILE.name}"
SITE = "build/report" if PROFILE.name == "demo" else f"build/report-{PROFILE.name}"


def notebook(wildcards):
    return f"notebooks/{RUNS[wildcards.run].experiment}.ipynb"


def features_of(spec):
    """The words of the `iqa features` call that a run needs, joined by commas; none without."""
    values = merged(Path(f"notebooks/{spec.experiment}.ipynb"), spec.parameters)
    if "backbone" not in values:
        return []
    names = ("dataset", "backbone", "weights", "input_size")
    return [f"{STAMPS}/features/{','.join(str(values[name]) for name in names)}"]


rule all:
    input:
        f"{SITE}/index.html",


rule runs:
    input:
        expand(STAMPS + "/runs/{run}", run=RUNS),


rule features:
    input:
        CODE,
    output:
        touch(STAMPS + "/features/{dataset},{backbone},{weights},{size}"),
    threads: workflow.cores
    shell:
        # Quoted: the name of a csv: table may hold characters of the shell's, as in `?low=1&high=5`.
        "iqa features {wildcards.dataset:q} {wildcards.backbone:q}"
        " --weights {wildcards.weights:q} --input-size {wildcards.size:q}"


rule run:
    input:
        CODE,
        f"profiles/{PROFILE.name}.yaml",
        notebook,
        lambda wildcards: features_of(RUNS[wildcards.run]),
    output:
        touch(STAMPS + "/runs/{run}"),
    # One core a run (Snakemake sets OMP_NUM_THREADS to it): runs side by side use a machine better
    # than one at a time on all cores, since much of a run is start-up.
    threads: 1
    shell:
        "iqa run {wildcards.run:q} --profile {PROFILE.name:q}"


rule book:
    input:
        expand(STAMPS + "/runs/{run}", run=RUNS),
        PAGES,
        REPORT,
        [str(p) for p in Path("results/literature").glob("*.csv")],
        [str(p) for p in Path("results/runs").rglob("record.json")],
    output:
        f"{SITE}/index.html",
    params:
        source=f"build/book/{PROFILE.name}",
        site=SITE,
    shell:
        # Warnings are errors; the built pages replace the old ones only when all is well.
        "python -m iqa.report {PROFILE.name} {params.source}"
        " && jupyter-book build {params.source} --all -W -n --keep-going --quiet"
        " && python tests/check_pages.py {params.source}/_build/html"
        " && rm -rf {params.site} && mv {params.source}/_build/html {params.site}"
