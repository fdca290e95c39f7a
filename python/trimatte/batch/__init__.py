"""Many pictures: side by side, within a memory budget, and again where a run was stopped."""

from __future__ import annotations

from ._jobs import KINDS, Job, jobs_from_files, jobs_from_manifest
from ._run import Status, Summary, run

__all__ = ["KINDS", "Job", "Status", "Summary", "jobs_from_files", "jobs_from_manifest", "run"]
