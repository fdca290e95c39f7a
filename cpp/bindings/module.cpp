#include "register.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
    using namespace trimatte::bindings;
    m.doc() = "The native core of trimatte. Not public: use the functions of the trimatte package.";
    register_errors(m);
    register_monitor(m);
    register_solve(m);
    register_affinity(m);
    register_foreground(m);
    register_build(m);
}
