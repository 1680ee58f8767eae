"""One run: parameters in, a record out; and the driver that executes notebooks."""

from iqa.experiments.driver import Outcome, run
from iqa.experiments.parameters import parse_assignments
from iqa.experiments.profile import Profile, RunSpec, override, project_root, read_profile
from iqa.experiments.record import Record, describe_run, read_record, write_record
from iqa.experiments.study import (
    Prepared,
    Study,
    cross_validate,
    fit_fold,
    predict_fold,
    prepare,
    study_record,
)

__all__ = [
    "Outcome",
    "Prepared",
    "Profile",
    "Record",
    "RunSpec",
    "Study",
    "cross_validate",
    "describe_run",
    "fit_fold",
    "override",
    "parse_assignments",
    "predict_fold",
    "prepare",
    "project_root",
    "read_profile",
    "read_record",
    "run",
    "study_record",
    "write_record",
]
