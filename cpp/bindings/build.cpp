// Tells what the module was built with, for show_versions().
#include <Eigen/Core>
#include <string>

#include "register.hpp"
#include "simd/kernels.hpp"
#include "trimatte/parallel.hpp"

namespace py = pybind11;

namespace trimatte::bindings {
namespace {

std::string compiler() {
#if defined(__clang__)
    return "clang " __clang_version__;
#elif defined(__GNUC__)
    return "gcc " __VERSION__;
#elif defined(_MSC_VER)
    return "msvc " + std::to_string(_MSC_VER);
#else
    return "unknown";
#endif
}

}  // namespace

void register_build(py::module_& m) {
    m.attr("__version__") = TRIMATTE_VERSION;
    m.attr("compiler") = compiler();
    m.attr("eigen_version") = std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                              std::to_string(EIGEN_MINOR_VERSION);
    m.attr("eigen_source") = TRIMATTE_EIGEN_SOURCE;
    m.attr("openmp") = has_openmp();
    m.def("simd_level", &simd::level_name, "Instruction set in use: baseline, v3 or v4 (TRIMATTE_SIMD).");
    m.def("max_threads", &max_threads, "OpenMP's present limit: OMP_NUM_THREADS, threadpoolctl, or the cores.");
}

}  // namespace trimatte::bindings
