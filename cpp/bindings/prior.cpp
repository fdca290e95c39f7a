#include "trimatte/prior.hpp"

#include <pybind11/stl.h>

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"
#include "trimatte/patch.hpp"
#include "trimatte/trim.hpp"

namespace trimatte::bindings {
namespace {

const Label* labels_of(const Array<std::uint8_t>& labels, const ImageView& image) {
    return reinterpret_cast<const Label*>(plane(labels, image, "labels"));
}

// Writes alpha of the unknown pixels.
void composite(const py::array& image, const Array<std::uint8_t>& labels, Array<float>& alpha,
               const std::vector<std::int64_t>& hidden, std::int64_t steps, std::int64_t batch, double learning_rate,
               double gamma, std::int64_t reach, std::int64_t neighbours, std::uint64_t seed, int threads,
               PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = labels_of(labels, view);
    plane(alpha, view, "alpha");
    float* out = alpha.mutable_data();
    const CompositeNetworkOptions options{hidden, steps, batch, learning_rate, gamma, reach, neighbours, seed, threads};
    run(monitor, [&] { composite_network(view, label, options, out, monitor); });
}

// Writes alpha and cost of the unknown pixels.
void sampling(const py::array& image, const Array<std::uint8_t>& labels, Array<float>& alpha, Array<float>& cost,
              std::int64_t sweeps, std::uint64_t seed, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = labels_of(labels, view);
    plane(alpha, view, "alpha");
    plane(cost, view, "cost");
    float* alpha_out = alpha.mutable_data();
    float* cost_out = cost.mutable_data();
    run(monitor, [&] { global_sampling(view, label, {sweeps, seed, threads}, alpha_out, cost_out, monitor); });
}

// Writes alpha and confidence of the unknown pixels, and both colours, if given, of all.
void shared(const py::array& image, const Array<std::uint8_t>& labels, Array<float>& alpha, Array<float>& confidence,
            std::optional<Array<float>> foreground, std::optional<Array<float>> background,
            std::int64_t expansion_radius, double expansion_threshold, std::int64_t rays, std::int64_t sharing_radius,
            std::int64_t smoothing_radius, bool own_colours, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = labels_of(labels, view);
    plane(alpha, view, "alpha");
    plane(confidence, view, "confidence");
    SharedSamples out{alpha.mutable_data(), confidence.mutable_data(), nullptr, nullptr};
    if (foreground.has_value() != background.has_value()) {
        throw std::invalid_argument("foreground, background: expected both or neither");
    }
    if (foreground) {
        for (const Array<float>* colours : {&*foreground, &*background}) {
            if (colours->size() != view.pixels() * view.channels) {
                throw std::invalid_argument("foreground, background: expected the image's shape");
            }
        }
        out.foreground = foreground->mutable_data();
        out.background = background->mutable_data();
    }
    const SharedSamplingOptions options{expansion_radius, expansion_threshold, rays,   sharing_radius,
                                        smoothing_radius, own_colours,         threads};
    run(monitor, [&] { shared_sampling(view, label, options, out, monitor); });
}

// Writes alpha and confidence of the unknown pixels.
void before_background(const py::array& image, const py::array& background, const Array<std::uint8_t>& labels,
                       double noise, std::int64_t candidates, std::uint64_t seed, Array<float>& alpha,
                       Array<float>& confidence, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image), behind = image_view(background);
    if (behind.height != view.height || behind.width != view.width || behind.channels != view.channels) {
        throw std::invalid_argument("background: expected the image's shape");
    }
    const Label* label = labels_of(labels, view);
    plane(alpha, view, "alpha");
    plane(confidence, view, "confidence");
    float* alpha_out = alpha.mutable_data();
    float* confidence_out = confidence.mutable_data();
    const KnownBackgroundOptions options{noise, candidates, seed, threads};
    run(monitor, [&] { known_background(view, behind, label, options, alpha_out, confidence_out, monitor); });
}

void miss_of(const Array<float>& colours, const Array<float>& background, const Array<float>& foreground,
             Array<float>& miss2, int threads, PyMonitor& monitor) {
    const py::ssize_t count = miss2.size();
    if (colours.size() != 3 * count || background.size() != 3 * count || foreground.size() < 3 ||
        foreground.size() % 3 != 0) {
        throw std::invalid_argument("colours, background, foreground: expected three numbers for each colour");
    }
    const float* seen = colours.data();
    const float* behind = background.data();
    const float* front = foreground.data();
    const std::int64_t fronts = foreground.size() / 3;
    float* out = miss2.mutable_data();
    run(monitor, [&] { miss_of_mixtures(seen, behind, count, front, fronts, out, {threads, monitor}); });
}

// Writes the labels that trimming leaves.
void trim_labels(const py::array& image, const Array<std::uint8_t>& labels, double edge, double alike, double unlike,
                 int neighbours, Array<std::uint8_t>& trimmed, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = labels_of(labels, view);
    plane(trimmed, view, "trimmed");
    auto* out = reinterpret_cast<Label*>(trimmed.mutable_data());
    run(monitor, [&] { trim(view, label, {edge, alike, unlike, neighbours}, out, {threads, monitor}); });
}

const Label* optional_labels(const std::optional<Array<std::uint8_t>>& labels, const ImageView& image) {
    return labels ? labels_of(*labels, image) : nullptr;
}

Array<double> fit_regression(const py::array& image, const Array<std::uint8_t>& labels, int radius, double ridge,
                             int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = labels_of(labels, view);
    const auto w = run(monitor, [&] { return patch_regression(view, label, radius, ridge, threads, monitor); });
    return Array<double>(static_cast<py::ssize_t>(w.size()), w.data());
}

void predict_regression(const py::array& image, const std::optional<Array<std::uint8_t>>& labels, int radius,
                        const std::vector<double>& weights, Array<float>& alpha, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = optional_labels(labels, view);
    plane(alpha, view, "alpha");
    if (static_cast<std::int64_t>(weights.size()) != patch_size(radius, view.channels) + 1) {
        throw std::invalid_argument("weights: expected one for each number of a patch, and the bias");
    }
    float* out = alpha.mutable_data();
    run(monitor, [&] { patch_regression_predict(view, label, radius, weights, threads, out, monitor); });
}

// Returns copies of layer l: (W, b).
py::tuple layer_of(const Network& network, std::size_t l) {
    const Layer& layer = network.layers().at(l);
    Array<float> W({layer.inputs, layer.outputs});
    Array<float> b(layer.outputs);
    for (std::int64_t i = 0; i < layer.inputs; ++i) {
        std::copy_n(layer.weight.data() + i * layer.padded, layer.outputs, W.mutable_data(i, 0));
    }
    std::copy_n(layer.weight.data() + layer.inputs * layer.padded, layer.outputs, b.mutable_data());
    return py::make_tuple(W, b);
}

void set_layer(Network& network, std::size_t l, const Array<float>& W, const Array<float>& b) {
    Layer& layer = network.layers().at(l);
    if (W.ndim() != 2 || W.shape(0) != layer.inputs || W.shape(1) != layer.outputs || b.ndim() != 1 ||
        b.shape(0) != layer.outputs) {
        throw std::invalid_argument("W, b: expected the layer's shape");
    }
    for (std::int64_t i = 0; i < layer.inputs; ++i) {
        std::copy_n(W.data(i, 0), layer.outputs, layer.weight.data() + i * layer.padded);
    }
    std::copy_n(b.data(), layer.outputs, layer.weight.data() + layer.inputs * layer.padded);
}

// Trains a network on batches that Python gives.
class PyTrainer {
public:
    PyTrainer(Network& network, std::int64_t batch, int threads)
        : network_(network), batch_(batch), trainer_(network, batch, threads) {}

