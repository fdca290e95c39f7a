// A network that learns to unmix: its inputs are a colour and its place, its output is alpha. Its
// examples are mixtures of a known foreground and a known background colour from around the same
// place. They are made anew for every step, so that the network sees half-transparent pixels, which
// no label shows.
#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "prior/known_colours.hpp"
#include "prior/padded_image.hpp"
#include "prior/predict_pixels.hpp"
#include "trimatte/network.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/prior.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t most_colours = 8000;   // known colours of each kind
constexpr std::int64_t most_queries = 20000;  // places where mixtures are made
constexpr std::int64_t least_draws = 24;      // how often each place is drawn, in the mean
// This part of the examples has alpha 0, as much has alpha 1, and the others lie evenly between.
constexpr float share_of_each_end = 0.45f;
constexpr double last_rate = 1e-5;

// The inputs of the network: (colour - mean) / deviation, and the place, from -2 to 2 along the
// longer side.
struct Inputs {
    int channels;
    std::vector<float> mean;
    float scale;  // 1 / deviation
    float half;   // half the longer side, in pixels

    // Mean and deviation are taken over the unknown pixels. All channels have one deviation.
    Inputs(const ImageView& image, const Label* labels, int threads, Monitor& monitor)
        : channels(image.channels), half(0.5f * static_cast<float>(std::max(image.height, image.width))) {
        struct Sums {
            double count = 0, colour[3] = {0, 0, 0}, square = 0;
        };
        constexpr std::int64_t band = 64;
        std::vector<Sums> sums(static_cast<std::size_t>((image.height + band - 1) / band));
        parallel_for(static_cast<std::int64_t>(sums.size()), threads, monitor, [&](std::int64_t b) {
            Sums& sum = sums[static_cast<std::size_t>(b)];
            std::vector<double> row(static_cast<std::size_t>(image.width * channels));
            for (std::int64_t y = b * band; y < std::min(image.height, (b + 1) * band); ++y) {
                const Label* label = labels + y * image.width;
                if (std::find(label, label + image.width, Label::unknown) == label + image.width) {
                    continue;
                }
                load_row(image, y, image.width, row.data());
                for (std::int64_t x = 0; x < image.width; ++x) {
                    if (label[x] == Label::unknown) {
                        ++sum.count;
                        for (int c = 0; c < channels; ++c) {
                            const double v = row[static_cast<std::size_t>(c * image.width + x)];
                            sum.colour[c] += v;
                            sum.square += v * v;
                        }
                    }
                }
                monitor.poll();
            }
        });
        Sums all;
        for (const Sums& sum : sums) {
            all.count += sum.count;
            all.square += sum.square;
            for (int c = 0; c < channels; ++c) {
                all.colour[c] += sum.colour[c];
            }
        }
        double variance = all.square / all.count;
        for (int c = 0; c < channels; ++c) {
            const double m = all.colour[c] / all.count;
            mean.push_back(static_cast<float>(m));
            variance -= m * m;
        }
        scale = static_cast<float>(1 / std::sqrt(std::max(variance / channels, 1e-6)));
    }
    std::int64_t size() const { return channels + 2; }
    void set(const float* colour, std::int64_t y, std::int64_t x, float* out) const {
        for (int c = 0; c < channels; ++c) {
            out[c] = (colour[c] - mean[static_cast<std::size_t>(c)]) * scale;
        }
        out[channels] = 2 * (static_cast<float>(x) / half - 1);
        out[channels + 1] = 2 * (static_cast<float>(y) / half - 1);
    }
};

// The known colours of one kind, their powers (colour ^ gamma), and the numbers of those that lie
// around each query.
struct Colours {
    std::vector<float> colour, power;
    std::vector<std::int32_t> near;
    std::int64_t count;  // colours around each query

