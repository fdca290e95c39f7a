"""Runs methods on data sets: side by side, again where it was stopped, and on past failures."""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path

from .. import _check, metrics
from .._pixels import eight_bits
from .._runtime.jobs import TaskQueue, WorkerDied, in_processes
from .._runtime.log import RecordLog
from .._runtime.threads import thread_count
from ..datasets import Dataset, Sample
from ..datasets._dataset import Source
from ..errors import DatasetError
from ..io.write import check_folder, save_image
from ..versions import versions
from . import _memory
from ._methods import Method, said, slug, slugged
from ._records import Evaluation, Record, in_order

Progress = Callable[[int, int, Record], object]
_Key = tuple[str, str, str]

JOURNAL = "records.jsonl"
ALPHAS = "alphas"


@dataclass(frozen=True)
class _Job:
    dataset: str
    source: Source
    method: Method
    threads: int
    alpha_path: str | None
    state: str

    @property
    def key(self) -> _Key:
        return self.dataset, self.source.name, self.method.name


def evaluate(
    methods: Sequence[str | Method],
    datasets: Sequence[Dataset],
    *,
    output: str | os.PathLike[str] | None = None,
    jobs: int = 1,
    threads: int | None = None,
    resume: bool = True,
    progress: Progress | None = None,
) -> Evaluation:
    """Run methods on the samples of data sets and measure what they make.

    Parameters
    ----------
    methods : sequence of str or Method
        See :class:`Method`.
    datasets : sequence of Dataset
        See :mod:`trimatte.datasets`. Their names differ.
    output : str or path-like, optional
        A folder, which is made if missing. It gets ``results.json``, ``results.csv``, the alphas as
        pictures of 8 bits in ``alphas/method/dataset/sample.png``, and ``records.jsonl``, one line
        per record as it is finished. The results are those of this call's methods and samples
        alone; they replace those that the folder had. By default nothing is written.
    jobs : int, default 1
        How many samples are worked on side by side, each in a process of its own, which is started
        anew (spawn), so that a script needs the usual ``if __name__ == "__main__":``. 1 runs in
        this process. Seconds are only worth comparing at 1.
    threads : int, optional
        Threads of each job, for methods of trimatte. Default: all usable cores, divided by `jobs`.
    resume : bool, default True
        Whether to take over the records that `output` already has, unless the sample, the method
        (its options, the file of its function, the finished alpha) or the version of trimatte has
        changed since, or the alpha is gone. Failures are run again. Records of other samples and
        methods stay in ``records.jsonl`` for later. With False all earlier records go.
    progress : callable, optional
        Called as ``progress(done, total, record)`` after each record.

    Returns
    -------
    Evaluation
        A method that raises, or returns no alpha of the right shape in [0, 1], and a sample that
        cannot be read, give a record with `failure`; the run goes on.

    Raises
    ------
    ValueError
        If a method is unknown, its function cannot be imported, an option is out of range, two
        methods have one name, or two data sets have one name.
    DatasetError
        If there is nothing to do, or another run is using `output`.
    OSError
        If `output` cannot be written.

    Examples
    --------
    >>> import trimatte as tm
    >>> scenes = tm.datasets.scenes(height=48, width=64).select(["hair"])
    >>> found = tm.evaluation.evaluate(["closed-form"], [scenes])
    >>> [(record.sample, record.failure) for record in found.records]
    [('hair', None)]
    """
    jobs = _check.at_least(jobs, 1, "jobs", 1024)
    count = max(1, thread_count(None) // jobs) if threads is None else thread_count(threads)
    resume = _check.flag(resume, "resume")
    _check.progress(progress)
    parsed = _parsed(methods)
    _refuse_unusable(parsed, datasets)
    folder = None if output is None else _output_folder(output)
    for method in parsed:
        method.refuse_unusable()
    if folder is not None:
        _make(folder)
    todo = [
        _job(data.name, source, method, count, folder)
        for data in datasets
        for source in data.sources
        for method in parsed
    ]
    if not todo:
        raise DatasetError("methods, datasets: expected at least one of each, got none")
    with _opened(folder, resume=resume) as journal:
        old = journal.records
        records = {job.key: old[job.key] for job in todo if _holds(old.get(job.key), job)}
        todo = [job for job in todo if job.key not in records]
        total = len(todo) + len(records)
        with closing(_results(todo, jobs)) as finished:
            for record in finished:
                records[record.key] = record
                journal.add(record)
                if progress is not None:
                    progress(len(records), total, record)
        names = [(data.name, data.names) for data in datasets]
        result = Evaluation(in_order(records.values(), names, [m.name for m in parsed]), versions())
        if folder is not None:
            result.to_json(folder / "results.json")
            result.to_csv(folder / "results.csv")
        return result


def _parsed(methods: Sequence[str | Method]) -> list[Method]:
    if isinstance(methods, (str, Method)):
        raise TypeError(f"methods: expected a sequence of methods, got {methods!r}")
    _check.iterable(methods, "methods", "str or Method")
    for method in methods:
        if not isinstance(method, (str, Method)):
            raise TypeError(f"methods: expected str or Method, got {type(method).__name__}")
    return [Method.parse(m) if isinstance(m, str) else m for m in methods]


def _refuse_unusable(methods: Sequence[Method], datasets: Sequence[Dataset]) -> None:
    """Raise TypeError or ValueError unless these are data sets, and all names differ."""
    if isinstance(datasets, Dataset):
        raise TypeError("datasets: expected a sequence of data sets, got one by itself")
    _check.iterable(datasets, "datasets", "Dataset")
    for data in datasets:
        if not isinstance(data, Dataset):
            raise TypeError(f"datasets: expected a sequence of data sets, got {_check.kind_of(data)} in it")
    _refuse_twice([m.name for m in methods], "methods")
    _refuse_twice([d.name for d in datasets], "datasets")


def _job(dataset: str, source: Source, method: Method, threads: int, folder: Path | None) -> _Job:
    """Return the job of one method on one sample."""
    path = _alpha_path(folder, method.name, dataset, source.name)
    return _Job(dataset, source, method, threads, path, _state(dataset, source, method))


def _output_folder(output: str | os.PathLike[str]) -> Path:
    """Return the folder's whole name."""
    if not os.fspath(output):
        raise ValueError("output: expected the name of a folder, got an empty one")
    folder = Path(output).absolute()  # a method may change the current folder
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"output: expected a folder, got the file {output}")
    return folder


