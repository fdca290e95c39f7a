// The smallest eigenvalue of M^-1 A that conjugate gradients have seen. This header is private to
// this folder.
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <vector>

namespace trimatte {

// The smallest eigenvalue of the tridiagonal matrix that the coefficients of the iterations form
// (Saad, Iterative Methods, 2nd ed., Sec. 6.7.3).
class SmallestRitzValue {
public:
    // Adds the coefficients of an iteration: x += alpha p, then p = z + beta p.
    void add(double alpha, double beta) {
        diagonal_.push_back(1 / alpha + carry_);
        off_diagonal_.push_back(std::sqrt(std::max(beta, 0.0)) / alpha);
        carry_ = beta / alpha;
    }
    // Returns a value that leaves out at most the last twentieth of the iterations. The value falls
    // slowly, and computing it takes time that grows with the square of their number.
    double recent() {
        const std::size_t size = diagonal_.size();
        return size < 64 || 20 * size > 21 * size_then_ ? now() : value_;
    }
    // Returns the value that includes the step that follows, whose beta is not known yet.
    double then(double alpha) const {
        SmallestRitzValue next = *this;
        next.add(alpha, 0);
        return next.now();
    }
    double now() {
        const auto n = static_cast<Eigen::Index>(diagonal_.size());
        if (diagonal_.size() != size_then_) {
            Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
            solver.computeFromTridiagonal(Eigen::Map<const Eigen::VectorXd>(diagonal_.data(), n),
                                          Eigen::Map<const Eigen::VectorXd>(off_diagonal_.data(), n - 1),
                                          Eigen::EigenvaluesOnly);
            value_ = solver.eigenvalues()[0];
            size_then_ = diagonal_.size();
        }
        return value_;
    }

private:
    std::vector<double> diagonal_, off_diagonal_;
    double carry_ = 0;
    double value_ = 0;
    std::size_t size_then_ = 0;
};

}  // namespace trimatte
