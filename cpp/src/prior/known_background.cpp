// The prior of a known background. Where the background B of a pixel is known, the line from B
// through a foreground colour F says what alpha the pixel's colour I has: the place on the line that
// lies nearest to I. Candidates for F are known foreground pixels: those nearest to the pixel's
// block of 4 x 4 pixels, and others drawn at random. Each candidate counts by exp(-cost). The cost
// is the squared difference between I and the place on the line, over 12 times the variance of the
// noise, plus a little for the distance to the candidate.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "prior/known_colours.hpp"
#include "prior/mixture.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/prior.hpp"

namespace trimatte {
namespace {

constexpr std::int32_t side = 4;                 // of a block, in pixels
constexpr std::int64_t rim = 12;                 // candidates lie within so many rows and columns of unknown pixels
constexpr std::int64_t most_candidates = 20000;  // of the picture
constexpr float by_distance = 0.05f;             // cost of a candidate at the distance of the nearest one
constexpr float most_cost = 30;                  // above the least one; a candidate beyond it does not count
constexpr float spread = 0.05f;                  // deviation of alpha that doubles as much doubt as a cost of 1
constexpr float least_confidence = 1e-3f;

struct Blocks {
    std::vector<Place> corner;        // the top left pixel of every block that holds an unknown one
    std::vector<std::int64_t> first;  // the number of the first block of every row of blocks
};

Blocks blocks_of(const ImageView& image, const Label* labels) {
    Blocks blocks;
    std::vector<std::uint8_t> there(static_cast<std::size_t>((image.width + side - 1) / side));
    for (std::int64_t top = 0; top < image.height; top += side) {
        blocks.first.push_back(static_cast<std::int64_t>(blocks.corner.size()));
        std::fill(there.begin(), there.end(), std::uint8_t{0});
        for (std::int64_t y = top; y < std::min(image.height, top + side); ++y) {
            for (std::int64_t x = 0; x < image.width; ++x) {
                there[static_cast<std::size_t>(x / side)] |= labels[y * image.width + x] == Label::unknown;
            }
        }
        for (std::size_t b = 0; b < there.size(); ++b) {
            if (there[b] != 0) {
                blocks.corner.push_back({static_cast<std::int32_t>(top), static_cast<std::int32_t>(b) * side});
            }
        }
    }
    blocks.first.push_back(static_cast<std::int64_t>(blocks.corner.size()));
    return blocks;
}

// Four rows of a picture as planes: the number of channel c of pixel (y, x) of the picture. Missing
// channels are 0.
class Rows {
public:
    Rows(const ImageView& image, std::int64_t top) : width_(image.width), top_(top) {
        const std::int64_t height = std::min<std::int64_t>(side, image.height - top);
        values_.resize(static_cast<std::size_t>(height * 3 * width_), 0.0f);
        for (std::int64_t y = 0; y < height; ++y) {
            load_row(image, top + y, width_, values_.data() + y * 3 * width_);
        }
    }
    float at(std::int64_t y, std::int64_t x, std::int64_t c) const {
        return values_[static_cast<std::size_t>(((y - top_) * 3 + c) * width_ + x)];
    }

private:
    std::int64_t width_, top_;
    std::vector<float> values_;
};

// The known foreground pixels that candidates are taken from.
struct Known {
    std::vector<Place> places;
    std::vector<float> colours;  // three for each place; those of missing channels are 0
};

Known known_foreground(const ImageView& image, const Label* labels, std::uint64_t seed, const Context& context) {
    Known known;
    known.places = some_of(known_near_unknown(image, labels, rim, context.threads, context.monitor).foreground,
                           most_candidates, seed);
    const std::vector<float> colours = colours_at(image, known.places, context.threads, context.monitor);
    const auto channels = static_cast<std::size_t>(image.channels);
    known.colours.resize(3 * known.places.size(), 0.0f);
    for (std::size_t i = 0; i < known.places.size(); ++i) {
        std::copy_n(colours.begin() + static_cast<std::ptrdiff_t>(i * channels), channels,
                    known.colours.begin() + static_cast<std::ptrdiff_t>(3 * i));
    }
    return known;
}

struct Explained {
    float alpha, confidence;
};

// The candidates of a pixel, as planes.
class Candidates {
public:
    Candidates(const Known& known, std::size_t count) : known_(known), count_(count), planes_(7 * count) {}

    // Makes pixel `number` of the known ones candidate k.
    void set(std::size_t k, std::int64_t number) {
        const auto i = static_cast<std::size_t>(number);
        for (std::size_t c = 0; c < 3; ++c) {
            plane(c)[k] = known_.colours[3 * i + c];
        }
        plane(3)[k] = static_cast<float>(known_.places[i].y);
        plane(4)[k] = static_cast<float>(known_.places[i].x);
    }

    // Joins what the candidates say of a pixel at (y, x) with the colour I before the colour B.
    Explained explain(const float* I, const float* B, float y, float x, float per_miss) {
        float* alpha = plane(5);
        float* cost = plane(6);
        const float nearest = away(y, x, cost);
        mix(I, B, per_miss, by_distance / std::max(nearest, 1.0f), alpha, cost);
        return joined(alpha, cost);
    }

private:
    float* plane(std::size_t p) { return planes_.data() + p * count_; }

