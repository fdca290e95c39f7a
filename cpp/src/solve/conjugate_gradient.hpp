// Preconditioned conjugate gradients, for the solvers of this folder.
#pragma once

#include <cstddef>

#include "trimatte/solve.hpp"

namespace trimatte {

class Preconditioner {
public:
    virtual ~Preconditioner() = default;
    // z = M^-1 r, M symmetric positive definite (nearly: float32 inside is forgiven).
    virtual void apply(const double* r, double* z) = 0;
    virtual std::size_t bytes() const = 0;
};

// Stops at whichever of the two is not zero: the residual in units of ||b||, or the estimated largest error of x.
struct Goal {
    double relative_residual = 0;
    double error = 0;
};

// Starts from the x given. The caller has begun a phase; a phase "cg" follows.
SolveInfo preconditioned_cg(const Problem& problem, const SolveOptions& options, const Goal& goal,
                            Preconditioner& preconditioner, double* x, Monitor& monitor);

}  // namespace trimatte
