// Solves the coarsest level by a dense Cholesky factorisation.
#include <Eigen/Cholesky>

#include "solve/graph_multigrid/hierarchy.hpp"

namespace trimatte::graph {
namespace {

constexpr std::int64_t most_unknowns = 400;  // such a factorisation takes some ten milliseconds
// One of these is added to the diagonal, whose entries are one. Rounding on the levels is below the
// least positive shift. The largest shift makes any matrix definite that the Chebyshev smoother can
// handle.
constexpr double shifts[] = {0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1};
// A pivot below this is rounding, or belongs to a region without any known value.
constexpr double least_pivot = 1e-6;

class Cholesky : public DenseSolve {
public:
    explicit Cholesky(const MatrixView& A) {
        const Eigen::Index n = A.rows;
        Eigen::MatrixXd dense = Eigen::MatrixXd::Zero(n, n);
        for (Eigen::Index i = 0; i < n; ++i) {
            for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
                dense(i, A.column[k]) += 0.5 * A.value[k];  // the levels are symmetric but for rounding
                dense(A.column[k], i) += 0.5 * A.value[k];
            }
        }
        double shifted = 0;
        for (const double shift : shifts) {
            dense.diagonal().array() += shift - shifted;
            shifted = shift;
            factor_.compute(dense);
            if (factor_.info() == Eigen::Success &&
                factor_.matrixLLT().diagonal().array().square().minCoeff() > 0.5 * least_pivot) {
                break;
            }
        }
    }
    void solve(int lanes, const float* r, float* x) override {
        using Stride = Eigen::InnerStride<>;
        const Eigen::Index n = factor_.rows();
        for (int c = 0; c < lanes; ++c) {
            const Eigen::VectorXd b =
                Eigen::Map<const Eigen::VectorXf, 0, Stride>(r + c, n, Stride(lanes)).cast<double>();
            Eigen::Map<Eigen::VectorXf, 0, Stride>(x + c, n, Stride(lanes)) = factor_.solve(b).cast<float>();
        }
    }
    std::size_t bytes() const override {
        return static_cast<std::size_t>(factor_.rows() * factor_.cols()) * sizeof(double);
    }

private:
    Eigen::LLT<Eigen::MatrixXd> factor_;
};

}  // namespace

std::unique_ptr<DenseSolve> make_dense_solve(const MatrixView& A, const Context& context) {
    if (A.rows == 0 || A.rows > most_unknowns) {
        return nullptr;
    }
    context.monitor.poll();
    return std::make_unique<Cholesky>(A);
}

}  // namespace trimatte::graph
