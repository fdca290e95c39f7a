#include "trimatte/foreground.hpp"

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"

namespace trimatte::bindings {
namespace {

py::tuple estimate(const py::array& image, const Array<float>& alpha, float regularization, float gradient_weight,
                   int small_size, int small_iterations, int big_iterations, bool exact_composite, float low,
                   float high, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const float* alpha_view = plane(alpha, view, "alpha");
    if (view.channels != 1 && view.channels != 3) {
        throw std::invalid_argument("image: expected 1 or 3 channels");
    }
    const MultilevelOptions options{regularization, gradient_weight, small_size, small_iterations,
                                    big_iterations, exact_composite, low,        high,
                                    threads};
    Buffer<float> foreground(view.pixels() * view.channels);
    Buffer<float> background(view.pixels() * view.channels);
    run(monitor, [&] { multilevel(view, alpha_view, options, foreground.data(), background.data(), monitor); });
    return py::make_tuple(to_numpy(std::move(foreground)), to_numpy(std::move(background)));
}

}  // namespace

void register_foreground(py::module_& m) {
    m.def("multilevel_foreground", &estimate, py::arg("image").noconvert(), py::arg("alpha").noconvert(),
          py::arg("regularization"), py::arg("gradient_weight"), py::arg("small_size"), py::arg("small_iterations"),
          py::arg("big_iterations"), py::arg("exact_composite"), py::arg("low"), py::arg("high"), py::arg("threads"),
          py::arg("monitor"));
}

}  // namespace trimatte::bindings
