#include "monitor.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "register.hpp"

namespace trimatte::bindings {

namespace {

// A thread that asks for the GIL while the interpreter shuts down is killed in a way that C++ does
// not survive.
bool interpreter_is_finalizing() {
#if PY_VERSION_HEX >= 0x030D0000
    return Py_IsFinalizing() != 0;
#else
    return _Py_IsFinalizing() != 0;
#endif
}

}  // namespace

// The exception is not kept: its traceback holds the frame that holds this monitor.
void PyMonitor::rethrow() { std::rethrow_exception(std::exchange(error_, nullptr)); }

bool PyMonitor::report(const std::string& phase, double fraction) {
    // A daemon thread that has outlived the program waits here until the process ends.
    while (interpreter_is_finalizing()) {
        std::this_thread::sleep_for(std::chrono::hours(1));
    }
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
