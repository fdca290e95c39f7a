// Each topic has one function, which module.cpp calls.
#pragma once

#include <pybind11/pybind11.h>

namespace trimatte::bindings {

void register_affinity(pybind11::module_& m);
void register_build(pybind11::module_& m);
void register_errors(pybind11::module_& m);
void register_foreground(pybind11::module_& m);
void register_fusion(pybind11::module_& m);
void register_metrics(pybind11::module_& m);
void register_monitor(pybind11::module_& m);
void register_prior(pybind11::module_& m);
void register_solve(pybind11::module_& m);
void register_sparse(pybind11::module_& m);

}  // namespace trimatte::bindings
