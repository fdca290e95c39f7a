#include "trimatte/errors.hpp"

#include "register.hpp"

namespace py = pybind11;

namespace trimatte::bindings {

void register_errors(py::module_&) {
    py::register_local_exception_translator([](std::exception_ptr error) {
        try {
            if (error) {
                std::rethrow_exception(error);
            }
        } catch (const FactorizationError& e) {
            const py::object type = py::module_::import("trimatte.errors").attr("FactorizationError");
            PyErr_SetString(type.ptr(), e.what());
        }
    });
}

}  // namespace trimatte::bindings
