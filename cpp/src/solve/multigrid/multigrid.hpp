// Multigrid on the pixel grid as a preconditioner. This header is private to this folder and the one
// above.
#pragma once

#include <memory>

#include "solve/preconditioner.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// Makes the preconditioner of the problem's matrix, which need not have unit diagonal. The unknowns
// are coupled over at most Stencil::reach rows and columns.
std::unique_ptr<Preconditioner> make_multigrid(const Problem& problem, const Context& context);

}  // namespace trimatte
