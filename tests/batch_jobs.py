"""The jobs that tests of batches run."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trimatte.batch import jobs_from_files

QUICK = {"method": "closed-form"}


def jobs(output="out/{stem}.png", *, options=QUICK, **more):
    """Jobs for all pictures; those without options ask for a method that is quicker than the default."""
    return jobs_from_files("in/*.png", output, trimaps="tri/{stem}.png", options=options, **more)


def in_threads():
    """Quick: the same code as in processes, without starting them."""
    return ThreadPoolExecutor(2)


def contents(folder="out"):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.suffix != ".jsonl"}
