// Slow twin of the sums over windows: window after window into a dense matrix.
#pragma once

#include <Eigen/Core>
#include <functional>

#include "support.hpp"

namespace trimatte::test {

using IsUnknown = std::function<bool(std::int64_t y, std::int64_t x)>;
inline bool everywhere(std::int64_t, std::int64_t) { return true; }

// matrix_of makes the matrix of a window from its colours, one row per pixel. A window is built if
// is_unknown(y, x) holds for one of its pixels.
inline Eigen::MatrixXd dense_window_sums(const Picture& I, int radius, const IsUnknown& is_unknown,
                                         const std::function<Eigen::MatrixXd(const Eigen::MatrixXd&)>& matrix_of) {
    const std::int64_t side = 2 * radius + 1;
    const std::int64_t n = side * side;
    Eigen::MatrixXd L = Eigen::MatrixXd::Zero(I.height * I.width, I.height * I.width);
    for (std::int64_t top = 0; top + side <= I.height; ++top) {
        for (std::int64_t left = 0; left + side <= I.width; ++left) {
            Eigen::MatrixXd colour(n, I.channels);
            std::vector<std::int64_t> pixel;
            bool build = false;
            for (std::int64_t k = 0; k < n; ++k) {
                const std::int64_t y = top + k / side;
                const std::int64_t x = left + k % side;
                pixel.push_back(y * I.width + x);
                build = build || is_unknown(y, x);
                for (int c = 0; c < I.channels; ++c) {
                    colour(k, c) = I.at(y, x, c);
                }
            }
            if (build) {
                L(pixel, pixel) += matrix_of(colour);
            }
        }
    }
    return L;
}

}  // namespace trimatte::test
