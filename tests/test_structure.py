"""tools/check_structure.py finds the one fault that each of these small trees has."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "check_structure.py"

if not SCRIPT.exists():
    pytest.skip("the tools are not beside the tests", allow_module_level=True)
spec = importlib.util.spec_from_file_location("check_structure", SCRIPT)
check_structure = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check_structure)

CLEAN = {
    "python/trimatte/a.py": "def f():\n    pass\n",
    "cpp/include/trimatte/image.hpp": "#include <vector>\n",
    "cpp/src/base/zeros.hpp": '#include "trimatte/image.hpp"\n',
    "cpp/src/base/parallel.cpp": "void f() {\n#pragma omp parallel\n}\n",
    "cpp/src/simd/kernels.hpp": '#include "base/zeros.hpp"\n',
    "cpp/src/solve/multigrid/level.hpp": '#include "simd/kernels.hpp"\n#include <Eigen/QR>\n',
    "cpp/src/affinity/knn.cpp": '#include "simd/kernels.hpp"\n',
    "cpp/bindings/arrays.hpp": "#include <pybind11/numpy.h>\n",
    "cpp/bindings/build.cpp": '#include "arrays.hpp"\n#include "simd/kernels.hpp"\n',
}


def python_function(lines, docstring=0):
    """A function of so many lines and a docstring of its own lines."""
    doc = [] if docstring == 0 else ['    """Do.', *["    More."] * (docstring - 2), '    """']
    return "\n".join(["def f():", *doc, *["    x = 1"] * (lines - 1)]) + "\n"


def cpp_function(lines, head="void f() {"):
    return "\n".join([head, *["    if (x) { y(); }"] * (lines - 2), "}"]) + "\n"


def faults(tmp_path, files):
    for name, text in (CLEAN | files).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(check_structure.faults(tmp_path))


def test_a_clean_tree_has_no_fault(tmp_path):
    assert faults(tmp_path, {}) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("python/trimatte/b.py", python_function(61), "b.py:1: f: expected at most 60 lines, got 61"),
        ("integrations/gimp/b.py", python_function(61), "b.py:1: f: expected at most 60 lines, got 61"),
        ("cpp/src/solve/long.cpp", cpp_function(81), "long.cpp:1: f: expected at most 80 lines, got 81"),
        ("cpp/bindings/long.cpp", cpp_function(81), "long.cpp:1: f: expected at most 80 lines, got 81"),
        ("tests/test_long.py", "x = 1\n" * 501, "test_long.py: expected at most 500 lines, got 501"),
        ("cpp/src/solve/open.cpp", "void f() {\n", "open.cpp: expected a closing brace"),
        ("cpp/src/base/up.cpp", '#include "simd/kernels.hpp"\n', "base may include no other room, not simd"),
        (
            "cpp/src/solve/up.cpp",
            '#include "affinity/knn.cpp"\n',
            "solve may include base, simd, system, not affinity",
        ),
        (
            "cpp/src/solve/short.cpp",
            '#include "multigrid/level.hpp"\n',
            "expected a path from cpp/include or cpp/src",
        ),
        ("cpp/src/solve/lost.cpp", '#include "trimatte/lost.hpp"\n', "no such file in cpp/include"),
        ("cpp/src/solve/back.cpp", '#include "../../bindings/arrays.hpp"\n', "expected a path from cpp/include"),
        (
            "cpp/include/trimatte/b.hpp",
            '#include "base/zeros.hpp"\n',
            "headers of cpp/include include nothing but",
        ),
        ("cpp/include/trimatte/b.hpp", "#include <Eigen/Core>\n", "b.hpp:1: Eigen: only"),
        ("cpp/src/simd/kernels.inl", "#include <Eigen/Core>\n", "kernels.inl:1: Eigen: only"),
        (
            "cpp/src/solve/python.cpp",
            "\n#include <pybind11/stl.h>\n",
            "python.cpp:2: pybind11: only cpp/bindings/",
        ),
        ("cpp/src/solve/omp.cpp", "#pragma omp parallel\n", "omp.cpp:1: OpenMP: only cpp/src/base/parallel.cpp"),
        ("cpp/src/attic/a.cpp", "", "expected a folder of cpp/src that ROOMS"),
    ],
)
def test_a_fault_is_found(tmp_path, file, text, fault):
    (found,) = faults(tmp_path, {file: text})
    assert fault in found


def test_docstrings_do_not_count(tmp_path):
    assert faults(tmp_path, {"python/trimatte/b.py": python_function(60, docstring=30)}) == []


@pytest.mark.parametrize(
    "head",
    [
        "template <class T>\nvoid f(T x = {}) {",
        "static int A::f(const B& b) const noexcept {",
        "A::A(int x)\n    : x_{x}, y_(x), z_{x} {",
        "auto f(char c = '{', const char* s = \"} {\") -> int {  // {",
        "constexpr auto f = [](int x) {",
        "struct A {\n    bool operator<(const A& other) const {",
        "namespace a {\nenum class B { c, d };\nconstexpr int t[] = {1, 2};\nvoid f(struct C* c) {",
    ],
)
def test_functions_of_any_look_are_measured(head):
    closing = "}" * (head.startswith("struct") or head.startswith("namespace"))
    source = "int before() { return 0; }\n" + cpp_function(90, head) + closing
    before, (_, line, length) = check_structure.cpp_functions(source)
    assert before == ("before", 1, 1)
    outer = head.count("\n") if closing else 0  # lines before the function's own first line
    assert (line, length) == (2 + outer, 90 + head.count("\n") - outer)


def test_each_function_of_a_class_is_one(tmp_path):
    members = "".join(cpp_function(50, f"    void f{i}() {{") for i in range(4))
    assert faults(tmp_path, {"cpp/src/solve/many.cpp": "class A {\n" + members + "};\n"}) == []
