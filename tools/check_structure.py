"""Check the length of functions and of files of tests, and that C++ folders include only what they may.

    python tools/check_structure.py [ROOT]

Prints one line for each fault, as ``file:line: what is wrong``. The exit code is 1 if there is any.
"""

import ast
import re
import sys
from pathlib import Path

PYTHON_FOLDERS = ("python/trimatte", "integrations")
LONGEST_PYTHON_FUNCTION = 60  # lines, docstring not counted
LONGEST_CPP_FUNCTION = 80  # lines, signature included
LONGEST_TEST_FILE = 500  # lines; one process runs all tests of a file

# Folders of cpp/src, and those whose headers each may include besides its own. All folders may
# include the headers of cpp/include.
ROOMS = {
    "base": (),
    "simd": ("base",),
    "system": ("base", "simd"),
    "neighbours": ("base", "simd"),
    "affinity": ("base", "simd", "system", "neighbours"),
    "solve": ("base", "simd", "system"),
    "prior": ("base", "simd", "neighbours"),
    "foreground": ("base", "simd", "solve"),
    "metrics": ("base", "simd"),
}
# What only some files may write; these are given by the start of their path.
RESERVED = (
    (re.compile(r"#\s*include\s*<pybind11/"), "pybind11", ("cpp/bindings/",)),
    (
        re.compile(r"#\s*include\s*<Eigen/"),
        "Eigen",
        ("cpp/bindings/build.cpp", *(f"cpp/src/{room}/" for room in ROOMS if room != "simd")),
    ),
    (re.compile(r"#\s*pragma\s+omp\b|#\s*include\s*<omp\.h>"), "OpenMP", ("cpp/src/base/parallel.cpp",)),
)
CPP_SUFFIXES = (".cpp", ".hpp", ".inl")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def python_functions(source):
    """Name, first line and length of every function of a Python file; docstrings do not count."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node, clean=False) is not None:
            length -= node.body[0].end_lineno - node.body[0].lineno + 1
        yield node.name, node.lineno, length


NOT_CODE = re.compile(
    r"""//[^\n]* | /\*.*?\*/                                # comments
      | R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"          # raw strings
      | "(?:\\.|[^"\\\n])*" | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'   # strings, characters; not 1'000
      | ^[ \t]*\#(?:\\\n|[^\n])*                            # directives with their continued lines
    """,
    re.DOTALL | re.VERBOSE | re.MULTILINE,
)
SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum)\b(?!.*\))|\bextern\s*$", re.DOTALL)
INITIALISED = re.compile(r"[=,(]\s*$")


def cpp_functions(source):
    """Name, first line and length of every C++ function that is not inside another one.

    A brace opens a function if the text between it and the last statement has a parameter list and
    is neither a class or a namespace nor the left side of an initialisation. Lambdas count as part
    of the function around them. ValueError is raised if the braces do not match.
    """
    code = NOT_CODE.sub(lambda match: "\n" * match[0].count("\n") + " ", source)
    # Where the statement began that goes on behind each open brace outside functions, or None.
    scopes = []
    depth, statement, goes_on = 0, 0, False
    for match in re.finditer(r"[{};]", code):
        at, brace = match.start(), match[0]
        if brace == "{" and depth == 0:
            header = code[statement:at]
            if goes_on or ("(" in header and not SCOPE.search(header) and not INITIALISED.search(header)):
                depth = 1
                if not goes_on:
                    start = statement + len(header) - len(header.lstrip())
                    first = code.count("\n", 0, start) + 1
                    name = (re.findall(r"([~\w]+|operator\W+?)\s*\(", header) or ["?"])[0]
            else:
                scopes.append(statement if INITIALISED.search(header) else None)
        elif brace == "{":
            depth += 1
        elif brace == "}" and depth:
            depth -= 1
            # Initialisers of members: x_{x}, y_{y} {
            goes_on = depth == 0 and re.match(r"\s*[,{]", code[at + 1 :]) is not None
            if depth == 0 and not goes_on:
                yield name, first, code.count("\n", 0, at) + 2 - first
        elif brace == "}":
            if not scopes:
                raise ValueError(
                    f"line {code.count(chr(10), 0, at) + 1}: expected an open brace for this closing one"
                )
            begun = scopes.pop()
            if begun is not None:
                statement = begun
                continue
        if depth == 0:
            statement = at + 1
    if depth or scopes:
        raise ValueError("expected a closing brace for every open one, at least one is missing")


def too_long(functions, limit, path):
    for name, line, length in functions:
        if length > limit:
            yield f"{path}:{line}: {name}: expected at most {limit} lines, got {length}"


def include_faults(root, path, source):
    """Faults of the includes of a C++ file, given by its path relative to the root."""
    for number, line in enumerate(source.splitlines(), 1):
        for pattern, what, allowed in RESERVED:
            if pattern.search(line) and not path.startswith(allowed):
                yield f"{path}:{number}: {what}: only {', '.join(allowed)} may use it"
        found = INCLUDE.match(line)
        fault = found and include_fault(root, path, found[1])
        if fault:
            yield f"{path}:{number}: {fault}"


def include_fault(root, path, target):
    """What is wrong with including `target`, or None."""
    if target.startswith("trimatte/"):
        return None if (root / "cpp/include" / target).is_file() else f'"{target}": no such file in cpp/include'
    if path.startswith("cpp/include/"):
        return f'"{target}": headers of cpp/include include nothing but each other'
    if path.startswith("cpp/bindings/") and (root / "cpp/bindings" / target).is_file() and "/" not in target:
        return None
    room = target.split("/")[0]
    if not (root / "cpp/src" / target).is_file() or room not in ROOMS:
        return f'"{target}": expected a path from cpp/include or cpp/src, such as "solve/multigrid/level.hpp"'
    own = path.removeprefix("cpp/src/").split("/")[0]
    if path.startswith("cpp/src/") and room not in (own, *ROOMS[own]):
        allowed = ", ".join(ROOMS[own]) or "no other room"
        return f'"{target}": {own} may include {allowed}, not {room}'
    return None


def faults(root):
    """All faults of the tree, as printable lines."""
    for file in sorted(f for folder in PYTHON_FOLDERS for f in (root / folder).rglob("*.py")):
        functions = python_functions(file.read_text(encoding="utf-8"))
        yield from too_long(functions, LONGEST_PYTHON_FUNCTION, file.relative_to(root).as_posix())
    for file in sorted((root / "tests").glob("test_*.py")):
        length = len(file.read_text(encoding="utf-8").splitlines())
        if length > LONGEST_TEST_FILE:
            yield f"tests/{file.name}: expected at most {LONGEST_TEST_FILE} lines, got {length}"
    for folder in ("cpp/bindings", "cpp/include", "cpp/src"):
        for file in sorted(f for f in (root / folder).rglob("*") if f.suffix in CPP_SUFFIXES):
            path = file.relative_to(root).as_posix()
            if folder == "cpp/src" and path.split("/")[2] not in ROOMS:
                yield f"{path}:1: expected a folder of cpp/src that ROOMS in tools/check_structure.py names"
                continue
            source = file.read_text(encoding="utf-8")
            try:
                yield from too_long(cpp_functions(source), LONGEST_CPP_FUNCTION, path)
            except ValueError as error:
                yield f"{path}: {error}"
            yield from include_faults(root, path, source)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(faults(root))
    for line in found:
        print(line)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
