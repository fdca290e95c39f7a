// Slow twin of information-flow matting's operator: Aksoy, Aydin, Pollefeys, CVPR 2017, term after
// term into a dense matrix. Neighbours are found by comparing all pixels, and mixtures with the
// whole matrix G instead of Woodbury's identity.
#pragma once

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "reference/closed_form.hpp"
#include "trimatte/information_flow.hpp"

namespace trimatte::test {

// [R, G, B, s x / width, s y / height] as floats, one row per pixel.
inline Eigen::MatrixXf dense_features(const Picture& I, double s) {
    Eigen::MatrixXf features(I.height * I.width, 5);
    for (std::int64_t p = 0; p < I.height * I.width; ++p) {
        for (int c = 0; c < 3; ++c) {
            features(p, c) = static_cast<float>(I.at(p / I.width, p % I.width, std::min(c, I.channels - 1)));
        }
        features(p, 3) = static_cast<float>(s * static_cast<double>(p % I.width) / static_cast<double>(I.width));
        features(p, 4) = static_cast<float>(s * static_cast<double>(p / I.width) / static_cast<double>(I.height));
    }
    return features;
}

inline std::vector<std::int64_t> nearest_pixels(const Eigen::MatrixXf& features, std::vector<std::int64_t> among,
                                                std::int64_t p, int k) {
    const auto distance = [&](std::int64_t q) {
        float sum = 0;
        for (Eigen::Index d = 0; d < features.cols(); ++d) {
            const float difference = features(p, d) - features(q, d);
            sum += difference * difference;
        }
        return sum;
    };
    among.erase(std::remove(among.begin(), among.end(), p), among.end());
    std::stable_sort(among.begin(), among.end(), [&](auto a, auto b) { return distance(a) < distance(b); });
    among.resize(std::min(among.size(), static_cast<std::size_t>(k)));
    return among;
}

inline Eigen::MatrixXd dense_information_flow(const Picture& I, const Label* labels,
                                              const InformationFlowOptions& options) {
    Eigen::MatrixXd L = options.local_weight * dense_laplacian(I, options.epsilon, 1);
    const Eigen::MatrixXf near = dense_features(I, 1), similar = dense_features(I, 0.05);
    const Eigen::MatrixXd colour = near.leftCols(3).cast<double>(), place = similar.cast<double>();
    std::vector<std::int64_t> all, unknown;
    for (std::int64_t p = 0; p < I.height * I.width; ++p) {
        all.push_back(p);
        if (labels[p] == Label::unknown) {
            unknown.push_back(p);
        }
    }
    for (const std::int64_t p : unknown) {
        std::vector<std::int64_t> term = nearest_pixels(near, all, p, options.mixture_neighbours);
        const auto k = static_cast<Eigen::Index>(term.size());
        Eigen::MatrixXd D(k, 3);
        for (Eigen::Index i = 0; i < k; ++i) {
            D.row(i) = colour.row(p) - colour.row(term[static_cast<std::size_t>(i)]);
        }
        const Eigen::MatrixXd G = D * D.transpose() + 1e-3 * Eigen::MatrixXd::Identity(k, k);
        const Eigen::VectorXd w = G.lu().solve(Eigen::VectorXd::Ones(k));
        Eigen::VectorXd m(k + 1);
        m << -w / w.sum(), 1;
        term.push_back(p);
        L(term, term) += m * m.transpose();
        for (const std::int64_t q : nearest_pixels(similar, unknown, p, options.unknown_neighbours)) {
            const double distance = (place.row(p) - place.row(q)).cwiseAbs().sum();
            const double weight = options.unknown_weight * std::max(0.0, 1 - distance);
            L(p, p) += weight;
            L(q, q) += weight;
            L(p, q) -= weight;
            L(q, p) -= weight;
        }
    }
    return L;
}

}  // namespace trimatte::test
