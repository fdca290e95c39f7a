// A network that learns alpha from labelled patches. Its examples are the known pixels, whose
// targets are 0 or 1.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/random.hpp"
#include "prior/known_colours.hpp"
#include "prior/padded_image.hpp"
#include "prior/predict_pixels.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/patch.hpp"

namespace trimatte {
namespace {

// More known pixels of a kind than these are not needed. Pixels drawn at random stand for all.
constexpr std::int64_t most_examples = 400000;
constexpr std::int64_t most_held_out = 10000;

// Makes the network's inputs for a pixel from rows of the picture that hold its patch.
class InputMaker {
public:
    InputMaker(const ImageView& image, const PatchInputs& inputs, std::int64_t y_begin, std::int64_t y_end, int threads,
               Monitor& monitor)
        : image_(image), inputs_(inputs), rows_(image, inputs.radius, y_begin, y_end) {
        constexpr std::int64_t band = 16;
        parallel_for((rows_.end() - rows_.first() + band - 1) / band, threads, monitor, [&](std::int64_t b) {
            const std::int64_t begin = rows_.first() + b * band, end = std::min(rows_.end(), begin + band);
            rows_.load(begin, end);
            for (float* v = rows_.row(begin); v < rows_.row(end);) {
                for (std::size_t c = 0; c < static_cast<std::size_t>(image.channels); ++c, ++v) {
                    *v = (*v - inputs.mean[c]) * inputs.scale[c];
                }
            }
        });
    }
    void operator()(std::int64_t y, std::int64_t x, float* out) const {
        const std::int64_t length = (2 * inputs_.radius + 1) * static_cast<std::int64_t>(image_.channels);
        for (int dy = -inputs_.radius; dy <= inputs_.radius; ++dy) {
            const float* row = rows_.row(y + dy) + x * image_.channels;
            std::memcpy(out, row, static_cast<std::size_t>(length) * sizeof(float));
            out += length;
        }
        for (std::int64_t e = 0; e < inputs_.extra_count; ++e) {
            const auto c = static_cast<std::size_t>(image_.channels + e);
            const float v = inputs_.extra[e * image_.pixels() + y * image_.width + x];
            *out++ = (v - inputs_.mean[c]) * inputs_.scale[c];
        }
    }

private:
    const ImageView& image_;
    const PatchInputs& inputs_;
    PaddedRows<float> rows_;
};

// Known pixels of one kind. Those held out for validation come first.
struct Examples {
    std::vector<Place> places;
    std::int64_t in_picture;
    std::int64_t held_out;

    Examples(const ImageView& image, const Label* labels, Label label, const PatchNetworkOptions& options,
             Monitor& monitor)
        : places(places_of(image, labels, label, options.threads, monitor)),
          in_picture(static_cast<std::int64_t>(places.size())) {
        places = some_of(std::move(places), most_examples, options.seed);
        const auto size = static_cast<std::int64_t>(places.size());
        const double wanted = options.validation * static_cast<double>(size);
        held_out = std::min({static_cast<std::int64_t>(std::ceil(wanted)), most_held_out, size - 1});
        Random random(options.seed, 1, static_cast<std::uint64_t>(label));
        for (std::int64_t i = 0; i < held_out; ++i) {
            std::swap(places[static_cast<std::size_t>(i)],
                      places[static_cast<std::size_t>(i + random.below(size - i))]);
        }
    }
    std::int64_t for_training() const { return static_cast<std::int64_t>(places.size()) - held_out; }
    const Place& draw(Random& random) const {
        return places[static_cast<std::size_t>(held_out + random.below(for_training()))];
    }
};

// The examples of both kinds as the network sees them.
class Lessons {
public:
    Lessons(const ImageView& image, const Label* labels, const PatchInputs& inputs, const PatchNetworkOptions& options,
            Monitor& monitor)
        : options_(options),
          monitor_(monitor),
          make_input_(image, inputs, 0, image.height, options.threads, monitor),
          foreground_(image, labels, Label::foreground, options, monitor),
          background_(image, labels, Label::background, options, monitor),
          share_of_foreground_(options.balanced
                                   ? 0.5
                                   : static_cast<double>(foreground_.in_picture) /
                                         static_cast<double>(foreground_.in_picture + background_.in_picture)) {}

    bool any_held_out() const { return foreground_.held_out + background_.held_out > 0; }

    // Draws `count` examples of a batch, from its example `first` on: inputs to x, 0 or 1 to
    // target.
    void fill(std::int64_t step, std::int64_t first, std::int64_t count, std::int64_t inputs, float* x,
              float* target) const {
        Random random(options_.seed, static_cast<std::uint64_t>(step) + 2, static_cast<std::uint64_t>(first));
        for (std::int64_t i = 0; i < count; ++i) {
            const bool is_foreground = static_cast<double>(random.uniform()) < share_of_foreground_;
            const Place& place = (is_foreground ? foreground_ : background_).draw(random);
            make_input_(place.y, place.x, x + i * inputs);
            target[i] = is_foreground ? 1.0f : 0.0f;
        }
    }

