"""Build and test the C++ core for other systems, and compare the bits of its results with this one's.

    python tools/check_platforms.py arm64            check; the committed table says what is wanted
    python tools/check_platforms.py --update arm64   check, and write the table and the page

A check installs what it needs, compiles the core as for a wheel, runs the C++ tests on an emulator
and a program that writes the results of 19 parts of the library (cpp/tests/probe.cpp), and compares
these with the same program's on this machine. The table is tools/platforms.json, the page
docs/platforms.md.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "platforms"
TABLE = ROOT / "tools" / "platforms.json"
PAGE = ROOT / "docs" / "platforms.md"
SAME = "same"
REFERENCE = "gcc"


class Target(NamedTuple):
    """A system to compile for, and how its programs run here."""

    title: str
    cannot: str
    """What the check does not prove."""
    options: tuple[str, ...] = ()
    """Options of CMake."""
    packages: tuple[str, ...] = ()
    """Packages of Debian, besides doctest's."""
    programs: tuple[str, ...] = ()
    """Programs that these packages bring."""
    zig: str = ""
    """The target's name for `zig c++`, from the package index; empty for another compiler."""
    runner: tuple[str, ...] = ()
    """The words before a program that let it run here."""
    environment: tuple[tuple[str, str], ...] = ()
    libraries: tuple[str, ...] = ()
    """Libraries of MinGW that Wine has to find."""
    one_level: bool = False
    """Whether the processor has one instruction set only; tests of others are left out."""
    runs: bool = True


# GCC 12's <algorithm> uses a name that it calls deprecated, where a stable sort is compiled.
CLANG = ("-DCMAKE_CXX_COMPILER=clang++-19", "-DCMAKE_CXX_FLAGS=-Wno-deprecated-declarations")
CROSS_LINUX = ("-DCMAKE_SYSTEM_NAME=Linux",)
MINGW = "x86_64-w64-mingw32-g++-posix"
ZIG_CANNOT = "zig has no OpenMP, so that the loops run on one thread"


def macos(title, processor, zig):
    return Target(
        f"macOS {title}, zig",
        f"only that everything compiles and links: nothing runs; {ZIG_CANNOT}",
        zig=zig,
        options=("-DCMAKE_SYSTEM_NAME=Darwin", f"-DCMAKE_SYSTEM_PROCESSOR={processor}", "-DTRIMATTE_OPENMP=OFF"),
        runs=False,
    )


TARGETS = {
    "gcc": Target(
        "Linux x86-64, g++",
        "nothing about other processors than this machine's",
        packages=("g++",),
        programs=("g++",),
        options=("-DCMAKE_CXX_COMPILER=g++",),
    ),
    "clang": Target(
        "Linux x86-64, clang 19 and LLVM's OpenMP",
        "nothing about other versions of clang, or about Apple's",
        packages=("clang-19", "libomp-19-dev"),
        programs=("clang++-19",),
        options=CLANG,
    ),
    "arm64": Target(
        "Linux arm64, g++ and QEMU",
        "no times, and no order of memory accesses that only a real processor shows",
        packages=("g++-aarch64-linux-gnu", "qemu-user-static"),
        programs=("aarch64-linux-gnu-g++", "qemu-aarch64-static"),
        options=(
            *CROSS_LINUX,
            "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
            "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++",
        ),
        runner=("qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"),
        one_level=True,
    ),
    "windows": Target(
        "Windows x86-64, MinGW and Wine",
        "nothing about Microsoft's compiler and its OpenMP, or about Python there",
        packages=("g++-mingw-w64-x86-64-posix", "wine64"),
        programs=(MINGW, "/usr/lib/wine/wine64"),
        options=(
            "-DCMAKE_SYSTEM_NAME=Windows",
            "-DCMAKE_SYSTEM_PROCESSOR=AMD64",
            f"-DCMAKE_CXX_COMPILER={MINGW}",
        ),
        runner=("/usr/lib/wine/wine64",),
        libraries=("libstdc++-6.dll", "libwinpthread-1.dll"),
        environment=(("WINEDEBUG", "-all"), ("WINEPREFIX", str(WORK / "wine"))),
    ),
    "plain": Target(
        "the loops of Microsoft's compiler, clang 19",
        "not that Microsoft's compiler takes them, or how fast they are there",
        packages=("clang-19", "libomp-19-dev"),
        programs=("clang++-19",),
        # GCC 12 leaves out the rounding of a double to a float in these loops, where it vectorises them.
        options=(*CLANG, "-DTRIMATTE_PLAIN_KERNELS=ON"),
    ),
    "musl": Target(
        "Linux x86-64 with musl, zig",
        f"nothing about Alpine's g++, or about loops for AVX, which zig's library does not find; {ZIG_CANNOT}",
        zig="x86_64-linux-musl",
        options=(*CROSS_LINUX, "-DCMAKE_SYSTEM_PROCESSOR=x86_64", "-DTRIMATTE_OPENMP=OFF"),
    ),
    "macos-arm64": macos("arm64", "arm64", "aarch64-macos"),
    "macos-x86-64": macos("x86-64", "x86_64", "x86_64-macos"),
}


