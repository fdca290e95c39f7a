"""Run the Python tests on the arm64 core, with Debian's Python for arm64 on QEMU.

    python tools/check_arm64_python.py               all tests that start no other process
    python tools/check_arm64_python.py test_alpha    these files of tests/

Debian's packages for arm64 are only unpacked and NumPy and others come as wheels, so that nothing is
configured on the emulator. What cannot be proven: times, and whatever starts a second Python, because
the system takes it for a program of this machine's kind.
"""

import re
import shutil
import sys

from check_platforms import ROOT, TARGETS, WORK, build, fail, install, run

SUITE, VERSION, PACKAGES = "bookworm", "3.11", ("python3", "libpython3.11-dev", "libgomp1", "libstdc++6")
ARM64 = WORK / "arm64-python"
SYSTEM, SITE, AWAY = ARM64 / "root", ARM64 / "site", ARM64 / "away"
# What starts a process.
STARTS = re.compile(r"\b(subprocess|sys\.executable|multiprocessing|workers=[2-9])")


def unpack_system():
    """Unpack Debian's Python for arm64, once."""
    if shutil.which("mmdebstrap") is None:
        install(TARGETS["arm64"]._replace(packages=("mmdebstrap",), programs=("mmdebstrap",)))
    if not (SYSTEM / "usr/bin/python3").exists():
        shutil.rmtree(SYSTEM, ignore_errors=True)
        ARM64.mkdir(parents=True, exist_ok=True)
        run("mmdebstrap", "--variant=extract", "--arch=arm64", f"--include={','.join(PACKAGES)}", SUITE, SYSTEM)


def install_wheels():
    """Install the dependencies and the tests' ones that have wheels for arm64."""
    shutil.rmtree(SITE, ignore_errors=True)
    platforms = (f"--platform=manylinux{version}_aarch64" for version in ("2014", "_2_28", "_2_34"))
    run(
        *(sys.executable, "-m", "pip", "install", "-q", "--target", SITE, "--only-binary=:all:"),
        *(*platforms, f"--python-version={VERSION}"),
        *("--group", ROOT / "pyproject.toml:test-wheel", *dependencies()),
    )


def dependencies():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # Python 3.10 has no tomllib
    return re.findall(r'"(.+?)"', re.search(r"^dependencies = \[(.*)\]$", text, re.MULTILINE)[1])


def compile_module():
    """Compile the module beside the core of `make check-arm64`, and put the package beside its dependencies."""
    headers = SYSTEM / "usr/include"
    # Debian's pyconfig.h asks the compiler for the processor's own, which only a system's compiler finds.
    shutil.copy(headers / f"aarch64-linux-gnu/python{VERSION}/pyconfig.h", headers / f"python{VERSION}/pyconfig.h")
    found = run(sys.executable, "-m", "pybind11", "--cmakedir").strip()
    ending = f".cpython-{VERSION.replace('.', '')}-aarch64-linux-gnu.so"
    build(
        "arm64",
        "_core",
        options=(
            *("-DTRIMATTE_BUILD_PYTHON=ON", "-DPYBIND11_USE_CROSSCOMPILING=ON", f"-Dpybind11_DIR={found}"),
            *(f"-DPYTHON_MODULE_EXTENSION={ending}", f"-DPython_INCLUDE_DIR={headers}/python{VERSION}"),
        ),
    )
    shutil.rmtree(SITE / "trimatte", ignore_errors=True)
    shutil.copytree(ROOT / "python/trimatte", SITE / "trimatte", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(WORK / "arm64" / f"_core{ending}", SITE / "trimatte")


def tests(names):
    """Return the files of the tests: those named, or all that start no process."""
    found = {path.stem: path for path in sorted((ROOT / "tests").glob("test_*.py"))}
    unknown = [name for name in names if name not in found]
    if unknown:
        fail(f"expected names of files in tests/ without .py, got {unknown[0]}")
    if names:
        return [found[name] for name in names]
    return [path for path in found.values() if not STARTS.search(path.read_text(encoding="utf-8"))]


def main():
    names = sys.argv[1:]
    files = tests(names)
    install(TARGETS["arm64"])
    unpack_system()
    install_wheels()
    compile_module()
    shutil.rmtree(AWAY, ignore_errors=True)
    shutil.copytree(ROOT / "tests", AWAY / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", AWAY)
    print(f"arm64-python: {len(files)} files of tests")
    shown = run(
        *("qemu-aarch64-static", "-L", SYSTEM, SYSTEM / "usr/bin/python3", "-m", "pytest", "-q"),
        *(f"tests/{path.name}" for path in files),
        folder=AWAY,
        log=ARM64 / "tests.log",
        environment={"PYTHONPATH": str(SITE), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    print(f"arm64-python: {shown.splitlines()[-1]}")


if __name__ == "__main__":
    main()
