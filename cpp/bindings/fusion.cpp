#include "trimatte/fusion.hpp"

#include <pybind11/stl.h>

#include <algorithm>

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"

namespace trimatte::bindings {
namespace {

// Each layer is (W, b, dilation); W is taps x inputs x outputs.
using Layers = std::vector<std::tuple<Array<float>, Array<float>, std::int64_t>>;

FusionNetwork make_network(const Layers& layers) {
    FusionNetwork network;
    std::int64_t inputs = layers.empty() || std::get<0>(layers[0]).ndim() != 3 ? 0 : std::get<0>(layers[0]).shape(1);
    for (const auto& [W, b, dilation] : layers) {
        const bool last = network.layers.size() + 1 == layers.size();
        if (W.ndim() != 3 || W.shape(0) != (last ? 1 : 9) || W.shape(1) != inputs || b.ndim() != 1 ||
            b.shape(0) != W.shape(2) || dilation < 1 || (last ? b.shape(0) != 1 : b.shape(0) % 8 != 0)) {
            throw std::invalid_argument("layers: expected weights that fit together");
        }
        if (network.layers.size() > 1 && !last && b.shape(0) != inputs) {
            throw std::invalid_argument("layers: expected as many outputs as inputs from the second layer on");
        }
        Convolution layer(W.shape(0), inputs, W.shape(2), dilation);
        for (std::int64_t row = 0; row < layer.taps * inputs; ++row) {
            std::copy_n(W.data() + row * layer.outputs, layer.outputs, layer.weight.data() + row * layer.padded);
        }
        std::copy_n(b.data(), layer.outputs, layer.weight.data() + layer.taps * inputs * layer.padded);
        inputs = layer.outputs;
        network.layers.push_back(std::move(layer));
    }
    if (network.layers.size() < 2) {
        throw std::invalid_argument("layers: expected at least two");
    }
    return network;
}

FusionInputs inputs_of(const py::array& image, const Array<std::uint8_t>& labels, const Array<float>& planes) {
    const ImageView view = image_view(image);
    if (planes.ndim() != 3 || planes.shape(1) != view.height || planes.shape(2) != view.width) {
        throw std::invalid_argument("planes: expected shape (count, height, width)");
    }
    return {view, reinterpret_cast<const Label*>(plane(labels, view, "labels")), planes.data(), planes.shape(0)};
}

Array<float> maps_of(const py::array& image, const Array<std::uint8_t>& labels, const Array<float>& planes, int threads,
                     PyMonitor& monitor) {
    const FusionInputs inputs = inputs_of(image, labels, planes);
    Array<float> maps({inputs.image.height, inputs.image.width, inputs.maps()});
    float* out = maps.mutable_data();
    run(monitor, [&] { make_fusion_maps(inputs, out, {threads, monitor}); });
    return maps;
}

// Writes the networks' correction of the unknown pixels.
void correct(const py::array& image, const Array<std::uint8_t>& labels, const Array<float>& planes,
             const std::vector<const FusionNetwork*>& networks, Array<float>& correction, int threads,
             PyMonitor& monitor) {
    const FusionInputs inputs = inputs_of(image, labels, planes);
    const auto fits = [&](const FusionNetwork* network) {
        return network != nullptr && network->layers.front().inputs == inputs.maps();
    };
    if (networks.empty() || !std::all_of(networks.begin(), networks.end(), fits)) {
        throw std::invalid_argument("networks: expected one or more that take as many maps as there are");
    }
    plane(correction, inputs.image, "correction");
    float* out = correction.mutable_data();
    run(monitor, [&] { fusion_correction(inputs, networks, out, {threads, monitor}); });
}

// Writes the distance of each pixel to the nearest one with this label.
void distances(const Array<std::uint8_t>& labels, std::uint8_t label, Array<float>& distance, int threads,
               PyMonitor& monitor) {
    if (labels.ndim() != 2 || distance.ndim() != 2 || distance.shape(0) != labels.shape(0) ||
        distance.shape(1) != labels.shape(1)) {
        throw std::invalid_argument("labels, distance: expected planes of one size");
    }
    const auto* from = reinterpret_cast<const Label*>(labels.data());
    float* out = distance.mutable_data();
    run(monitor, [&] {
        distance_to(static_cast<Label>(label), from, labels.shape(0), labels.shape(1), out, {threads, monitor});
    });
}

}  // namespace

void register_fusion(py::module_& m) {
    py::class_<FusionNetwork>(m, "FusionNetwork").def(py::init(&make_network), py::arg("layers"));
    m.def("fusion_maps", &maps_of, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("planes").noconvert(), py::arg("threads"), py::arg("monitor"));
    m.def("distance_to", &distances, py::arg("labels").noconvert(), py::arg("label"), py::arg("distance").noconvert(),
          py::arg("threads"), py::arg("monitor"));
    m.def("fusion_correction", &correct, py::arg("image").noconvert(), py::arg("labels").noconvert(),
          py::arg("planes").noconvert(), py::arg("networks"), py::arg("correction").noconvert(), py::arg("threads"),
          py::arg("monitor"));
}

}  // namespace trimatte::bindings
