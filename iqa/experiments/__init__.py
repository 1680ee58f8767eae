"""One run: parameters in, a record out; and the driver that executes notebooks."""

from iqa.experiments.driver import Outcome, run
from iqa.experiments.parameters import parse_assignments
from iqa.experiments.planning import Planned, check_run, find_notebook, plan, why_absent
from iqa.experiments.profile import Profile, RunSpec, override, read_profile
from iqa.experiments.record import Record, read_record, write_record

__all__ = [
    "Outcome",
    "Planned",
    "Profile",
    "Record",
    "RunSpec",
    "check_run",
    "find_notebook",
    "override",
    "parse_assignments",
    "plan",
    "read_profile",
    "read_record",
    "run",
    "why_absent",
    "write_record",
]
