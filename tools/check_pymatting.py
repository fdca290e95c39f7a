"""Runs PyMatting's own tests, and its examples, on `trimatte.pymatting`.

The tests come from the source distribution on the package index, at a pinned version. They read
pictures that only PyMatting's repository holds: `data/lemur` and `data/test`. Its four examples are
in the repository's folder `examples`; they are left out, and this is said, where it is missing.

    python tools/check_pymatting.py --data FOLDER     FOLDER is the repository's folder `data`
    python tools/check_pymatting.py --data FOLDER --examples OTHER     the default is FOLDER/../examples
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

VERSION = "1.1.16"
TESTS = 13
# Its examples, and a picture that each writes.
EXAMPLES = {
    "simple_example.py": "lemur_cutout.png",
    "advanced_example.py": "lemur_color_bleeding.png",
    "expert_example.py": "lemur_alpha.png",
    "lemur_at_the_beach.py": "lemur_at_the_beach.png",
}
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


def prepared(data):
    """The folder to run in, with a copy of the data and the tests."""
    run = WORK / "run"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(unpacked() / "tests", run / "tests")
    shutil.copytree(data, run / "data", copy_function=shutil.copyfile)
    beach = run / "data" / "lemur" / "beach.png"
    if not beach.exists():  # the picture is large, and any other of the lemur's size will do
        shutil.copyfile(run / "data" / "lemur" / "lemur.png", beach)
    (run / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (run / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return run


def run_tests(run):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=run,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    (run / "report.txt").write_text(done.stdout, encoding="utf-8")
    print(done.stdout)
    if done.returncode or f"{TESTS} passed" not in done.stdout:
        sys.exit(f"check_pymatting: expected {TESTS} of {TESTS} tests of PyMatting {VERSION} to pass")


def run_examples(run, folder):
    """Run each example where it finds `../data`, and look for its picture."""
    for name, picture in EXAMPLES.items():
        place = run / name.removesuffix(".py")
        place.mkdir()
        shutil.copyfile(folder / name, place / name)
        done = subprocess.run([sys.executable, "-m", "trimatte.pymatting", name], cwd=place, check=False)
        if done.returncode or not (place / picture).exists():
            sys.exit(f"check_pymatting: expected {name} to write {picture}, see {place}")
        print(f"{name}: {place / picture}")
    print(f"{len(EXAMPLES)} examples ran")


def main():
    parser = argparse.ArgumentParser(description="Runs PyMatting's tests and examples on trimatte.pymatting.")
    parser.add_argument("--data", type=Path, required=True, help="the folder data of PyMatting's repository")
    parser.add_argument("--examples", type=Path, help="its folder examples; the default is the one beside data")
    options = parser.parse_args()
    for name in ("lemur", "test"):
        if not (options.data / name).is_dir():
            sys.exit(
                f"check_pymatting: expected folders lemur and test in {options.data}; make "
                "PYMATTING_DATA=FOLDER check-pymatting takes them from FOLDER, the folder data of PyMatting's "
                "repository"
            )
    run = prepared(options.data)
    run_tests(run)
    examples = options.examples or options.data.parent / "examples"
    if examples.is_dir():
        run_examples(run, examples)
    else:
        print(f"check_pymatting: the examples are left out, {examples} is not there")


if __name__ == "__main__":
    main()
