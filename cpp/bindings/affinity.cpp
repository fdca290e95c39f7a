#include "trimatte/affinity.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"
#include "trimatte/assemble.hpp"
#include "trimatte/information_flow.hpp"
#include "trimatte/knn.hpp"
#include "trimatte/learning_based.hpp"
#include "trimatte/random_walk.hpp"

namespace trimatte::bindings {
namespace {

// Returns (data, indices, indptr) as SciPy has them, with 32-bit indices while they suffice for the
// number of entries, and 64-bit indices otherwise.
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

py::tuple laplacian_of(const Affinity& affinity, const py::array& image,
                       const std::optional<Array<std::uint8_t>>& known, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const std::uint8_t* known_view = known ? plane(*known, view, "known") : nullptr;
    return to_scipy(run(monitor, [&] { return laplacian(affinity, view, known_view, {threads, monitor}); }));
}

// The operator of a whole picture whose pixels are all unknown, by its products. Calls of one
// object wait for each other.
class ProductsOfAll {
public:
    ProductsOfAll(const Affinity& affinity, const py::array& image, int threads, PyMonitor& monitor)
        : wanted_{image_view(image), nullptr, true}, threads_(threads) {
        if (!affinity.traits().has_products) {
            throw std::invalid_argument("affinity: expected one that has products; use laplacian()");
        }
        affinity.check(wanted_.image);
        operator_ = run(monitor, [&] { return affinity.make_operator(wanted_, {threads_, monitor}); });
    }

    py::tuple shape() const { return py::make_tuple(operator_->rows(), operator_->rows()); }

    py::array_t<double> matvec(const Array<double>& x) {
        if (x.size() != operator_->rows()) {
            throw std::invalid_argument("x: expected " + std::to_string(operator_->rows()) + " numbers, one per pixel");
        }
        Buffer<double> y(x.size());
        const double* from = x.data();
        {
            const py::gil_scoped_release release;
            const std::lock_guard lock(busy_);
            Monitor monitor;
            operator_->multiply(from, y.data(), {threads_, monitor});
        }
        return to_numpy(std::move(y));
    }

private:
    Wanted wanted_;
    int threads_;
    std::unique_ptr<Operator> operator_;
    std::mutex busy_;
};

GivenRows given_rows(const Array<double>& data, const Array<std::int32_t>& indices, const Array<std::int64_t>& indptr,
                     std::int64_t reach, bool colour_line, bool constant_regions) {
    if (data.ndim() != 1 || indices.ndim() != 1 || indptr.ndim() != 1 || data.shape(0) != indices.shape(0) ||
        indptr.shape(0) < 1 || indptr.at(indptr.shape(0) - 1) != data.shape(0)) {
        throw std::invalid_argument("laplacian: expected data, indices and indptr of one matrix");
    }
    const CsrView matrix{indptr.shape(0) - 1, indptr.data(), indices.data(), data.data()};
    return GivenRows(matrix, reach, colour_line, constant_regions);
}

std::unique_ptr<InformationFlow> information_flow(const py::array& image, const Array<std::uint8_t>& labels,
                                                  int mixture_neighbours, int unknown_neighbours, double unknown_weight,
                                                  double local_weight, double epsilon, int threads,
                                                  PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const auto* label = reinterpret_cast<const Label*>(plane(labels, view, "labels"));
    const InformationFlowOptions options{mixture_neighbours, unknown_neighbours, unknown_weight, local_weight, epsilon};
    return run(monitor,
               [&] { return std::make_unique<InformationFlow>(view, label, options, Context{threads, monitor}); });
}

// Writes alpha and confidence of the unknown pixels.
void known_flow(const py::array& image, const Array<std::uint8_t>& labels, int neighbours, Array<float>& alpha,
                Array<float>& confidence, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const auto* label = reinterpret_cast<const Label*>(plane(labels, view, "labels"));
    plane(alpha, view, "alpha");
    plane(confidence, view, "confidence");
    float* alpha_out = alpha.mutable_data();
    float* confidence_out = confidence.mutable_data();
    run(monitor,
        [&] { known_to_unknown_flow(view, label, neighbours, alpha_out, confidence_out, {threads, monitor}); });
}

}  // namespace

void register_affinity(py::module_& m) {
    py::class_<Affinity>(m, "Affinity");
    py::class_<ClosedForm, Affinity>(m, "ClosedForm")
        .def(py::init<double, int>(), py::arg("epsilon"), py::arg("radius"));
    py::class_<LearningBased, Affinity>(m, "LearningBased")
        .def(py::init<double, int>(), py::arg("regularization"), py::arg("radius"));
    py::class_<Knn, Affinity>(m, "Knn").def(
        py::init([](int neighbours, double position_weight, int far_neighbours, double far_position_weight, bool soft) {
            return Knn({{neighbours, far_neighbours}, {position_weight, far_position_weight}, soft});
        }),
        py::arg("neighbours"), py::arg("position_weight"), py::arg("far_neighbours"), py::arg("far_position_weight"),
        py::arg("soft"));
    py::class_<RandomWalk, Affinity>(m, "RandomWalk").def(py::init<double>(), py::arg("sigma"));
    py::class_<GivenRows, Affinity>(m, "GivenRows")
        .def(py::init(&given_rows), py::arg("data").noconvert(), py::arg("indices").noconvert(),
             py::arg("indptr").noconvert(), py::arg("reach"), py::arg("colour_line"), py::arg("constant_regions"),
             py::keep_alive<1, 2>(), py::keep_alive<1, 3>(), py::keep_alive<1, 4>());

    py::class_<ProductsOfAll>(m, "Products")
        .def(py::init<const Affinity&, const py::array&, int, PyMonitor&>(), py::arg("affinity"),
             py::arg("image").noconvert(), py::arg("threads"), py::arg("monitor"), py::keep_alive<1, 3>())
        .def_property_readonly("shape", &ProductsOfAll::shape)
        .def("matvec", &ProductsOfAll::matvec, py::arg("x").noconvert());

    py::class_<InformationFlow, Affinity>(m, "InformationFlow")
        .def(py::init(&information_flow), py::arg("image").noconvert(), py::arg("labels").noconvert(),
             py::arg("mixture_neighbours"), py::arg("unknown_neighbours"), py::arg("unknown_weight"),
             py::arg("local_weight"), py::arg("epsilon"), py::arg("threads"), py::arg("monitor"));

    m.def("known_to_unknown_flow", &known_flow, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("neighbours"), py::arg("alpha").noconvert(), py::arg("confidence").noconvert(), py::arg("threads"),
          py::arg("monitor"));
    m.def("laplacian", &laplacian_of, py::arg("affinity"), py::arg("image").noconvert(),
          py::arg("known").noconvert().none(true), py::arg("threads"), py::arg("monitor"));
}

}  // namespace trimatte::bindings
