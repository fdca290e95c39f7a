"""Batches on other machines' workers and with files in an object store, both for real on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from joblib.externals import loky

import trimatte as tm
from trimatte.batch import jobs_from_files, run
from trimatte.cli import run as command

COUNT = 8

# distributed and aiobotocore leave sockets and loops to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    for name in ("in", "tri"):
        (tmp_path / name).mkdir()
    for index in range(COUNT):
        scene = (tm.datasets.hair, tm.datasets.flower)[index % 2](48, 64, seed=index)
        tm.io.save_image(tmp_path / "in" / f"p{index}.png", scene.image)
        tm.io.save_image(tmp_path / "tri" / f"p{index}.png", scene.trimap)
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jobs(root, **options):
    return jobs_from_files(
        f"{root}/in/*.png", f"{root}/out/{{stem}}.png", trimaps=f"{root}/tri/{{stem}}.png", **options
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.png"))}


@pytest.fixture
def expected(here):
    run(jobs(here), processes=1)
    made = contents("out")
    assert len(made) == COUNT
    for path in Path("out").iterdir():
        path.unlink()
    return made


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers, each a process with one thread."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        yield made


def test_dask_gives_the_same_bytes(here, expected, cluster):
    with Client(cluster) as client:
        summary = run(jobs(here), executor=client.get_executor(), log="log")
    assert (summary.done, summary.failed) == (COUNT, 0)
    assert contents("out") == expected
    workers = {json.loads(line)["process"] for line in Path("log").read_text().splitlines()}
    assert os.getpid() not in workers


def test_a_dask_worker_that_is_killed_loses_nothing(here, expected, cluster):
    """One of the two is killed as soon as an item is finished; nothing is lost, nothing done twice."""
    with Client(cluster) as client:
        victim = next(iter(client.run(os.getpid).values()))
        killed = []

        def kill(status):
            if status.done == 1 and not killed:
                killed.append(victim)
                os.kill(victim, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has no other

        made = jobs(here, options={"method": "best"})
        summary = run(made, executor=client.get_executor(retries=2), log="log", progress=kill)
        assert victim not in client.run(os.getpid).values()
    assert killed
    assert (summary.done, summary.failed) == (COUNT, 0)
    records = [json.loads(line) for line in Path("log").read_text().splitlines()]
    assert len(records) == len({record["key"] for record in records}) == COUNT
    killed_run = contents("out")
    assert run(made, processes=2).done == COUNT
    assert contents("out") == killed_run
    assert not list(Path("out").glob(".trimatte-*"))


def test_the_command_on_a_scheduler_that_goes_away(here):
    """In a process of its own, so that it can be killed."""
    script = "from distributed.cli.dask_scheduler import main; main()"
    arguments = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", "where.json"]
    scheduler = subprocess.Popen([sys.executable, "-c", script, *arguments], stderr=subprocess.DEVNULL)
    try:
        address = None
        for _ in range(600):
            try:  # the file may not be there yet, or not whole
                address = json.loads(Path("where.json").read_text())["address"]
                break
            except (OSError, ValueError):
                time.sleep(0.05)
        arguments = [
            "in/*.png",
            "--trimaps",
            "tri/{stem}.png",
            "-o",
            "out/{stem}.png",
            "--dask",
            address,
            "--json",
        ]
        run_it = subprocess.Popen(
            [sys.executable, "-m", "trimatte", "batch", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(600):  # there is no worker, so nothing can finish before the scheduler goes
            if Path("out/batch.jsonl").exists():
                break
            time.sleep(0.05)
        scheduler.kill()
        _, message = run_it.communicate(timeout=120)
    finally:
        scheduler.kill()
        scheduler.wait()
    assert run_it.returncode == 1
    assert message.endswith("trimatte: error: the executor is gone; run again to go on with what is left\n")
    assert "Traceback" not in message
    assert command(["batch", "in/*.png", "--trimaps", "tri/{stem}.png", "-o", "out/{stem}.png", "-q"]) == 0
    assert len(contents("out")) == COUNT


def test_a_scheduler_that_does_not_answer(here, capsys):
    arguments = ["batch", "in/*.png", "--trimaps", "tri/{stem}.png", "-o", "out/{stem}.png"]
    assert command([*arguments, "--dask", "tcp://127.0.0.1:9"]) == 1
    assert "tcp://127.0.0.1:9: no scheduler answers" in capsys.readouterr().err
    assert command([*arguments, "--dask", "somewhere"]) == 2
    assert "--dask: expected an address such as tcp://host:8786, got 'somewhere'" in capsys.readouterr().err


def test_loky(here, expected):
    with loky.ProcessPoolExecutor(2) as executor:
        assert run(jobs(here), executor=executor).done == COUNT
    assert contents("out") == expected
    assert joblib.__version__


@pytest.fixture(scope="module")
def bucket():
    """A bucket of moto's S3 server on loopback."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    patch = pytest.MonkeyPatch()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
    ):
        patch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="pictures")
    yield "s3://pictures"
    patch.undo()
    server.stop()