    double step(const Array<float>& inputs, const Array<float>& targets, double rate, PyMonitor& monitor) {
        const std::int64_t width = network_.inputs();
        if (inputs.ndim() != 2 || inputs.shape(0) != batch_ || inputs.shape(1) != width || targets.ndim() != 1 ||
            targets.shape(0) != batch_) {
            throw std::invalid_argument("inputs, targets: expected one batch");
        }
        const float* x = inputs.data();
        const float* y = targets.data();
        const auto fill = [&](std::int64_t, std::int64_t first, std::int64_t count, float* to, float* target) {
            std::copy_n(x + first * width, count * width, to);
            std::copy_n(y + first, count, target);
        };
        return run(monitor, [&] { return trainer_.step(rate, fill, monitor); });
    }

private:
    Network& network_;
    std::int64_t batch_;
    Trainer trainer_;
};

PatchInputs patch_inputs(const ImageView& image, int radius, const Array<float>& extra, const std::vector<float>& mean,
                         const std::vector<float>& scale, const Network& network) {
    if (extra.ndim() != 3 || extra.shape(1) != image.height || extra.shape(2) != image.width ||
        static_cast<py::ssize_t>(mean.size()) != image.channels + extra.shape(0) || scale.size() != mean.size() ||
        network.inputs() != patch_size(radius, image.channels) + extra.shape(0)) {
        throw std::invalid_argument("extra, mean, scale: expected one of each for every input");
    }
    return {radius, extra.shape(0), extra.data(), mean, scale};
}

// Returns (steps, training losses, validation losses).
py::tuple fit_network(const py::array& image, const Array<std::uint8_t>& labels, int radius, const Array<float>& extra,
                      const std::vector<float>& mean, const std::vector<float>& scale, Network& network,
                      std::int64_t batch, std::int64_t steps, double learning_rate, bool balanced, double validation,
                      std::int64_t check_every, std::int64_t patience, std::uint64_t seed, int threads,
                      PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = labels_of(labels, view);
    const PatchInputs inputs = patch_inputs(view, radius, extra, mean, scale, network);
    const PatchNetworkOptions options{batch,       steps,    learning_rate, balanced, validation,
                                      check_every, patience, seed,          threads};
    const PatchTraining training =
        run(monitor, [&] { return patch_network(view, label, inputs, options, network, monitor); });
    return py::make_tuple(training.steps, training.training_loss, training.validation_loss);
}

void predict_network(const py::array& image, const std::optional<Array<std::uint8_t>>& labels, int radius,
                     const Array<float>& extra, const std::vector<float>& mean, const std::vector<float>& scale,
                     const Network& network, Array<float>& alpha, int threads, PyMonitor& monitor) {
    const ImageView view = image_view(image);
    const Label* label = optional_labels(labels, view);
    plane(alpha, view, "alpha");
    const PatchInputs inputs = patch_inputs(view, radius, extra, mean, scale, network);
    float* out = alpha.mutable_data();
    run(monitor, [&] { patch_network_predict(view, label, inputs, network, threads, out, monitor); });
}

}  // namespace

