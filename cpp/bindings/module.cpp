#include "register.hpp"

// The module runs without the GIL, since the core has no state that two calls share. It does not
// run in subinterpreters, since NumPy does not (_runtime/native.py).
PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used(), pybind11::multiple_interpreters::not_supported()) {
    using namespace trimatte::bindings;
    m.doc() = "The native core of trimatte. Not public: use the functions of the trimatte package.";
    register_errors(m);
    register_monitor(m);
    register_solve(m);
    register_sparse(m);
    register_affinity(m);
    register_prior(m);
    register_fusion(m);
    register_foreground(m);
    register_metrics(m);
    register_build(m);
}
