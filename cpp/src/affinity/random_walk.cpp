// The operator of random walk matting: Grady, Schiwietz, Aharon, Westermann, "Random Walks for
// Interactive Alpha-Matting", VIIP 2005, Eq. 4 with the Euclidean distance of colours.
//
// A walker at pixel p goes to a pixel q beside it with a probability that is proportional to
//     W(p, q) = exp(-|I_p - I_q|^2 / sigma^2)
// Alpha is the probability of reaching the foreground before the background, which solves L alpha =
// 0 with L = D - W. At an edge of high contrast the weight falls below what a double can hold
// beside 1, so that a pixel could be cut off from all others. The weights are therefore
//     (1 - least) exp(-|I_p - I_q|^2 / sigma^2) + least
#include "trimatte/random_walk.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

#include "affinity/colour_rows.hpp"

namespace trimatte {
namespace {

constexpr double least = 1e-6;

// The weight between two pixels; the channels of each lie `stride` doubles apart.
double weight(const double* I_p, const double* I_q, int channels, std::int64_t stride, double precision) {
    double distance = 0;
    for (int c = 0; c < channels; ++c) {
        const double d = I_p[c * stride] - I_q[c * stride];
        distance += d * d;
    }
    return (1 - least) * std::exp(-precision * distance) + least;
}

}  // namespace

void RandomWalk::check(const ImageView& image) const {
    if (image.channels != 1 && image.channels != 3) {
        throw std::invalid_argument("image: expected 1 or 3 channels, got " + std::to_string(image.channels));
    }
}

// Pairs that hold no unknown pixel are left out.
void RandomWalk::emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                           Monitor& monitor) const {
    const std::int64_t height = wanted.image.height, width = wanted.image.width;
    ColourRows colours(wanted.image, 3, 0);
    std::array<std::int32_t, 9> column{};
    std::array<double, 9> value{};
    for (std::int64_t y = y_begin; y < y_end; ++y) {
        monitor.poll();
        for (std::int64_t x = 0; x < width; ++x) {
            if (!wanted.has_row(y * width + x)) {
                continue;
            }
            std::size_t count = 0, own = 0;
            double degree = 0;
            for (std::int64_t v = std::max<std::int64_t>(0, y - 1); v <= std::min(height - 1, y + 1); ++v) {
                for (std::int64_t u = std::max<std::int64_t>(0, x - 1); u <= std::min(width - 1, x + 1); ++u) {
                    const bool is_own = v == y && u == x;
                    const bool is_built = wanted.is_unknown(y * width + x) || wanted.is_unknown(v * width + u);
                    const double W = is_own || !is_built
                                         ? 0.0
                                         : weight(colours.row(y) + x, colours.row(v) + u, wanted.image.channels,
                                                  colours.stride(), 1 / (sigma_ * sigma_));
                    own = is_own ? count : own;
                    column[count] = static_cast<std::int32_t>(v * width + u);
                    value[count++] = -W;
                    degree += W;
                }
            }
            value[own] = degree;
            sink.add(y * width + x, static_cast<std::int64_t>(count), column.data(), value.data());
        }
    }
}

}  // namespace trimatte
