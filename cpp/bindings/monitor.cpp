#include "monitor.hpp"

#include "register.hpp"

namespace trimatte::bindings {

void PyMonitor::rethrow() { std::rethrow_exception(error_); }

bool PyMonitor::report(const std::string& phase, double fraction) {
    const py::gil_scoped_acquire acquire;
    try {
        if (PyErr_CheckSignals() != 0) {
            throw py::error_already_set();
        }
        if (!progress_.is_none()) {
            progress_(phase, fraction);
        }
        return true;
    } catch (py::error_already_set&) {
        error_ = std::current_exception();
        return false;
    }
}

void register_monitor(py::module_& m) {
    py::class_<PyMonitor>(m, "Monitor")
        .def(py::init<py::object>(), py::arg("progress").none(true))
        .def_property_readonly("seconds", [](const PyMonitor& monitor) {
            py::dict seconds;
            for (const auto& [phase, spent] : monitor.seconds()) {
                seconds[py::str(phase)] = spent;
            }
            return seconds;
        });
}

}  // namespace trimatte::bindings
