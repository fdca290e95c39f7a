// Squared Euclidean distances by Felzenszwalb, Huttenlocher, "Distance Transforms of Sampled
// Functions", Theory of Computing 8, 2012: distances within the columns first, then, for each row,
// the lower envelope of the parabolas that stand on them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "trimatte/fusion.hpp"

namespace trimatte {
namespace {

constexpr double none = std::numeric_limits<double>::infinity();
constexpr std::int64_t columns_of_a_chunk = 64;

// Writes the distance within the column, in whole pixels; infinity if the column has no such pixel.
void distances_in_columns(Label label, const Label* labels, std::int64_t height, std::int64_t width, std::int64_t begin,
                          std::int64_t end, float* distance) {
    constexpr float far = std::numeric_limits<float>::infinity();
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = begin; x < end; ++x) {
            const std::int64_t p = y * width + x;
            distance[p] = labels[p] == label ? 0 : y == 0 ? far : distance[p - width] + 1;
        }
    }
    for (std::int64_t y = height - 1; y-- > 0;) {
        for (std::int64_t x = begin; x < end; ++x) {
            const std::int64_t p = y * width + x;
            distance[p] = std::min(distance[p], distance[p + width] + 1);
        }
    }
}

// The lowest of parabolas (x - at)^2 + height, from left to right.
class Envelope {
public:
    explicit Envelope(std::int64_t width)
        : at_(static_cast<std::size_t>(width)), height_(at_.size()), from_(at_.size()) {}

    // Turns the distances within columns into distances, in place.
    void operator()(std::int64_t width, float* distance) {
        std::size_t count = 0;
        for (std::int64_t x = 0; x < width; ++x) {
            const double d = distance[x];
            if (d < none) {
                count = add(count, static_cast<double>(x), d * d);
            }
        }
        std::size_t k = 0;
        for (std::int64_t x = 0; x < width && count > 0; ++x) {
            const double here = static_cast<double>(x);
            while (k + 1 < count && from_[k + 1] < here) {
                ++k;
            }
            const double away = here - at_[k];
            distance[x] = static_cast<float>(std::sqrt(away * away + height_[k]));
        }
    }

private:
    // Adds a parabola to the right of `count` others, drops those that it covers, and returns the
    // new number.
    std::size_t add(std::size_t count, double x, double height) {
        double from = -none;
        while (count > 0) {
            const double last = at_[count - 1];
            from = ((height + x * x) - (height_[count - 1] + last * last)) / (2 * (x - last));
            if (from > from_[count - 1]) {
                break;
            }
            --count;
            from = -none;
        }
        at_[count] = x;
        height_[count] = height;
        from_[count] = from;
        return count + 1;
    }

    std::vector<double> at_, height_, from_;
};

}  // namespace

void distance_to(Label label, const Label* labels, std::int64_t height, std::int64_t width, float* distance,
                 const Context& context) {
    parallel_for((width + columns_of_a_chunk - 1) / columns_of_a_chunk, context.threads, context.monitor,
                 [&](std::int64_t chunk) {
                     const std::int64_t begin = chunk * columns_of_a_chunk;
                     distances_in_columns(label, labels, height, width, begin,
                                          std::min(width, begin + columns_of_a_chunk), distance);
                 });
    constexpr std::int64_t rows = 16;
    parallel_for((height + rows - 1) / rows, context.threads, context.monitor, [&](std::int64_t chunk) {
        Envelope envelope(width);
        for (std::int64_t y = chunk * rows; y < std::min(height, (chunk + 1) * rows); ++y) {
            envelope(width, distance + y * width);
        }
    });
}

}  // namespace trimatte
