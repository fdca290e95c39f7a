#include "trimatte/foreground.hpp"

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"

namespace trimatte::bindings {
namespace {

// What a method fills, and what the call returns.
struct Estimate {
    ImageView image;
    const float* alpha;
    Buffer<float> foreground, background;

    Estimate(const py::array& picture, const Array<float>& opacity)
        : image(image_view(picture)), alpha(plane(opacity, image, "alpha")) {
        if (image.channels != 1 && image.channels != 3) {
            throw std::invalid_argument("image: expected 1 or 3 channels");
        }
        foreground = Buffer<float>(image.pixels() * image.channels);
        background = Buffer<float>(image.pixels() * image.channels);
    }

    py::tuple layers() { return py::make_tuple(to_numpy(std::move(foreground)), to_numpy(std::move(background))); }
};

py::tuple estimate_multilevel(const py::array& image, const Array<float>& alpha, float regularization,
                              float gradient_weight, int small_size, int small_iterations, int big_iterations,
                              bool exact_composite, float low, float high, bool keep_solid, int threads,
                              PyMonitor& monitor) {
    Estimate e(image, alpha);
    const MultilevelOptions options{{exact_composite, low, high, keep_solid, threads},
                                    {regularization, gradient_weight, small_size, small_iterations, big_iterations}};
    run(monitor, [&] { multilevel(e.image, e.alpha, options, e.foreground.data(), e.background.data(), monitor); });
    return e.layers();
}

py::tuple estimate_multilevel_by_rows(const py::array& image, const Array<float>& alpha, float regularization,
                                      float gradient_weight, int small_size, int small_iterations, int big_iterations,
                                      PyMonitor& monitor) {
    Estimate e(image, alpha);
    const MultilevelSteps steps{regularization, gradient_weight, small_size, small_iterations, big_iterations};
    run(monitor,
        [&] { multilevel_by_rows(e.image, e.alpha, steps, e.foreground.data(), e.background.data(), monitor); });
    return e.layers();
}

py::tuple estimate_closed_form(const py::array& image, const Array<float>& alpha, float regularization,
                               float gradient_weight, double tolerance, std::int64_t max_iterations,
                               bool exact_composite, float low, float high, bool keep_solid, int threads,
                               PyMonitor& monitor) {
    Estimate e(image, alpha);
    const ClosedFormLayersOptions options{
        {exact_composite, low, high, keep_solid, threads}, regularization, gradient_weight, tolerance, max_iterations};
    LayersInfo info{};
    run(monitor, [&] {
        info = closed_form_layers(e.image, e.alpha, options, e.foreground.data(), e.background.data(), monitor);
    });
    py::dict about;
    about["converged"] = info.converged;
    about["iterations"] = info.iterations;
    about["error_estimate"] = info.error_estimate;
    about["peak_bytes"] = info.peak_bytes;
    return py::make_tuple(to_numpy(std::move(e.foreground)), to_numpy(std::move(e.background)), about);
}

py::tuple estimate_blur_fusion(const py::array& image, const Array<float>& alpha, int radius, int second_radius,
                               bool exact_composite, float low, float high, bool keep_solid, int threads,
                               PyMonitor& monitor) {
    Estimate e(image, alpha);
    const BlurFusionOptions options{{exact_composite, low, high, keep_solid, threads}, radius, second_radius};
    run(monitor, [&] { blur_fusion(e.image, e.alpha, options, e.foreground.data(), e.background.data(), monitor); });
    return e.layers();
}

}  // namespace

void register_foreground(py::module_& m) {
    m.def("multilevel_foreground", &estimate_multilevel, py::arg("image").noconvert(), py::arg("alpha").noconvert(),
          py::arg("regularization"), py::arg("gradient_weight"), py::arg("small_size"), py::arg("small_iterations"),
          py::arg("big_iterations"), py::arg("exact_composite"), py::arg("low"), py::arg("high"), py::arg("keep_solid"),
          py::arg("threads"), py::arg("monitor"));
    m.def("multilevel_by_rows", &estimate_multilevel_by_rows, py::arg("image").noconvert(),
          py::arg("alpha").noconvert(), py::arg("regularization"), py::arg("gradient_weight"), py::arg("small_size"),
          py::arg("small_iterations"), py::arg("big_iterations"), py::arg("monitor"));
    m.def("closed_form_layers", &estimate_closed_form, py::arg("image").noconvert(), py::arg("alpha").noconvert(),
          py::arg("regularization"), py::arg("gradient_weight"), py::arg("tolerance"), py::arg("max_iterations"),
          py::arg("exact_composite"), py::arg("low"), py::arg("high"), py::arg("keep_solid"), py::arg("threads"),
          py::arg("monitor"));
    m.def("blur_fusion", &estimate_blur_fusion, py::arg("image").noconvert(), py::arg("alpha").noconvert(),
          py::arg("radius"), py::arg("second_radius"), py::arg("exact_composite"), py::arg("low"), py::arg("high"),
          py::arg("keep_solid"), py::arg("threads"), py::arg("monitor"));
}

}  // namespace trimatte::bindings
