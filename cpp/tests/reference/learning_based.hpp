// Slow twin of learning-based matting's operator: Zheng, Kambhamettu, ICCV 2009, window after window
// into a dense matrix, with an explicit inverse. A part of 1e-8 is the alphas' sum of squares round
// their mean; see affinity/learning_based.cpp.
#pragma once

#include <Eigen/LU>

#include "reference/window_sums.hpp"

namespace trimatte::test {

inline Eigen::MatrixXd dense_learning_based(const Picture& I, double lambda, int radius,
                                            const IsUnknown& is_unknown = everywhere) {
    return dense_window_sums(I, radius, is_unknown, [lambda](const Eigen::MatrixXd& colour) -> Eigen::MatrixXd {
        const Eigen::Index n = colour.rows(), channels = colour.cols();
        Eigen::MatrixXd X(n, channels + 1);
        X << colour, Eigen::VectorXd::Ones(n);
        Eigen::MatrixXd R = Eigen::MatrixXd::Identity(channels + 1, channels + 1);
        R(channels, channels) = 0;
        const Eigen::MatrixXd F = X * (X.transpose() * X + lambda * R).inverse() * X.transpose();
        const Eigen::MatrixXd rest = Eigen::MatrixXd::Identity(n, n) - F;
        const Eigen::MatrixXd spread =
            Eigen::MatrixXd::Identity(n, n) - Eigen::MatrixXd::Ones(n, n) / static_cast<double>(n);
        return (1 - 1e-8) * rest.transpose() * rest + 1e-8 * spread;
    });
}

}  // namespace trimatte::test
