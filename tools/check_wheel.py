"""Build a wheel, look into it, and try it where cibuildwheel tries it: in an environment of its own.

    python tools/check_wheel.py                on the oldest and the newest Python that are found
    python tools/check_wheel.py PYTHON...      on these
    python tools/check_wheel.py --oldest       with the oldest releases that its metadata allow
    python tools/check_wheel.py --quick        a rendered scene in place of the tests

The environment has the wheel and the group `test-wheel`, or `test-oldest`; the tests lie in a folder
with pyproject.toml and nothing else of the source. No compiler is on the path. What cannot be
proven here: that the wheel runs on an older Linux than this one, which only cibuildwheel's images
show.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "check-wheel"
OLDEST, NEWEST = 10, 20  # minor versions of Python 3
MOST_BYTES = 8_000_000
# What a wheel may need of the system, besides what it carries (PEP 600).
OF_THE_SYSTEM = re.compile(r"lib(c|m|pthread|dl|rt|stdc\+\+|gcc_s)\.so|ld-linux")


def fail(message):
    sys.exit(f"check_wheel: {message}")


def run(*command, log=None, **options):
    """Run a command; show its output if it fails, or all of it while it runs if there is no log."""
    words = [str(part) for part in command]
    with log.open("w", encoding="utf-8") if log else contextlib.nullcontext() as file:
        done = subprocess.run(words, stdout=file, stderr=file, check=False, **options)
    if done.returncode:
        if log:
            print(log.read_text(encoding="utf-8", errors="replace"))
        fail(f"{' '.join(words)}: exit code {done.returncode}")


def shown(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout


def pythons():
    """The Pythons on the path and those of pyenv, by minor version."""
    found = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(OLDEST, NEWEST):
        name = f"python3.{minor}"
        for place in (shutil.which(name), *sorted(map(str, pyenv.glob(f"3.{minor}.*/bin/{name}")))):
            if place and subprocess.run([place, "-c", ""], capture_output=True, check=False).returncode == 0:
                found[minor] = place
    return found


def environment(python, folder):
    """Make a virtual environment. Returns its Python."""
    run(python, "-m", "venv", "--clear", folder)
    inside = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(inside, "-m", "pip", "install", "-q", "pip>=25.1")
    return inside


def built(python, folder):
    """Build the wheel as cibuildwheel does; on Linux auditwheel puts OpenMP's library into it."""
    builder = environment(python, folder / "build")
    run(builder, "-m", "pip", "install", "-q", "--group", ROOT / "pyproject.toml:wheel")
    run(builder, "-m", "build", "--wheel", "--outdir", folder / "raw", ROOT, log=folder / "build.log")
    (wheel,) = (folder / "raw").glob("*.whl")
    if not sys.platform.startswith("linux"):
        return wheel
    tools = {**os.environ, "PATH": f"{builder.parent}{os.pathsep}{os.environ['PATH']}"}
    command = (builder, "-m", "auditwheel", "repair", "-w", folder / "wheel", wheel)
    run(*command, log=folder / "repair.log", env=tools)
    (wheel,) = (folder / "wheel").glob("*.whl")
    return wheel


def look_into(wheel, folder):
    """Check size, licences, symbols and libraries."""
    size = wheel.stat().st_size
    if size > MOST_BYTES:
        fail(f"{wheel.name}: expected at most {MOST_BYTES} bytes, got {size}")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "content")
        names = file.namelist()
    for licence in ("LICENSE", "NOTICE"):
        if not any(name.endswith(f".dist-info/licenses/{licence}") for name in names):
            fail(f"{wheel.name}: expected {licence} in it")
    stray = [name for name in names if re.search(r"(^|/)(tests|cpp|docs)/|\.(a|o|hpp|cpp|pyc)$", name)]
    if stray:
        fail(f"{wheel.name}: expected no {stray[0]} in it")
    print(f"{wheel.name}: {size / 1e6:.1f} MB, {len(names)} files, LICENSE, NOTICE")
    if sys.platform.startswith("linux"):
        look_at_module(next((folder / "content" / "trimatte").glob("_core*.so")), names)


