// The vectors of conjugate gradients on sparse rows, with any preconditioner. This header is
// private to the core.
#pragma once

#include <memory>

#include "solve/deflation.hpp"
#include "solve/iterate.hpp"
#include "solve/preconditioner.hpp"
#include "solve/scaled_matrix.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// Makes the iterate of a problem, whose matrix is `scaled`. Both must outlive it. The deflation may
// be null.
std::unique_ptr<Iterate> make_sparse_iterate(const Problem& problem, const ScaledMatrix& scaled,
                                             std::unique_ptr<Preconditioner> preconditioner,
                                             std::unique_ptr<Deflation> deflation, const Context& context);

// Makes the preconditioner of Jacobi, the inverse of the diagonal. `scaled` must outlive it.
std::unique_ptr<Preconditioner> make_jacobi(const ScaledMatrix& scaled, const Context& context);

}  // namespace trimatte