@pytest.fixture
def store(bucket, here):
    import fsspec

    files = fsspec.filesystem("s3")
    files.invalidate_cache()
    for name in ("in", "tri"):
        for path in Path(name).iterdir():
            files.pipe_file(f"{bucket}/{name}/{path.name}", path.read_bytes())
    yield files
    files.invalidate_cache()
    files.rm(files.find(bucket))


def test_pictures_in_an_object_store(here, expected, store, bucket):
    found = jobs(bucket)
    assert [job.image for job in found] == [f"{bucket}/in/p{index}.png" for index in range(COUNT)]
    summary = run(found, processes=2, log="log")
    assert (summary.done, summary.failed) == (COUNT, 0)
    store.invalidate_cache()
    assert {path.rsplit("/")[-1]: store.cat_file(path) for path in store.ls(f"{bucket}/out")} == expected
    assert run(found, processes=1, log="log").skipped == COUNT
    store.rm_file(f"{bucket}/out/p3.png")
    store.pipe_file(f"{bucket}/in/p5.png", Path("in/p1.png").read_bytes())
    store.pipe_file(f"{bucket}/tri/p5.png", Path("tri/p1.png").read_bytes())
    again = run(found, processes=1, log="log")
    assert (again.done, again.skipped) == (2, COUNT - 2)
    store.invalidate_cache()
    assert store.cat_file(f"{bucket}/out/p5.png") == expected["p1.png"]


def test_what_is_wrong_in_a_store_is_said(here, store, bucket):
    store.rm_file(f"{bucket}/tri/p0.png")
    store.pipe_file(f"{bucket}/in/p1.png", b"")
    outputs = f"{bucket}-that-is-not-there/{{stem}}.png"
    summary = run(jobs(bucket)[:3], processes=1)
    assert (summary.done, summary.failed) == (1, 2)
    assert summary.failures[0]["error"] == f"{bucket}/tri/p0.png: no such file, or no such bucket"
    assert summary.failures[1]["error"] == f"{bucket}/in/p1.png: the file is empty"
    lost = run(jobs_from_files("in/p0.png", outputs, trimaps="tri/{stem}.png"), processes=1)
    assert "pictures-that-is-not-there" in lost.failures[0]["error"]


def test_the_other_commands_take_urls(here, store, bucket, capsys):
    image, trimap = f"{bucket}/in/p2.png", f"{bucket}/tri/p2.png"
    assert command(["cutout", image, trimap, "-o", f"{bucket}/cut.png"]) == 0
    cutout = tm.cutout(tm.io.load_image("in/p2.png"), tm.io.load_image("tri/p2.png"))
    assert np.array_equal(tm.io.read_picture(f"{bucket}/cut.png").pixels, cutout)
    assert command(["cutout", image, f"{bucket}/none.png", "-o", f"{bucket}/x.png"]) == 1
    assert f"{bucket}/none.png" in capsys.readouterr().err
    assert command(["cutout", "ftq://a/b.png", trimap, "-o", "x.png"]) == 1
    assert "ftq" in capsys.readouterr().err


def test_exr_in_the_store(here, bucket):
    """OpenImageIO reads and writes files only: they take a way through a temporary one."""
    pytest.importorskip("OpenImageIO", reason="extra [vfx] is not installed")
    light = 3 * tm.colour.linear_from_srgb(tm.io.load_image("in/p2.png"))
    tm.io.save_image(f"{bucket}/plate.exr", light, depth="float")
    assert np.array_equal(tm.io.load_image(f"{bucket}/plate.exr"), light)
    assert command(["cutout", f"{bucket}/plate.exr", "tri/p2.png", "-o", f"{bucket}/cut.exr"]) == 0
    cutout = tm.cutout(light, tm.io.load_image("tri/p2.png"), colour_space="linear")
    assert np.array_equal(tm.io.read_picture(f"{bucket}/cut.exr").pixels[..., 3], cutout[..., 3])


MPI_JOB = """
from mpi4py.futures import MPIPoolExecutor
from trimatte.batch import jobs_from_files, run
if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        jobs = jobs_from_files("in/*.png", "out/{stem}.png", trimaps="tri/{stem}.png")
        print(run(jobs, executor=executor, log="log.jsonl"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="MPI has a wheel for Linux only")
def test_mpi(here, tmp_path):
    """Two processes that work and one that gives out."""
    launcher = Path(sys.executable).with_name("mpiexec")
    (tmp_path / "job.py").write_text(MPI_JOB)
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    arguments = [launcher, "--oversubscribe", "-n", "3", sys.executable, "-m", "mpi4py.futures", "job.py"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert [record["error"] for record in records] == [None] * len(list(Path("in").iterdir()))
    assert len({record["process"] for record in records}) == 2
    cutout = tm.cutout(tm.io.load_image("in/p2.png"), tm.io.load_image("tri/p2.png"))
    assert np.array_equal(tm.io.read_picture("out/p2.png").pixels, cutout)


def test_a_url_that_nothing_can_list_is_refused():
    with pytest.raises(tm.errors.PictureError, match=r"nowhere://x/\*\.jpg: Protocol not known"):
        jobs_from_files("nowhere://x/*.jpg", "out/{stem}.png", trimaps="tri/{stem}.png")
