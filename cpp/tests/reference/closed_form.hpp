// The slow twin of the closed-form Laplacian: Eq. 12 of Levin, Lischinski, Weiss, TPAMI 2008,
// window after window into a dense matrix, with an explicit inverse.
#pragma once

#include <Eigen/LU>

#include "reference/window_sums.hpp"

namespace trimatte::test {

inline Eigen::MatrixXd dense_laplacian(const Picture& I, double epsilon, int radius,
                                       const IsUnknown& is_unknown = everywhere) {
    return dense_window_sums(I, radius, is_unknown, [epsilon](const Eigen::MatrixXd& colour) -> Eigen::MatrixXd {
        const Eigen::Index n = colour.rows(), channels = colour.cols();
        const double count = static_cast<double>(n);
        const Eigen::MatrixXd d = colour.rowwise() - colour.colwise().mean();
        const Eigen::MatrixXd covariance = d.transpose() * d / count;
        const Eigen::MatrixXd inverse =
            (covariance + epsilon / count * Eigen::MatrixXd::Identity(channels, channels)).inverse();
        return Eigen::MatrixXd::Identity(n, n) - (Eigen::MatrixXd::Ones(n, n) + d * inverse * d.transpose()) / count;
    });
}

}  // namespace trimatte::test
