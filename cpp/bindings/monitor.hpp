// The core's monitor asks Python for Ctrl-C and calls a progress callback.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <string>

#include "trimatte/errors.hpp"
#include "trimatte/monitor.hpp"

namespace py = pybind11;

namespace trimatte::bindings {

class PyMonitor : public Monitor {
public:
    // progress is called as progress(phase, fraction), or is None.
    explicit PyMonitor(py::object progress) : progress_(std::move(progress)) {}

    // Throws the exception that Python raised when the core was told to stop.
    [[noreturn]] void rethrow();

protected:
    bool report(const std::string& phase, double fraction) override;

private:
    py::object progress_;
    std::exception_ptr error_;
};

// Runs the core without the GIL. No Python object may be touched by `call`.
template <typename Call>
auto run(PyMonitor& monitor, const Call& call) {
    try {
        const py::gil_scoped_release release;
        return call();
    } catch (const Cancelled&) {
        monitor.rethrow();
    }
}

}  // namespace trimatte::bindings
