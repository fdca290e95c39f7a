// The vectors of conjugate gradients on sparse rows, with any preconditioner. This header is
// private to the core.
#pragma once

#include <memory>

#include "solve/conjugate_gradient.hpp"
#include "solve/deflation.hpp"
#include "solve/iterate.hpp"
#include "solve/preconditioner.hpp"
#include "solve/scaled_matrix.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// Solves the system of a problem by conjugate gradients. `scaled` is the problem's matrix. The
// deflation may be null.
SolveInfo solve_sparse(const Problem& problem, const ScaledMatrix& scaled,
                       std::unique_ptr<Preconditioner> preconditioner, std::unique_ptr<Deflation> deflation,
                       const Caution& caution, const SolveOptions& options, double* x, Monitor& monitor);

// Makes the preconditioner of Jacobi, the inverse of the diagonal. `scaled` must outlive it.
std::unique_ptr<Preconditioner> make_jacobi(const ScaledMatrix& scaled, const Context& context);

}  // namespace trimatte