    // The mean squared error over the held-out pixels. Both kinds count as they do in training.
    double validation_loss(const Network& network) const {
        double loss = 0;
        for (const Examples* examples : {&foreground_, &background_}) {
            if (examples->held_out == 0) {
                continue;
            }
            const bool is_foreground = examples == &foreground_;
            const double sum = squared_error(network, *examples, is_foreground ? 1.0f : 0.0f);
            loss += (is_foreground ? share_of_foreground_ : 1 - share_of_foreground_) * sum /
                    static_cast<double>(examples->held_out);
        }
        return loss;
    }

private:
    // The sum over the held-out examples of one kind.
    double squared_error(const Network& network, const Examples& examples, float target) const {
        const std::int64_t count = examples.held_out;
        constexpr std::int64_t block = 1024;
        std::vector<double> parts(static_cast<std::size_t>((count + block - 1) / block), 0.0);
        parallel_for((count + block - 1) / block, options_.threads, monitor_, [&](std::int64_t k) {
            const std::int64_t begin = k * block, size = std::min(block, count - begin);
            std::vector<float> out(static_cast<std::size_t>(size));
            const auto fill_held_out = [&](std::int64_t first, std::int64_t n, float* x) {
                for (std::int64_t i = 0; i < n; ++i) {
                    const Place& p = examples.places[static_cast<std::size_t>(begin + first + i)];
                    make_input_(p.y, p.x, x + i * network.inputs());
                }
            };
            Predictor predict(network);
            predict(size, fill_held_out, out.data());
            for (const float v : out) {
                parts[static_cast<std::size_t>(k)] += static_cast<double>((v - target) * (v - target));
            }
        });
        return std::accumulate(parts.begin(), parts.end(), 0.0);
    }

    const PatchNetworkOptions& options_;
    Monitor& monitor_;
    InputMaker make_input_;
    Examples foreground_, background_;
    double share_of_foreground_;
};

std::vector<Buffer<float>> copy_weights(const Network& network) {
    std::vector<Buffer<float>> weights;
    for (const Layer& layer : network.layers()) {
        weights.emplace_back(layer.weight.size());
        std::copy(layer.weight.begin(), layer.weight.end(), weights.back().begin());
    }
    return weights;
}

// Trains until the held-out pixels have not been predicted better for `patience` checks. The
// network ends with the weights of the best check.
void train(Network& network, const Lessons& lessons, const PatchNetworkOptions& options, PatchTraining& result,
           Monitor& monitor) {
    const FillExamples fill = [&](std::int64_t step, std::int64_t first, std::int64_t count, float* x, float* target) {
        lessons.fill(step, first, count, network.inputs(), x, target);
    };
    Trainer trainer(network, options.batch, options.threads);
    double best = std::numeric_limits<double>::infinity(), sum = 0;
    std::vector<Buffer<float>> best_weights;
    std::int64_t checks_since = 0, steps_since = 0;
    while (result.steps < options.steps && checks_since < options.patience) {
        sum += trainer.step(options.learning_rate, fill, monitor);
        ++result.steps;
        ++steps_since;
        if (result.steps % options.check_every == 0 || result.steps == options.steps) {
            result.training_loss.push_back(sum / static_cast<double>(steps_since));
            sum = 0;
            steps_since = 0;
            if (lessons.any_held_out()) {
                result.validation_loss.push_back(lessons.validation_loss(network));
                ++checks_since;
                if (result.validation_loss.back() < best) {
                    best = result.validation_loss.back();
                    checks_since = 0;
                    best_weights.clear();  // first, so that only one set is in memory
                    best_weights = copy_weights(network);
                }
            }
        }
        monitor.set_fraction(static_cast<double>(result.steps) / static_cast<double>(options.steps));
        monitor.poll();
    }
    for (std::size_t l = 0; l < best_weights.size(); ++l) {
        network.layers()[l].weight = std::move(best_weights[l]);
    }
}

}  // namespace

PatchTraining patch_network(const ImageView& image, const Label* labels, const PatchInputs& inputs,
                            const PatchNetworkOptions& options, Network& network, Monitor& monitor) {
    PatchTraining result{0, {}, {}};
    monitor.phase("network");
    const Lessons lessons(image, labels, inputs, options, monitor);
    train(network, lessons, options, result, monitor);
    monitor.finish();
    return result;
}

void patch_network_predict(const ImageView& image, const Label* labels, const PatchInputs& inputs,
                           const Network& network, int threads, float* alpha, Monitor& monitor) {
    monitor.phase("prediction");
    predict_pixels(image, labels, network, threads, alpha, monitor, [&](std::int64_t y_begin, std::int64_t y_end) {
        return InputMaker(image, inputs, y_begin, y_end, 1, monitor);
    });
    monitor.finish();
}

}  // namespace trimatte
