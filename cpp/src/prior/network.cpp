// Training and prediction of small networks. A batch is cut into chunks of 64 examples, whatever
// the number of threads, and the gradients of the chunks are added in order. Matrix products have
// kernels of their own (simd/kernels_network.inl): these choose the instruction set when the
// program runs, which Eigen's templates cannot do, and they add every sum in one order.
#include "trimatte/network.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "simd/kernels.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t chunk = 64;
constexpr double keep1 = 0.9, keep2 = 0.999, epsilon = 1e-8;  // beta1, beta2 of the paper

std::int64_t pad(std::int64_t n) { return (n + 7) / 8 * 8; }

Buffer<float> zeros(std::int64_t size) {
    Buffer<float> buffer(size);
    std::fill(buffer.begin(), buffer.end(), 0.0f);
    return buffer;
}

// Writes the output of layer l for `rows` inputs x to out[l].
void forward(const Network& network, const float* x, std::int64_t rows, std::vector<Buffer<float>>& out) {
    const simd::Kernels& kernels = simd::kernels();
    std::int64_t stride = network.inputs();
    for (std::size_t l = 0; l < network.layers().size(); ++l) {
        const Layer& layer = network.layers()[l];
        kernels.matrix_product(rows, layer.padded, layer.inputs, x, stride, 1, layer.weight.data(), layer.padded,
                               layer.weight.data() + layer.inputs * layer.padded, 0, out[l].data(), layer.padded);
        if (l + 1 < network.layers().size()) {
            kernels.rectify(rows * layer.padded, out[l].data());
        }
        x = out[l].data();
        stride = layer.padded;
    }
}

std::vector<Buffer<float>> make_outputs(const Network& network) {
    std::vector<Buffer<float>> out;
    for (const Layer& layer : network.layers()) {
        out.push_back(zeros(chunk * layer.padded));
    }
    return out;
}

}  // namespace

Layer::Layer(std::int64_t inputs_, std::int64_t outputs_)
    : inputs(inputs_), outputs(outputs_), padded(pad(outputs_)), weight(zeros((inputs_ + 1) * pad(outputs_))) {}

Network::Network(const std::vector<std::int64_t>& sizes) {
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
        layers_.emplace_back(sizes[l], sizes[l + 1]);
    }
}

void Network::initialise(std::uint64_t seed, double last_scale, double last_bias) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        Layer& layer = layers_[l];
        const bool last = l + 1 == layers_.size();
        const double scale = std::sqrt(2.0 / static_cast<double>(layer.inputs)) * (last ? last_scale : 1);
        Random random(seed, l);
        for (std::int64_t i = 0; i < layer.inputs; ++i) {
            for (std::int64_t j = 0; j < layer.outputs; ++j) {
                layer.weight[i * layer.padded + j] = static_cast<float>(scale * random.normal());
            }
        }
        std::fill_n(layer.weight.data() + layer.inputs * layer.padded, layer.outputs,
                    last ? static_cast<float>(last_bias) : 0.0f);
    }
}

std::int64_t Network::widest() const {
    std::int64_t most = 0;
    for (const Layer& layer : layers_) {
        most = std::max(most, layer.padded);
    }
    return most;
}

struct Trainer::Work {
    Buffer<float> inputs, targets;
    std::vector<Buffer<float>> out;
    // Gradients of the loss with respect to a layer's outputs, and to those of the layer before.
    Buffer<float> delta[2];

    explicit Work(const Network& network)
        : inputs(chunk * network.inputs()), targets(chunk), out(make_outputs(network)) {
        for (Buffer<float>& d : delta) {
            d = zeros(chunk * network.widest());
        }
    }
};

Trainer::~Trainer() = default;

Trainer::Trainer(Network& network, std::int64_t batch, int threads)
    : network_(network), batch_(batch), threads_(threads), start_{0} {
    for (const Layer& layer : network.layers()) {
        start_.push_back(start_.back() + layer.weight.size());
        turned_.push_back(turned_.empty() ? Buffer<float>() : zeros(layer.outputs * pad(layer.inputs)));
    }
    const std::int64_t chunks = (batch + chunk - 1) / chunk;
    for (std::int64_t c = 0; c < chunks; ++c) {
        work_.emplace_back(network);
    }
    for (std::size_t l = 0; l < network.layers().size(); ++l) {
        const std::int64_t rows = network.layers()[l].inputs + 1;
        for (std::int64_t i = 0; i < rows; i += 32) {
            pieces_.push_back({l, i, std::min(i + 32, rows)});
        }
    }
    gradient_ = Buffer<float>(chunks * start_.back());
    m_ = zeros(start_.back());
    v_ = zeros(start_.back());
    loss_.resize(static_cast<std::size_t>(chunks));
    for (std::size_t l = 1; l < network.layers().size(); ++l) {
        turn(l, 0, network.layers()[l].inputs);
    }
}

