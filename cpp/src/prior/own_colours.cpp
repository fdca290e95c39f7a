// How far colours are from all mixtures of a known background with known foreground colours. A
// colour that is far from all belongs to the subject itself: the background does not shine through.
#include <algorithm>
#include <array>

#include "prior/mixture.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/prior.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t block = 512;  // pixels that are compared with one foreground colour after another

using Plane = std::array<float, block>;

}  // namespace

void miss_of_mixtures(const float* colours, const float* background, std::int64_t count, const float* foreground,
                      std::int64_t foregrounds, float* miss2, const Context& context) {
    parallel_for((count + block - 1) / block, context.threads, context.monitor, [&](std::int64_t task) {
        const std::int64_t begin = task * block, size = std::min(block, count - begin);
        std::array<Plane, 3> B, rise;
        Plane least;
        for (std::size_t c = 0; c < 3; ++c) {
            for (std::int64_t i = 0; i < size; ++i) {
                const std::int64_t at = 3 * (begin + i) + static_cast<std::int64_t>(c);
                B[c][static_cast<std::size_t>(i)] = background[at];
                rise[c][static_cast<std::size_t>(i)] = colours[at] - background[at];
            }
        }
        for (std::int64_t f = 0; f < foregrounds; ++f) {
            const float F0 = foreground[3 * f], F1 = foreground[3 * f + 1], F2 = foreground[3 * f + 2];
            for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i) {
                const float to[3] = {rise[0][i], rise[1][i], rise[2][i]};
                const float line[3] = {F0 - B[0][i], F1 - B[1][i], F2 - B[2][i]};
                const float found = nearest_mixture(to, line).miss2;
                least[i] = f == 0 || found < least[i] ? found : least[i];
            }
        }
        std::copy_n(least.begin(), size, miss2 + begin);
    });
}

}  // namespace trimatte
