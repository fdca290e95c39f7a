// The twin of solve_picture(): one dense system of all unknown pixels.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "reference/dense_solve.hpp"
#include "support.hpp"

namespace trimatte::test {

inline std::vector<double> dense_alpha(const ImageView& image, const std::vector<Label>& labels, const Known& known,
                                       const Affinity& affinity) {
    Monitor monitor;
    const Problem problem = assemble(affinity, image, known, Form::sparse, {1, monitor});
    const Eigen::VectorXd x = dense_solve(dense(problem.matrix), dense(problem.rhs));
    std::vector<double> alpha;
    for (const Label label : labels) {
        alpha.push_back(label == Label::foreground);
    }
    for (std::int64_t i = 0; i < problem.unknowns(); ++i) {
        alpha[static_cast<std::size_t>(problem.pixel[i])] = std::min(1.0, std::max(0.0, x[i]));
    }
    return alpha;
}

inline double difference(const std::vector<double>& a, const std::vector<double>& b) {
    double most = 0;
    for (std::size_t p = 0; p < a.size(); ++p) {
        most = std::max(most, std::abs(a[p] - b[p]));
    }
    return most;
}

}  // namespace trimatte::test
