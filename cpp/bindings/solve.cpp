#include "trimatte/solve.hpp"

#include <pybind11/stl.h>

#include <optional>

#include "arrays.hpp"
#include "monitor.hpp"
#include "problem.hpp"
#include "register.hpp"

namespace trimatte::bindings {
namespace {

constexpr std::pair<const char*, Solver> names[] = {{"auto", Solver::automatic},
                                                    {"cholesky", Solver::cholesky},
                                                    {"multigrid", Solver::multigrid},
                                                    {"graph-multigrid", Solver::graph_multigrid},
                                                    {"cg", Solver::conjugate_gradient}};

Solver solver_named(const std::string& name) {
    for (const auto& [known, solver] : names) {
        if (name == known) {
            return solver;
        }
    }
    throw std::invalid_argument("solver: unknown name " + name);
}

const char* name_of(Solver solver) {
    for (const auto& [name, known] : names) {
        if (solver == known) {
            return name;
        }
    }
    return "";
}

// Solves for the unknown pixels of a picture. `start`: alpha of each pixel where iterative solvers
// start, or None. `alpha` is float32 or float64; its unknown pixels are filled.
py::dict solve(const Affinity& affinity, const py::array& image, const Array<std::uint8_t>& labels,
               const OptionalPrior& prior, double known_weight, const std::optional<Array<float>>& start,
               py::array& alpha, const std::string& solver, double tolerance, double relative_residual,
               std::int64_t max_iterations, std::uint64_t memory, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Known known = known_of(view, labels, prior, known_weight);
    const float* first = start ? plane(*start, view, "start") : nullptr;
    const bool is_double = py::isinstance<Array<double>>(alpha);
    if ((!is_double && !py::isinstance<Array<float>>(alpha)) || alpha.size() != view.pixels()) {
        throw std::invalid_argument("alpha: expected float32 or float64 of the size of the image");
    }
    const AlphaView out{alpha.mutable_data(), is_double};
    SolveOptions options{solver_named(solver), relative_residual, max_iterations, threads, tolerance};
    options.memory = static_cast<std::size_t>(memory);
    const PictureInfo info =
        run(monitor, [&] { return solve_picture(affinity, view, known, first, out, options, monitor); });
    py::dict regions;
    for (const auto& [name, which] : names) {
        const std::int64_t count = info.regions_of[static_cast<int>(which)];
        if (count > 0) {
            regions[name] = count;
        }
    }
    py::dict result = record_of(info);
    result["solver"] = info.solver == Solver::automatic ? "none" : name_of(info.solver);
    result["unknowns"] = info.unknowns;
    result["regions"] = regions;
    result["constant"] = py::make_tuple(info.constant_background, info.constant_foreground);
    return result;
}

}  // namespace

void register_solve(py::module_& m) {
    m.def("solve", &solve, py::arg("affinity"), py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("prior").none(true), py::arg("known_weight"), py::arg("start").none(true),
          py::arg("alpha").noconvert(), py::arg("solver"), py::arg("tolerance"), py::arg("relative_residual"),
          py::arg("max_iterations"), py::arg("memory"), py::arg("threads"), py::arg("monitor"));
}

}  // namespace trimatte::bindings
