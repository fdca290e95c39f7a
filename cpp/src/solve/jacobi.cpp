// Conjugate gradients with the preconditioner of Jacobi, the inverse of the diagonal. This solver
// needs hundreds to thousands of iterations, but no memory beyond the scaled matrix and its
// vectors.
#include <algorithm>
#include <memory>

#include "solve/conjugate_gradient.hpp"
#include "solve/sparse_iterate.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

// The matrix is already scaled to unit diagonal, so that its Jacobi preconditioner is the identity.
class Identity : public Preconditioner {
public:
    explicit Identity(std::int64_t size) : size_(size) {}
    void apply(const double* r, double* z) override { std::copy_n(r, size_, z); }
    std::size_t bytes() const override { return 0; }
    double operator_complexity() const override { return 1; }

private:
    std::int64_t size_;
};

}  // namespace

SolveInfo jacobi(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("cg");
    const Context context{options.threads, monitor};
    const ScaledMatrix scaled(problem.matrix, context);
    SparseIterate iterate(problem, scaled, std::make_unique<Identity>(problem.unknowns()), context);
    SolveInfo info = conjugate_gradient(iterate, problem.unknowns(), caution_of(problem), options, x, monitor);
    info.solver = Solver::conjugate_gradient;
    return info;
}

}  // namespace trimatte