def fail(message):
    sys.exit(f"check_platforms: {message}")


def run(*command, folder=ROOT, log=None, environment=None, check=True):
    """Run a command; show its output, or write it to a file and show that if the command fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **dict(environment or ())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(done.stdout, encoding="utf-8")
    if check and done.returncode:
        print(done.stdout)
        fail(f"{' '.join(str(part) for part in command)}: exit code {done.returncode}")
    return done.stdout


def install(target):
    """Install the packages whose programs are missing, and zig."""
    packages = (*target.packages, "doctest-dev")
    missing = [program for program in target.programs if shutil.which(program) is None]
    if not Path("/usr/include/doctest/doctest.h").exists():
        missing.append("doctest/doctest.h")
    if missing:
        if shutil.which("apt-get") is None:
            fail(f"expected {', '.join(missing)}; Debian has them in {', '.join(packages)}")
        print(f"installing {' '.join(packages)}: {', '.join(missing)} missing")
        root = () if os.geteuid() == 0 else ("sudo",)
        run(*root, "apt-get", "update")
        run(*root, "apt-get", "install", "-y", "--no-install-recommends", *packages)
    if target.zig:
        run(sys.executable, "-m", "pip", "install", "-q", "--group", "platforms")


def jobs():
    """How many processes compile or test side by side; JOBS in the environment chooses."""
    return os.environ.get("JOBS") or os.cpu_count()


def zig_options(name, target):
    """Write scripts that call zig, because CMake takes programs of one word. Returns CMake's options for them."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    for tool in ("c++", "ar", "ranlib"):
        script = folder / f"zig-{tool}"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ziglang {tool} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return (
        f"-DCMAKE_CXX_COMPILER={folder / 'zig-c++'}",
        f"-DCMAKE_CXX_COMPILER_ARG1=-target {target.zig}",
        f"-DCMAKE_AR={folder / 'zig-ar'}",
        f"-DCMAKE_RANLIB={folder / 'zig-ranlib'}",
    )


def build(name, *programs, options=()):
    """Compile programs for a target. Returns the folder that holds them."""
    target, folder = TARGETS[name], WORK / name
    options = (*target.options, *(zig_options(name, target) if target.zig else ()), *options)
    emulator = (f"-DCMAKE_CROSSCOMPILING_EMULATOR={';'.join(target.runner)}",) if target.runner else ()
    run(
        *("cmake", "-S", ".", "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DTRIMATTE_WERROR=ON"),
        *("-DTRIMATTE_BUILD_PYTHON=OFF", "-DTRIMATTE_BUILD_TESTS=ON"),
        *("-DTRIMATTE_TEST_SECONDS=1800", *emulator, *options),
        log=folder / "configure.log",
    )
    run("cmake", "--build", folder, "--parallel", jobs(), "--target", *programs, log=folder / "build.log")
    return folder / "cpp" / "tests"


def wine_path(target):
    """Where Wine finds MinGW's libraries; the folder's name has the version of the compiler."""
    found = [Path(run(MINGW, f"-print-file-name={library}").strip()).resolve() for library in target.libraries]
    return ";".join("Z:" + str(path.parent).replace("/", "\\") for path in found)


def surroundings(target):
    """Return the environment in which a target's programs run here."""
    return {**dict(target.environment), **({"WINEPATH": wine_path(target)} if target.libraries else {})}


def probe(name):
    """Build and run the probe of a target. Returns the folder of its results."""
    target, results = TARGETS[name], WORK / name / "results"
    program = build(name, "trimatte_probe") / f"trimatte_probe{'.exe' if name == 'windows' else ''}"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    run(*target.runner, program, results.relative_to(ROOT), environment=surroundings(target))
    return results


def numbers(path):
    found = array("d")
    found.frombytes(path.read_bytes())
    return found


def difference(found, reference):
    """Say "same", or the largest difference relative to the largest number."""
    if found.read_bytes() == reference.read_bytes():
        return SAME
    ours, theirs = numbers(found), numbers(reference)
    if len(ours) != len(theirs):
        return f"{len(ours)} numbers, not {len(theirs)}"
    largest = max(map(abs, theirs))
    return f"{max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) / largest:.0e}"


def tested(name):
    """Run the C++ tests, those of the kernels for each instruction set. Returns how many there are."""
    target, log = TARGETS[name], WORK / name / "tests.log"
    shown = run(
        *("ctest", "--test-dir", WORK / name, "--no-tests=error", "--output-on-failure", "--parallel", jobs()),
        *(("--exclude-regex", "_(baseline|v3)$") if target.one_level else ()),
        log=log,
        environment=surroundings(target),
        check=False,
    )
    counts = re.search(r"tests passed(?:, (\d+) tests? failed)? out of (\d+)", shown)
    if counts is None:
        fail(f"{name}: the tests ended early, see {log.relative_to(ROOT)}")
    if counts[1]:
        failed = re.findall(r"^\s+\d+ - (\S+) \(", shown, re.MULTILINE)
        fail(f"{name}: {', '.join(failed)} of {counts[2]} tests failed, see {log.relative_to(ROOT)}")
    return int(counts[2])


