#include "trimatte/affinity.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <limits>
#include <optional>

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"

namespace trimatte::bindings {
namespace {

// (data, indices, indptr) as SciPy has them: 32-bit numbers while they suffice for the entries, 64-bit otherwise.
py::tuple to_scipy(Csr&& matrix) {
    if (matrix.nonzeros() <= std::numeric_limits<std::int32_t>::max()) {
        Buffer<std::int32_t> row_start(matrix.row_start.size());
        std::copy(matrix.row_start.begin(), matrix.row_start.end(), row_start.begin());
        return py::make_tuple(to_numpy(std::move(matrix.value)), to_numpy(std::move(matrix.column)),
                              to_numpy(std::move(row_start)));
    }
    Buffer<std::int64_t> column(matrix.column.size());
    std::copy(matrix.column.begin(), matrix.column.end(), column.begin());
    return py::make_tuple(to_numpy(std::move(matrix.value)), to_numpy(std::move(column)),
                          to_numpy(std::move(matrix.row_start)));
}

py::tuple laplacian(const py::array& image, const std::optional<Array<std::uint8_t>>& known, double epsilon, int radius,
                    int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const std::uint8_t* known_view = known ? plane(*known, view, "known") : nullptr;
    return to_scipy(
        run(monitor, [&] { return closed_form_laplacian(view, known_view, {epsilon, radius, threads}, monitor); }));
}

// prior: (alpha, confidence) or None.
Problem problem(const py::array& image, const Array<std::uint8_t>& labels,
                const std::optional<std::pair<Array<float>, Array<float>>>& prior, std::optional<double> known_weight,
                double epsilon, int radius, bool stencil, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const auto* label = reinterpret_cast<const Label*>(plane(labels, view, "labels"));
    ClosedFormOptions options{epsilon, radius, threads, stencil};
    if (prior) {
        options.prior = {plane(prior->first, view, "prior"), plane(prior->second, view, "confidence")};
    }
    return run(monitor, [&] {
        return known_weight ? closed_form_soft(view, label, *known_weight, options, monitor)
                            : closed_form(view, label, options, monitor);
    });
}

}  // namespace

void register_affinity(py::module_& m) {
    m.def("closed_form_laplacian", &laplacian, py::arg("image").noconvert(), py::arg("known").noconvert().none(true),
          py::arg("epsilon"), py::arg("radius"), py::arg("threads"), py::arg("monitor"));
    m.def("closed_form", &problem, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("prior").none(true), py::arg("known_weight").none(true), py::arg("epsilon"), py::arg("radius"),
          py::arg("stencil"), py::arg("threads"), py::arg("monitor"));
}

}  // namespace trimatte::bindings
