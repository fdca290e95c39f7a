// The slow twin of the closed-form Laplacian: Eq. 12 of Levin, Lischinski, Weiss, TPAMI 2008,
// window after window into a dense matrix, with an explicit inverse.
#pragma once

#include <Eigen/LU>
#include <functional>

#include "support.hpp"

namespace trimatte::test {

// A window is built if is_unknown(y, x) holds for one of its pixels.
inline Eigen::MatrixXd dense_laplacian(const Picture& I, double epsilon, int radius,
                                       const std::function<bool(std::int64_t, std::int64_t)>& is_unknown) {
    const std::int64_t side = 2 * radius + 1;
    const std::int64_t n = side * side;
    const std::int64_t pixels = I.height * I.width;
    Eigen::MatrixXd L = Eigen::MatrixXd::Zero(pixels, pixels);
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
            if (!build) {
                continue;
            }
            const Eigen::MatrixXd d = colour.rowwise() - colour.colwise().mean();
            const double count = static_cast<double>(n);
            const Eigen::MatrixXd covariance = d.transpose() * d / count;
            const Eigen::MatrixXd inverse =
                (covariance + epsilon / count * Eigen::MatrixXd::Identity(I.channels, I.channels)).inverse();
            const Eigen::MatrixXd entry =
                Eigen::MatrixXd::Identity(n, n) - (Eigen::MatrixXd::Ones(n, n) + d * inverse * d.transpose()) / count;
            for (std::int64_t a = 0; a < n; ++a) {
                for (std::int64_t b = 0; b < n; ++b) {
                    L(pixel[static_cast<std::size_t>(a)], pixel[static_cast<std::size_t>(b)]) += entry(a, b);
                }
            }
        }
    }
    return L;
}

inline Eigen::MatrixXd dense_laplacian(const Picture& image, double epsilon, int radius) {
    return dense_laplacian(image, epsilon, radius, [](std::int64_t, std::int64_t) { return true; });
}

}  // namespace trimatte::test