def compiler(name):
    """Return the compiler's kind and version, which CMake keeps in a file of its own."""
    (path,) = (WORK / name).glob("CMakeFiles/*/CMakeCXXCompiler.cmake")
    known = dict(re.findall(r'set\((\w+) "(.*)"\)', path.read_text(encoding="utf-8")))
    return f"{known['CMAKE_CXX_COMPILER_ID']} {known['CMAKE_CXX_COMPILER_VERSION']}"


def check_kernels_without_gnu():
    """Compile the kernels with a compiler that is not GCC's kind, as Microsoft's is not."""
    for flags in ((), ("-mavx2", "-mfma")):
        run(
            *("clang++-19", "-fgnuc-version=0", "-pedantic-errors", "-std=c++17", "-Wno-literal-range"),
            *("-DTRIMATTE_LEVEL=baseline", "-Icpp/include", "-Icpp/src", "-fsyntax-only", *flags),
            "cpp/src/simd/kernels.cpp",
        )


def cpu_seconds():
    """The time of all processes that have been started here and have ended."""
    used = os.times()
    return used.children_user + used.children_system


def compared(name):
    """Compare the bits of a target with those of this machine. Returns the differences, by part."""
    results = probe(name)
    if name == REFERENCE:
        return {}
    install(TARGETS[REFERENCE])
    reference = probe(REFERENCE)
    parts = [sorted(path.name for path in folder.iterdir()) for folder in (reference, results)]
    if parts[0] != parts[1]:
        fail(f"{name}: expected the parts {', '.join(parts[0])}, got {', '.join(parts[1])}")
    bits = {path.name: difference(path, reference / path.name) for path in sorted(results.iterdir())}
    print(f"{name}: bits: {said(bits)}", flush=True)
    return bits


def check(name):
    """Check a target. Returns its record."""
    target, start, start_of_cpu = TARGETS[name], time.monotonic(), cpu_seconds()
    install(target)
    if name == "plain":
        check_kernels_without_gnu()
    build(name, "trimatte_probe")
    record = {"compiler": compiler(name), "tests": "compiled", "bits": compared(name) if target.runs else {}}
    build(name, "trimatte_tests")
    if target.runs:
        record["tests"] = f"{tested(name)} passed"
    print(f"{name}: {target.title}, {record['compiler']}: C++ tests {record['tests']}")
    print(f"{name}: {time.monotonic() - start:.0f} s, {cpu_seconds() - start_of_cpu:.0f} s of CPU")
    print(f"{name}: this cannot prove: {target.cannot}")
    return record


def said(bits):
    """Say which parts differ, and by how much."""
    others = [f"{part} {how}" for part, how in bits.items() if how != SAME]
    if not others:
        return f"all {len(bits)} parts the same"
    return f"{len(bits) - len(others)} of {len(bits)} parts the same; {', '.join(others)}"


def is_worse(found, allowed):
    """Whether a difference is more than ten times the allowed one."""
    if found in (allowed, SAME):
        return False
    return allowed == SAME or "numbers" in found or float(found) > 10 * float(allowed)


def complaints(name, record, wanted):
    """What is worse than the table says."""
    if wanted is None:
        return [f"{name}: not in tools/platforms.json; --update writes it"]
    allowed = {part: wanted["bits"].get(part, SAME) for part in record["bits"]}
    return [
        f"{name}: {part}: expected {allowed[part]}, got {found}"
        for part, found in record["bits"].items()
        if is_worse(found, allowed[part])
    ]


def table(records):
    if not records:
        return "No check has been recorded yet."
    rows = ["| system, compiler | version | C++ tests | bits beside Linux x86-64, g++ |", "|---|---|---|---|"]
    for name, target in TARGETS.items():
        record = records.get(name)
        if record is not None:
            bits = said(record["bits"]) if record["bits"] else "-"
            rows.append(f"| {target.title} | {record['compiler']} | {record['tests']} | {bits} |")
    return "\n".join(rows)


def recorded():
    """The records of the table, by the name of their target."""
    return json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}


def updated(page, records):
    """The page with the table of these records."""
    return re.sub(
        r"<!-- table platforms -->\n.*?<!-- end -->",
        lambda _: f"<!-- table platforms -->\n\n{table(records)}\n\n<!-- end -->",
        page,
        flags=re.DOTALL,
    )


def main():
    parser = argparse.ArgumentParser(description="Builds and tests the C++ core for other systems.")
    parser.add_argument("targets", nargs="+", choices=TARGETS)
    parser.add_argument("--update", action="store_true", help="write tools/platforms.json and docs/platforms.md")
    arguments = parser.parse_args()
    records = recorded()
    worse = []
    for name in arguments.targets:
        record = check(name)
        if arguments.update:
            records[name] = record
            ordered = {key: records[key] for key in TARGETS if key in records}
            TABLE.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
            PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), ordered), encoding="utf-8")
        else:
            worse += complaints(name, record, records.get(name))
    if worse:
        fail("\n".join(worse))


if __name__ == "__main__":
    main()