def _make(folder: Path) -> None:
    """Make the folder, and make sure that its files can be written, before any work is done."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (JOURNAL, "results.json", "results.csv", "report.html"):
        check_folder(folder / name)


def _holds(record: Record | None, job: _Job) -> bool:
    """Whether an earlier record still stands."""
    return (
        record is not None
        and record.failure is None
        and record.state == job.state
        and (job.alpha_path is None or os.path.exists(job.alpha_path))
    )


def _refuse_twice(names: Sequence[str], argument: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{argument}: expected different names, got {name!r} twice")


def _alpha_path(folder: Path | None, method: str, dataset: str, sample: str) -> str | None:
    if folder is None:
        return None
    return str(folder / ALPHAS / slug(method) / slugged(dataset) / f"{slug(sample)}.png")


def _state(dataset: str, source: Source, method: Method) -> str:
    parts = []
    for part in (source.state, lambda: method.state(dataset, source.name)):
        try:
            parts.append(part())
        except Exception as error:  # whatever is wrong is the record's failure
            parts.append(said(error))
    return hashlib.sha256("\n".join(parts).encode(errors="backslashreplace")).hexdigest()[:16]


def _opened(folder: Path | None, *, resume: bool) -> RecordLog[_Key, Record]:
    """Open the file of finished records; while it is open, no other run can use the folder.

    A stopped run loses no record that was finished, and a later run finds them here.
    """
    try:
        path = None if folder is None else folder / JOURNAL
        log = RecordLog(path, decode=Record.from_dict, encode=asdict, key=attrgetter("key"))
    except BlockingIOError as error:
        raise DatasetError(f"{folder}: another run is using this folder") from error
    if resume:
        log.cut_tail()
    else:
        log.clear()
    return log


def _results(todo: Sequence[_Job], jobs: int) -> Generator[Record, None, None]:
    """Yield records as they are finished."""
    if jobs == 1:
        yield from map(_run, todo)
        return
    with closing(in_processes(TaskQueue(todo), _run, min(jobs, len(todo)))) as ended:
        for job, outcome in ended:
            if isinstance(outcome, Record):
                yield outcome
            else:
                died = isinstance(outcome, WorkerDied)
                why = "the process died, perhaps for lack of memory" if died else said(outcome)
                yield Record(*job.key, None, None, None, why, None, job.state)


# The sample that this process loaded last: methods take turns on one sample.
_loaded: dict[_Key, Sample] = {}


def _run(job: _Job) -> Record:
    """Run one job; what goes wrong is recorded."""
    seconds, peak, info = None, None, None
    try:
        sample = _sample(job)
        before = _memory.start_peak()
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = job.method.run(job.dataset, sample, threads=job.threads)
        if not job.method.is_finished:
            seconds, peak = time.perf_counter() - start, _memory.peak(before)
        info = answer.info
        errors = metrics.evaluate(answer.alpha, sample.truth, sample.trimap, threads=job.threads)
        if job.alpha_path is not None:
            Path(job.alpha_path).parent.mkdir(parents=True, exist_ok=True)
            save_image(job.alpha_path, eight_bits(answer.alpha))
    except (Exception, SystemExit) as error:
        return Record(*job.key, None, seconds, peak, said(error), info, job.state)
    return Record(*job.key, errors.as_dict(), seconds, peak, None, info, job.state)


def _sample(job: _Job) -> Sample:
    key = (job.dataset, job.source.name, job.source.state())
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = job.source.load()
    return _loaded[key]
