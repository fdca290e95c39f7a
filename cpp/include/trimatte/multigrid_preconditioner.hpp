// Multigrid as a preconditioner for somebody else's conjugate gradients.
#pragma once

#include <memory>

#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

class Preconditioner;

// An approximate inverse M^-1 of the matrix of a problem, for any number of right-hand sides. M^-1
// is linear, symmetric and positive definite but for rounding in float32.
class MultigridPreconditioner {
public:
    // Takes the matrix, the near-null space and the places of the unknowns from the problem, whose
    // right-hand side may be empty. kind: Solver::graph_multigrid, or Solver::multigrid for
    // unknowns that are coupled over at most Stencil::reach rows and columns of their picture. The
    // context's monitor must outlive this object. Throws FactorizationError if a diagonal entry is
    // not positive.
    MultigridPreconditioner(Problem&& problem, Solver kind, const Context& context);
    ~MultigridPreconditioner();
    MultigridPreconditioner(MultigridPreconditioner&&) noexcept;

    std::int64_t unknowns() const { return unknowns_; }
    // Computes z = M^-1 r. Both have one number per unknown and do not overlap. Only one thread at
    // a time may call it.
    void apply(const double* r, double* z);
    // Bytes of the arrays that this object holds.
    std::size_t bytes() const;
    // Numbers in the matrices of all levels, divided by those of the finest.
    double operator_complexity() const;

private:
    std::int64_t unknowns_;
    std::unique_ptr<Preconditioner> inverse_;
};

}  // namespace trimatte