    Colours(const ImageView& image, std::vector<Place>&& known, const std::vector<Place>& queries,
            const CompositeNetworkOptions& options, Monitor& monitor) {
        const std::vector<Place> places = some_of(std::move(known), most_colours, options.seed);
        colour = colours_at(image, places, options.threads, monitor);
        power = colour;
        for (float& v : power) {
            v = std::pow(v, static_cast<float>(options.gamma));
        }
        count = std::min<std::int64_t>(options.neighbours, static_cast<std::int64_t>(places.size()));
        near = nearest(places, queries, count, options.threads, monitor);
    }
    // Draws one of the colours around a query.
    std::int64_t draw(Random& random, std::int64_t query) const {
        return near[static_cast<std::size_t>(query * count + random.below(count))];
    }
};

void train(Network& network, const ImageView& image, const Label* labels, const Inputs& inputs,
           const CompositeNetworkOptions& options, Monitor& monitor) {
    const std::int64_t wanted = std::clamp<std::int64_t>(options.steps * options.batch / least_draws, 1, most_queries);
    const std::vector<Place> queries =
        some_of(places_of(image, labels, Label::unknown, options.threads, monitor), wanted, options.seed);
    KnownPlaces known = known_near_unknown(image, labels, options.reach, options.threads, monitor);
    const Colours foreground(image, std::move(known.foreground), queries, options, monitor);
    const Colours background(image, std::move(known.background), queries, options, monitor);
    const float inverse_gamma = static_cast<float>(1 / options.gamma);
    const int channels = image.channels;

    const FillExamples fill = [&](std::int64_t step, std::int64_t first, std::int64_t count, float* x, float* target) {
        Random random(options.seed, static_cast<std::uint64_t>(step) + 1, static_cast<std::uint64_t>(first));
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t query = random.below(static_cast<std::int64_t>(queries.size()));
            const std::int64_t f = foreground.draw(random, query) * channels;
            const std::int64_t b = background.draw(random, query) * channels;
            const float u = random.uniform();
            float mixed[3];
            const float* colour = mixed;
            if (u < share_of_each_end) {
                target[i] = 0;
                colour = background.colour.data() + b;
            } else if (u < 2 * share_of_each_end) {
                target[i] = 1;
                colour = foreground.colour.data() + f;
            } else {
                const float alpha = random.uniform();
                target[i] = alpha;
                for (int c = 0; c < channels; ++c) {
                    mixed[c] = std::pow(alpha * foreground.power[static_cast<std::size_t>(f + c)] +
                                            (1 - alpha) * background.power[static_cast<std::size_t>(b + c)],
                                        inverse_gamma);
                }
            }
            const Place& place = queries[static_cast<std::size_t>(query)];
            inputs.set(colour, place.y, place.x, x + i * inputs.size());
        }
    };
    Trainer trainer(network, options.batch, options.threads);
    for (std::int64_t step = 0; step < options.steps; ++step) {
        const double turn = 3.14159265358979323846 * static_cast<double>(step) / static_cast<double>(options.steps);
        trainer.step(last_rate + (options.learning_rate - last_rate) * 0.5 * (1 + std::cos(turn)), fill, monitor);
        monitor.set_fraction(static_cast<double>(step) / static_cast<double>(options.steps));
        monitor.poll();
    }
}

}  // namespace

void composite_network(const ImageView& image, const Label* labels, const CompositeNetworkOptions& options,
                       float* alpha, Monitor& monitor) {
    monitor.phase("network");
    const Inputs inputs(image, labels, options.threads, monitor);
    std::vector<std::int64_t> sizes = {inputs.size()};
    sizes.insert(sizes.end(), options.hidden.begin(), options.hidden.end());
    sizes.push_back(1);
    Network network(sizes);
    network.initialise(options.seed, 0.1, 0.5);
    train(network, image, labels, inputs, options, monitor);

    monitor.phase("prediction");
    const auto inputs_of_rows = [&](std::int64_t y_begin, std::int64_t y_end) {
        PaddedRows<float> loaded(image, 0, y_begin, y_end);
        loaded.load();
        return [&, rows = std::move(loaded)](std::int64_t y, std::int64_t x, float* out) {
            inputs.set(rows.row(y) + x * image.channels, y, x, out);
        };
    };
    predict_pixels(image, labels, network, options.threads, alpha, monitor, inputs_of_rows);
    monitor.finish();
}

}  // namespace trimatte