void Trainer::turn(std::size_t l, std::int64_t begin, std::int64_t end) {
    const Layer& layer = network_.layers()[l];
    const std::int64_t stride = pad(layer.inputs);
    for (std::int64_t j = 0; j < layer.outputs; ++j) {
        for (std::int64_t i = begin; i < end; ++i) {
            turned_[l][j * stride + i] = layer.weight[i * layer.padded + j];
        }
    }
}

double Trainer::step(double rate, const FillExamples& fill, Monitor& monitor) {
    const simd::Kernels& kernels = simd::kernels();
    const std::vector<Layer>& layers = network_.layers();
    const std::int64_t chunks = static_cast<std::int64_t>(work_.size());
    const std::int64_t weights = start_.back();

    parallel_for(chunks, threads_, monitor, [&](std::int64_t c) {
        Work& work = work_[static_cast<std::size_t>(c)];
        const std::int64_t rows = std::min(chunk, batch_ - c * chunk);
        fill(steps_, c * chunk, rows, work.inputs.data(), work.targets.data());
        forward(network_, work.inputs.data(), rows, work.out);

        float* delta = work.delta[0].data();
        float* delta_before = work.delta[1].data();
        double loss = 0;
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::int64_t stride = layers.back().padded;
            const float error = work.out.back()[r * stride] - work.targets[r];
            loss += static_cast<double>(error) * static_cast<double>(error);
            std::fill_n(delta + r * stride, stride, 0.0f);
            delta[r * stride] = 2 * error / static_cast<float>(batch_);
        }
        loss_[static_cast<std::size_t>(c)] = loss;
        for (std::size_t l = layers.size(); l-- > 0;) {
            monitor.poll();
            const Layer& layer = layers[l];
            const float* x = l == 0 ? work.inputs.data() : work.out[l - 1].data();
            const std::int64_t x_row = l == 0 ? layer.inputs : layers[l - 1].padded;
            float* dW = gradient_.data() + c * weights + start_[l];
            kernels.matrix_product(layer.inputs, layer.padded, rows, x, 1, x_row, delta, layer.padded, nullptr, 0, dW,
                                   layer.padded);
            const float one = 1;
            kernels.matrix_product(1, layer.padded, rows, &one, 0, 0, delta, layer.padded, nullptr, 0,
                                   dW + layer.inputs * layer.padded, 0);
            if (l > 0) {
                const std::int64_t stride = layers[l - 1].padded;
                kernels.matrix_product(rows, stride, layer.outputs, delta, layer.padded, 1, turned_[l].data(), stride,
                                       nullptr, 0, delta_before, stride);
                kernels.rectify_gradient(rows * stride, work.out[l - 1].data(), delta_before);
                std::swap(delta, delta_before);
            }
        }
    });

    ++steps_;
    const double correct1 = 1 - std::pow(keep1, steps_);
    const double correct2 = 1 - std::pow(keep2, steps_);
    parallel_for(static_cast<std::int64_t>(pieces_.size()), threads_, monitor, [&](std::int64_t p) {
        const auto& [l, begin, end] = pieces_[static_cast<std::size_t>(p)];
        Layer& layer = network_.layers()[l];
        const std::int64_t from = begin * layer.padded;
        const std::int64_t at = start_[l] + from;
        kernels.adam((end - begin) * layer.padded, gradient_.data() + at, chunks, weights, static_cast<float>(keep1),
                     static_cast<float>(keep2), static_cast<float>(rate / correct1), static_cast<float>(1 / correct2),
                     static_cast<float>(epsilon), m_.data() + at, v_.data() + at, layer.weight.data() + from);
        if (l > 0) {
            turn(l, begin, std::min(end, layer.inputs));
        }
    });
    double sum = 0;
    for (const double l : loss_) {
        sum += l;
    }
    return sum / static_cast<double>(batch_);
}

Predictor::Predictor(const Network& network)
    : network_(network), inputs_(chunk * network.inputs()), outputs_(make_outputs(network)) {}

void Predictor::operator()(std::int64_t count, const std::function<void(std::int64_t, std::int64_t, float*)>& fill,
                           float* out) {
    for (std::int64_t first = 0; first < count; first += chunk) {
        const std::int64_t rows = std::min(chunk, count - first);
        fill(first, rows, inputs_.data());
        forward(network_, inputs_.data(), rows, outputs_);
        for (std::int64_t r = 0; r < rows; ++r) {
            out[first + r] = outputs_.back()[r * network_.layers().back().padded];
        }
    }
}

}  // namespace trimatte