def look_at_module(module, names):
    """Check what the compiled module shows and needs."""
    symbols = [line.split()[-1] for line in shown("nm", "-D", "--defined-only", module).splitlines()]
    strange = [name for name in symbols if not re.match(r"PyInit__core$|_Z|_(init|fini|edata|end|_bss)", name)]
    if "PyInit__core" not in symbols or strange:
        fail(f"{module.name}: expected PyInit__core and no other symbol of C, got {strange}")
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", shown("readelf", "-d", module))
    carried = {Path(name).name for name in names if ".libs/" in name and not name.endswith("/")}
    missing = [name for name in needed if name not in carried and not OF_THE_SYSTEM.match(name)]
    if missing:
        fail(f"{module.name}: expected only libraries of every Linux and of the wheel, got {missing}")
    if not any(name.startswith("libgomp") for name in carried):
        fail(f"{module.name}: expected OpenMP's libgomp in the wheel, got {sorted(carried)}")
    print(
        f"{module.name}: {len(symbols)} symbols, carries {', '.join(sorted(carried))}, needs {', '.join(needed)}"
    )


def without_compiler(inside):
    """The process's environment, with nothing on the path but the virtual environment and the shell."""
    folder = inside.parent.parent / "path"
    folder.mkdir()
    for name in ("sh", "env"):
        (folder / name).symlink_to(shutil.which(name))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CMAKE", "VIRTUAL"))
    }
    return {**kept, "PATH": f"{inside.parent}{os.pathsep}{folder}"}


def oldest_releases():
    """What pip installs the oldest allowed releases by."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # Python 3.10 has no tomllib
    wanted = json.loads(re.search(r"^dependencies = (\[.*\])$", text, re.MULTILINE)[1])
    return [name.replace(">=", "==") for name in wanted]


def check(python, arguments):
    version = shown(python, "-c", "import platform; print(platform.python_version())").strip()
    folder = WORK / f"{version}{'-oldest' if arguments.oldest else ''}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wheel = built(python, folder)
    look_into(wheel, folder)
    inside = environment(python, folder / "venv")
    group = f"{ROOT}/pyproject.toml:test-{'oldest' if arguments.oldest else 'wheel'}"
    groups = () if arguments.quick else ("--group", group)
    run(inside, "-m", "pip", "install", "-q", wheel, *(oldest_releases() if arguments.oldest else ()), *groups)
    away = folder / "away"
    away.mkdir()
    tried = without_compiler(inside)
    if arguments.quick:
        run(inside.parent / "trimatte", "info", cwd=away, env=tried)
        run(inside.parent / "trimatte", "demo", "-o", "demo", cwd=away, env=tried)
    else:
        shutil.copy(ROOT / "pyproject.toml", away)
        shutil.copytree(ROOT / "tests", away / "tests")
        command = (inside, "-m", "pytest", "-q", "tests", "--ignore=tests/test_batch_remote.py")
        run(*command, *arguments.pytest, cwd=away, env=tried)
    print(f"check_wheel: {wheel.name} on Python {version}: passed")


def main():
    parser = argparse.ArgumentParser(description="Builds a wheel and tries it in an environment of its own.")
    parser.add_argument("pythons", nargs="*", help="interpreters; the default is the oldest and the newest found")
    parser.add_argument(
        "--oldest", action="store_true", help="the oldest releases of NumPy and others, oldest Python"
    )
    parser.add_argument("--quick", action="store_true", help="no tests: a rendered scene only")
    parser.add_argument("--pytest", nargs=argparse.REMAINDER, default=[], help="arguments for pytest")
    arguments = parser.parse_args()
    wanted = arguments.pythons
    if not wanted:
        found = pythons()
        ends = {min(found)} if arguments.oldest else {min(found), max(found)}
        wanted = [found[minor] for minor in sorted(ends)]
    for python in wanted:
        check(python, arguments)


if __name__ == "__main__":
    main()
