// A small feed-forward network for regression, with rectified hidden layers, a linear output,
// squared loss and ADAM.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

// A layer computes y = x W + b. Rows of W are padded with zeros to a multiple of 8 numbers.
struct Layer {
    std::int64_t inputs;
    std::int64_t outputs;
    std::int64_t padded;   // outputs, rounded up to a multiple of 8
    Buffer<float> weight;  // (inputs + 1) x padded; the last row is b

    Layer(std::int64_t inputs, std::int64_t outputs);
};

class Network {
public:
    // sizes: the number of inputs, those of the hidden layers, and 1. All weights are zero.
    explicit Network(const std::vector<std::int64_t>& sizes);

    // Draws weights with variance 2 / inputs (He et al., ICCV 2015). Those of the last layer are
    // multiplied by last_scale. All biases are zero except that of the last layer.
    void initialise(std::uint64_t seed, double last_scale, double last_bias);

    std::vector<Layer>& layers() { return layers_; }
    const std::vector<Layer>& layers() const { return layers_; }
    std::int64_t inputs() const { return layers_.front().inputs; }
    std::int64_t widest() const;  // the padded size of the widest layer

private:
    std::vector<Layer> layers_;
};

// Fills `count` examples of step `step`, beginning with example `first`: inputs (count x inputs)
// and targets. Many threads call it, so it must depend on its arguments only.
using FillExamples =
    std::function<void(std::int64_t step, std::int64_t first, std::int64_t count, float* inputs, float* targets)>;

// Trains one network. Each step is one batch. The gradient is the same for any number of threads.
class Trainer {
public:
    Trainer(Network& network, std::int64_t batch, int threads);
    ~Trainer();
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;
    // Takes one step of ADAM (Kingma, Ba, ICLR 2015, Algorithm 1). Returns the mean squared error
    // of the batch before the step.
    double step(double rate, const FillExamples& fill, Monitor& monitor);

private:
    struct Work;   // the arrays for one chunk of examples
    struct Rows {  // some rows of a layer's W and b
        std::size_t layer;
        std::int64_t begin, end;
    };

    // Copies rows [begin, end) of layer l's W to its transpose.
    void turn(std::size_t l, std::int64_t begin, std::int64_t end);

    Network& network_;
    std::int64_t batch_;
    int threads_;
    std::int64_t steps_ = 0;
    std::vector<std::int64_t> start_;  // the start of each layer in the arrays of all weights
    std::vector<Work> work_;
    std::vector<Rows> pieces_;           // the rows of all weights in pieces of 32
    Buffer<float> gradient_, m_, v_;     // gradient_ has one array for each chunk
    std::vector<Buffer<float>> turned_;  // W transposed, for the layers after the first
    std::vector<double> loss_;
};

// Evaluates a network on one thread.
class Predictor {
public:
    explicit Predictor(const Network& network);
    // Computes the outputs for `count` inputs, which fill(first, count, inputs) provides a few at a
    // time.
    void operator()(std::int64_t count, const std::function<void(std::int64_t, std::int64_t, float*)>& fill,
                    float* out);

private:
    const Network& network_;
    Buffer<float> inputs_;
    std::vector<Buffer<float>> outputs_;
};

}  // namespace trimatte
