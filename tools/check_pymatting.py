"""Runs PyMatting's own tests on `trimatte.pymatting`.

The tests come from the source distribution on the package index, at a pinned version. They read
pictures that only PyMatting's repository holds: `data/lemur` and `data/test`.

    python tools/check_pymatting.py --data FOLDER     FOLDER is the repository's folder `data`
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

VERSION = "1.1.16"
TESTS = 13
PIP_DOWNLOAD = (sys.executable, "-m", "pip", "download", "-q")
WORK = Path(__file__).parents[1] / "build" / "check-pymatting"

CONFTEST = """import trimatte.pymatting

trimatte.pymatting.install()
"""


def unpacked():
    """The folder of the source distribution, downloaded once."""
    folder = WORK / f"pymatting-{VERSION}"
    if not folder.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [*PIP_DOWNLOAD, "--no-deps", "--no-binary", ":all:", "-d", WORK, f"pymatting=={VERSION}"],
            check=True,
        )
        with tarfile.open(next(WORK.glob("*.tar.gz"))) as archive:
            archive.extractall(WORK, filter="data")
    return folder


def main():
    parser = argparse.ArgumentParser(description="Runs PyMatting's own tests on trimatte.pymatting.")
    parser.add_argument("--data", type=Path, required=True, help="the folder data of PyMatting's repository")
    data = parser.parse_args().data
    for name in ("lemur", "test"):
        if not (data / name).is_dir():
            sys.exit(
                f"check_pymatting: expected folders lemur and test in {data}; make "
                "PYMATTING_DATA=FOLDER check-pymatting takes them from FOLDER, the folder data of PyMatting's "
                "repository"
            )
    run = WORK / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(unpacked() / "tests", run / "tests")
    shutil.copytree(data, run / "data", copy_function=shutil.copyfile)
    (run / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (run / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    report = run / "report.txt"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=run,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    report.write_text(done.stdout, encoding="utf-8")
    print(done.stdout)
    if done.returncode or f"{TESTS} passed" not in done.stdout:
        sys.exit(f"check_pymatting: expected {TESTS} of {TESTS} tests of PyMatting {VERSION} to pass")


if __name__ == "__main__":
    main()
