// Smoothed-aggregation multigrid for any sparse symmetric matrix that is positive (semi-)definite.
//
// Vanek, Mandel, Brezina, "Algebraic Multigrid by Smoothed Aggregation for Second and Fourth Order
// Elliptic Problems", Computing 56, 1996. The method needs no geometry: it finds aggregates of
// strongly coupled unknowns in the matrix.
#pragma once

#include <memory>

#include "solve/preconditioner.hpp"
#include "solve/scaled_matrix.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// A cycle smooths by a polynomial of this degree. Each vector has room for up to `lanes` right-hand
// sides, 1 or 4.
struct CycleOptions {
    int degree = 2;
    int lanes = 1;
};

class GraphMultigrid : public Preconditioner {
public:
    // Computes z = M^-1 r for several right-hand sides, as many as CycleOptions has lanes, or 1.
    // Number i of right-hand side c is at lanes * i + c. r and z may be the same array.
    virtual void apply_side_by_side(int lanes, const float* r, float* z) = 0;
};

// Makes the preconditioner of scaled.A; `scaled` must outlive the result. near_null holds `columns`
// vectors of one number for each row, one after the other: the vectors that the scaled matrix maps
// to (almost) zero. They are D^1/2 times those of A. The first vector, which comes from the
// constant, is nowhere zero.
std::unique_ptr<GraphMultigrid> make_graph_multigrid(const ScaledMatrix& scaled, const Buffer<float>& near_null,
                                                     int columns, const CycleOptions& options, const Context& context);

// Returns the near-null vectors of a problem's matrix that has been scaled to unit diagonal:
// 1 + problem.channels vectors. scale: D^-1/2, where D is the diagonal before the scaling.
Buffer<float> near_null(const Problem& problem, const Buffer<double>& scale, const Context& context);

}  // namespace trimatte
