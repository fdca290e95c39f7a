// A small feed-forward network for regression: rectified hidden layers, linear output, squared loss, ADAM.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

// y = x W + b. Rows of W are padded with zeros to a multiple of 8 numbers.
struct Layer {
    std::int64_t inputs;
    std::int64_t outputs;
    std::int64_t padded;   // outputs, rounded up
    Buffer<float> weight;  // (inputs + 1) x padded; the last row is b

    Layer(std::int64_t inputs, std::int64_t outputs);
};

class Network {
public:
    // sizes: inputs, hidden layers, 1. All weights are zero.
    explicit Network(const std::vector<std::int64_t>& sizes);

    // He et al., ICCV 2015: variance 2 / inputs; those of the last layer are scaled. Biases are zero but the last.
    void initialise(std::uint64_t seed, double last_scale, double last_bias);

    std::vector<Layer>& layers() { return layers_; }
    const std::vector<Layer>& layers() const { return layers_; }
    std::int64_t inputs() const { return layers_.front().inputs; }
    std::int64_t widest() const;  // padded

private:
    std::vector<Layer> layers_;
};

// Fills `count` examples of step `step`, from example `first` on: inputs (count x inputs) and targets. Called from
// many threads; must depend on its arguments only.
using FillExamples =
    std::function<void(std::int64_t step, std::int64_t first, std::int64_t count, float* inputs, float* targets)>;

// One network in training. Each step is one batch; the gradient is the same for any number of threads.
class Trainer {
public:
    Trainer(Network& network, std::int64_t batch, int threads);
    ~Trainer();
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;
    // ADAM (Kingma, Ba, ICLR 2015, Algorithm 1). Returns the mean squared error of the batch before the step.
    double step(double rate, const FillExamples& fill, Monitor& monitor);

private:
    struct Work;   // of one chunk of examples
    struct Rows {  // of a layer's W and b
        std::size_t layer;
        std::int64_t begin, end;
    };

    // Copies rows [begin, end) of layer l's W to its transpose.
    void turn(std::size_t l, std::int64_t begin, std::int64_t end);

    Network& network_;
    std::int64_t batch_;
    int threads_;
    std::int64_t steps_ = 0;
    std::vector<std::int64_t> start_;  // of each layer in the arrays of all weights
    std::vector<Work> work_;
    std::vector<Rows> pieces_;           // of all weights, 32 rows each
    Buffer<float> gradient_, m_, v_;     // gradient: one array for each chunk
    std::vector<Buffer<float>> turned_;  // W transposed, layers after the first
    std::vector<double> loss_;
};

// Answers of a network, one thread.
class Predictor {
public:
    explicit Predictor(const Network& network);
    // Those for `count` inputs, which fill(first, count, inputs) makes a few at a time.
    void operator()(std::int64_t count, const std::function<void(std::int64_t, std::int64_t, float*)>& fill,
                    float* out);

private:
    const Network& network_;
    Buffer<float> inputs_;
    std::vector<Buffer<float>> outputs_;
};

}  // namespace trimatte
