#include "trimatte/metrics.hpp"

#include <limits>

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"

namespace trimatte::bindings {
namespace {

Mattes mattes(const Array<double>& alpha, const Array<double>& truth, const Array<std::uint8_t>& region) {
    for (const py::array& array : {py::array(alpha), py::array(truth), py::array(region)}) {
        if (array.ndim() != 2 || array.shape(0) != alpha.shape(0) || array.shape(1) != alpha.shape(1)) {
            throw std::invalid_argument("alpha, truth, region: expected planes of one size");
        }
    }
    if (alpha.size() > std::numeric_limits<std::int32_t>::max()) {
        throw std::invalid_argument("alpha: expected fewer than 2**31 pixels");
    }
    return {alpha.data(), truth.data(), region.data(), alpha.shape(0), alpha.shape(1)};
}

double gradient(const Array<double>& alpha, const Array<double>& truth, const Array<std::uint8_t>& region, double sigma,
                int threads, PyMonitor& monitor) {
    const Mattes views = mattes(alpha, truth, region);
    return run(monitor, [&] { return gradient_error(views, sigma, threads, monitor); });
}

double connectivity(const Array<double>& alpha, const Array<double>& truth, const Array<std::uint8_t>& region,
                    int levels, double theta, PyMonitor& monitor) {
    const Mattes views = mattes(alpha, truth, region);
    return run(monitor, [&] { return connectivity_error(views, levels, theta, monitor); });
}

}  // namespace

void register_metrics(py::module_& m) {
    m.def("gradient_error", &gradient, py::arg("alpha").noconvert(), py::arg("truth").noconvert(),
          py::arg("region").noconvert(), py::arg("sigma"), py::arg("threads"), py::arg("monitor"));
    m.def("connectivity_error", &connectivity, py::arg("alpha").noconvert(), py::arg("truth").noconvert(),
          py::arg("region").noconvert(), py::arg("levels"), py::arg("theta"), py::arg("monitor"));
}

}  // namespace trimatte::bindings
