// Conjugate gradients on a matrix that is given by its products.
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "solve/conjugate_gradient.hpp"
#include "solve/two_level.hpp"
#include "solve/vector_iterate.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

class MatrixFreeIterate : public VectorIterate {
public:
    MatrixFreeIterate(const Problem& problem, const Buffer<double>& scale,
                      std::unique_ptr<Preconditioner> preconditioner, const Context& context)
        : VectorIterate(problem, scale, std::move(preconditioner), context), products_(*problem.products) {}

private:
    void multiply(const double* v, double* product) override { products_.multiply(v, product, context()); }

    const MatrixFree& products_;
};

// Returns D^-1/2 for a problem that has products.
Buffer<double> scale_of(const MatrixFree& products, const Context& context) {
    const Buffer<double>& diagonal = products.diagonal;
    Buffer<double> scale(diagonal.size());
    each(scale.size(), context, [&](std::int64_t i) {
        if (!(diagonal[i] > 0)) {
            throw FactorizationError("operator: expected a positive diagonal, got " + std::to_string(diagonal[i]) +
                                     " for unknown " + std::to_string(i));
        }
        scale[i] = 1 / std::sqrt(diagonal[i]);
    });
    return scale;
}

}  // namespace

SolveInfo matrix_free(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const Context context{options.threads, monitor};
    const bool has_levels = options.solver != Solver::conjugate_gradient;
    monitor.phase("hierarchy");
    const Buffer<double> scale = scale_of(*problem.products, context);
    std::unique_ptr<Preconditioner> preconditioner = has_levels ? make_two_level(problem, scale, context) : nullptr;
    if (!preconditioner) {
        preconditioner = std::make_unique<Jacobi>(scale, context);
    }
    MatrixFreeIterate iterate(problem, scale, std::move(preconditioner), context);
    monitor.phase("cg");
    SolveOptions own = options;
    own.relative_residual = has_levels ? 0 : options.relative_residual;
    SolveInfo info = conjugate_gradient(iterate, problem.unknowns(), caution_of(problem), own, x, monitor);
    info.solver = has_levels ? Solver::multigrid : Solver::conjugate_gradient;
    info.peak_bytes += scale.bytes();
    return info;
}

}  // namespace trimatte
