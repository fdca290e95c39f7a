#include "trimatte/solve.hpp"

#include <pybind11/stl.h>

#include <cmath>

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"

namespace trimatte::bindings {
namespace {

constexpr std::pair<const char*, Solver> solvers[] = {{"auto", Solver::automatic},
                                                      {"cholesky", Solver::cholesky},
                                                      {"multigrid", Solver::multigrid},
                                                      {"cg", Solver::conjugate_gradient}};

Solver solver_named(const std::string& name) {
    for (const auto& [known, solver] : solvers) {
        if (name == known) {
            return solver;
        }
    }
    throw std::invalid_argument("solver: unknown name " + name);
}

const char* name_of(Solver solver) {
    for (const auto& [name, known] : solvers) {
        if (solver == known) {
            return name;
        }
    }
    return "";
}

const char* choose_solver(std::int64_t unknowns, int radius) {
    return name_of(choose(unknowns, 2 * static_cast<std::int64_t>(radius)));
}

// x is filled; on entry it holds the first guess of an iterative solver.
py::dict solve_problem(const Problem& problem, Array<double>& x, const std::string& solver, double tolerance,
                       double relative_residual, std::int64_t max_iterations, int threads, PyMonitor& monitor) {
    if (x.ndim() != 1 || x.shape(0) != problem.unknowns()) {
        throw std::invalid_argument("x: expected one number per unknown");
    }
    const SolveOptions options{solver_named(solver), relative_residual, max_iterations, threads, tolerance};
    double* solution = x.mutable_data();
    const SolveInfo info = run(monitor, [&] { return solve(problem, options, solution, monitor); });
    py::dict result;
    result["solver"] = name_of(info.solver);
    result["converged"] = info.converged;
    result["iterations"] = info.iterations;
    result["relative_residual"] = info.relative_residual;
    result["error_estimate"] =
        std::isnan(info.error_estimate) ? py::object(py::none()) : py::object(py::float_(info.error_estimate));
    result["peak_bytes"] = info.peak_bytes;
    result["operator_complexity"] = info.operator_complexity;
    return result;
}

}  // namespace

void register_solve(py::module_& m) {
    py::class_<Problem>(m, "Problem")
        .def_property_readonly("unknowns", &Problem::unknowns)
        .def_property_readonly("peak_bytes", [](const Problem& p) { return p.peak_bytes; })
        .def_property_readonly("bytes", &Problem::bytes)
        .def_property_readonly("csr",
                               [](const py::object& self) {
                                   const auto& matrix = self.cast<const Problem&>().matrix;
                                   return py::make_tuple(view_of(matrix.value, self), view_of(matrix.column, self),
                                                         view_of(matrix.row_start, self));
                               })
        .def_property_readonly("pixel",
                               [](const py::object& self) { return view_of(self.cast<const Problem&>().pixel, self); });
    m.def("choose_solver", &choose_solver, py::arg("unknowns"), py::arg("radius"));
    m.def("solve", &solve_problem, py::arg("problem"), py::arg("x").noconvert(), py::arg("solver"),
          py::arg("tolerance"), py::arg("relative_residual"), py::arg("max_iterations"), py::arg("threads"),
          py::arg("monitor"));
}

}  // namespace trimatte::bindings