    // Fills the distances to (y, x), and returns the least.
    float away(float y, float x, float* __restrict distance) {
        const float* to_y = plane(3);
        const float* to_x = plane(4);
        for (std::size_t k = 0; k < count_; ++k) {
            const float dy = to_y[k] - y, dx = to_x[k] - x;
            distance[k] = std::sqrt(dy * dy + dx * dx);
        }
        return *std::min_element(distance, distance + count_);
    }

    // Fills the alphas, and replaces the distances by costs.
    void mix(const float* I, const float* B, float per_miss, float per_pixel, float* __restrict alpha,
             float* __restrict cost) {
        const float B0 = B[0], B1 = B[1], B2 = B[2];
        const float rise[3] = {I[0] - B0, I[1] - B1, I[2] - B2};
        const float* F0 = plane(0);
        const float* F1 = plane(1);
        const float* F2 = plane(2);
        for (std::size_t k = 0; k < count_; ++k) {
            const float line[3] = {F0[k] - B0, F1[k] - B1, F2[k] - B2};
            const Mixture mixture = nearest_mixture(rise, line);
            alpha[k] = mixture.alpha;
            cost[k] = mixture.miss2 * per_miss + cost[k] * per_pixel;
        }
    }

    Explained joined(const float* alpha, const float* cost) const {
        const float least = *std::min_element(cost, cost + count_);
        float weights = 0, mean = 0, square = 0;
        for (std::size_t k = 0; k < count_; ++k) {
            if (cost[k] - least < most_cost) {
                const float weight = std::exp(least - cost[k]);
                weights += weight;
                mean += weight * alpha[k];
            }
        }
        mean /= weights;
        for (std::size_t k = 0; k < count_; ++k) {
            if (cost[k] - least < most_cost) {
                square += std::exp(least - cost[k]) * (alpha[k] - mean) * (alpha[k] - mean);
            }
        }
        const float doubt = least + square / weights / (spread * spread);
        return {std::min(mean, 1.0f), std::max(std::exp(-doubt / 4), least_confidence)};
    }

    const Known& known_;
    std::size_t count_;
    std::vector<float> planes_;  // three colours, y, x, alpha, cost
};

}  // namespace

void known_background(const ImageView& image, const ImageView& background, const Label* labels,
                      const KnownBackgroundOptions& options, float* alpha, float* confidence, Monitor& monitor) {
    monitor.phase("known background");
    const Context context{options.threads, monitor};
    const Known known = known_foreground(image, labels, options.seed, context);
    const auto total = static_cast<std::int64_t>(known.places.size());
    const std::int64_t near = std::min(options.candidates, total);
    const Blocks blocks = blocks_of(image, labels);
    std::vector<Place> middles = blocks.corner;
    for (Place& place : middles) {
        place = {place.y + side / 2, place.x + side / 2};
    }
    const std::vector<std::int32_t> nearest_to = nearest(known.places, middles, near, options.threads, monitor);
    const auto per_miss = static_cast<float>(1 / (12 * options.noise * options.noise));

    parallel_for(static_cast<std::int64_t>(blocks.first.size()) - 1, options.threads, monitor, [&](std::int64_t row) {
        const auto begin = blocks.first[static_cast<std::size_t>(row)];
        const auto end = blocks.first[static_cast<std::size_t>(row) + 1];
        if (begin == end) {
            return;
        }
        const Rows pixels(image, row * side), behind(background, row * side);
        Candidates candidates(known, static_cast<std::size_t>(near + options.candidates));
        for (std::int64_t b = begin; b < end; ++b) {
            monitor.poll();
            for (std::int64_t k = 0; k < near; ++k) {
                candidates.set(static_cast<std::size_t>(k), nearest_to[static_cast<std::size_t>(b * near + k)]);
            }
            const Place corner = blocks.corner[static_cast<std::size_t>(b)];
            for (std::int64_t y = corner.y; y < std::min<std::int64_t>(image.height, corner.y + side); ++y) {
                for (std::int64_t x = corner.x; x < std::min<std::int64_t>(image.width, corner.x + side); ++x) {
                    const std::int64_t p = y * image.width + x;
                    if (labels[p] != Label::unknown) {
                        continue;
                    }
                    Random random(options.seed, 1, static_cast<std::uint64_t>(p));
                    for (std::int64_t k = near; k < near + options.candidates; ++k) {
                        candidates.set(static_cast<std::size_t>(k), random.below(total));
                    }
                    const float I[3] = {pixels.at(y, x, 0), pixels.at(y, x, 1), pixels.at(y, x, 2)};
                    const float B[3] = {behind.at(y, x, 0), behind.at(y, x, 1), behind.at(y, x, 2)};
                    const Explained found =
                        candidates.explain(I, B, static_cast<float>(y), static_cast<float>(x), per_miss);
                    alpha[p] = found.alpha;
                    confidence[p] = found.confidence;
                }
            }
        }
    });
    monitor.finish();
}

}  // namespace trimatte
