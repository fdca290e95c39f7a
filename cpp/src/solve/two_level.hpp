// Preconditions a matrix that is given by its products. This header is private to this folder.
//
// The diagonal D handles what is rough, one coarse level handles what is smooth on the scale of a
// window, and both are added:
//     M^-1 = D^-1 + V (V^T A V)^-1 V^T
// V has the columns 1, R, G and B of each cell (CellMatrix). L = D - G, where G hardly leaves
// anything of an alpha that no window can fit. M^-1 A therefore has few eigenvalues far from 1.
#pragma once

#include <memory>

#include "solve/preconditioner.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// Makes the preconditioner of the problem's matrix. scale: D^-1/2. Both must outlive the result.
// Returns null if the operator has no coarse level.
std::unique_ptr<Preconditioner> make_two_level(const Problem& problem, const Buffer<double>& scale,
                                               const Context& context);

}  // namespace trimatte