void register_prior(py::module_& m) {
    m.def("trim", &trim_labels, py::arg("image").noconvert(), py::arg("labels").noconvert(), py::arg("edge"),
          py::arg("alike"), py::arg("unlike"), py::arg("neighbours"), py::arg("trimmed").noconvert(),
          py::arg("threads"), py::arg("monitor"));
    m.def("composite_network", &composite, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("alpha").noconvert(), py::arg("hidden"), py::arg("steps"), py::arg("batch"), py::arg("learning_rate"),
          py::arg("gamma"), py::arg("reach"), py::arg("neighbours"), py::arg("seed"), py::arg("threads"),
          py::arg("monitor"));
    m.def("global_sampling", &sampling, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("alpha").noconvert(), py::arg("cost").noconvert(), py::arg("sweeps"), py::arg("seed"),
          py::arg("threads"), py::arg("monitor"));
    m.def("shared_sampling", &shared, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("alpha").noconvert(), py::arg("confidence").noconvert(), py::arg("foreground").noconvert().none(true),
          py::arg("background").noconvert().none(true), py::arg("expansion_radius"), py::arg("expansion_threshold"),
          py::arg("rays"), py::arg("sharing_radius"), py::arg("smoothing_radius"), py::arg("own_colours"),
          py::arg("threads"), py::arg("monitor"));
    m.def("known_background", &before_background, py::arg("image").noconvert(), py::arg("background").noconvert(),
          py::arg("labels").noconvert(), py::arg("noise"), py::arg("candidates"), py::arg("seed"),
          py::arg("alpha").noconvert(), py::arg("confidence").noconvert(), py::arg("threads"), py::arg("monitor"));
    m.def("miss_of_mixtures", &miss_of, py::arg("colours").noconvert(), py::arg("background").noconvert(),
          py::arg("foreground").noconvert(), py::arg("miss2").noconvert(), py::arg("threads"), py::arg("monitor"));
    m.def("fit_patch_regression", &fit_regression, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("radius"), py::arg("ridge"), py::arg("threads"), py::arg("monitor"));
    m.def("predict_patch_regression", &predict_regression, py::arg("image").noconvert(),
          py::arg("labels").noconvert().none(true), py::arg("radius"), py::arg("weights"), py::arg("alpha").noconvert(),
          py::arg("threads"), py::arg("monitor"));
    py::class_<Network>(m, "Network")
        .def(py::init<const std::vector<std::int64_t>&>(), py::arg("sizes"))
        .def("initialise", &Network::initialise, py::arg("seed"), py::arg("last_scale"), py::arg("last_bias"))
        .def("layer", &layer_of, py::arg("index"))
        .def("set_layer", &set_layer, py::arg("index"), py::arg("W").noconvert(), py::arg("b").noconvert());
    py::class_<PyTrainer>(m, "Trainer")
        .def(py::init<Network&, std::int64_t, int>(), py::arg("network"), py::arg("batch"), py::arg("threads"),
             py::keep_alive<1, 2>())
        .def("step", &PyTrainer::step, py::arg("inputs").noconvert(), py::arg("targets").noconvert(), py::arg("rate"),
             py::arg("monitor"));
    m.def("fit_patch_network", &fit_network, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("radius"), py::arg("extra").noconvert(), py::arg("mean"), py::arg("scale"), py::arg("network"),
          py::arg("batch"), py::arg("steps"), py::arg("learning_rate"), py::arg("balanced"), py::arg("validation"),
          py::arg("check_every"), py::arg("patience"), py::arg("seed"), py::arg("threads"), py::arg("monitor"));
    m.def("predict_patch_network", &predict_network, py::arg("image").noconvert(),
          py::arg("labels").noconvert().none(true), py::arg("radius"), py::arg("extra").noconvert(), py::arg("mean"),
          py::arg("scale"), py::arg("network"), py::arg("alpha").noconvert(), py::arg("threads"), py::arg("monitor"));
}

}  // namespace trimatte::bindings
