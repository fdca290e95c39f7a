// The levels of the multigrid for graphs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "solve/graph_multigrid/aggregates.hpp"
#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "solve/scaled_matrix.hpp"

namespace trimatte::graph {

// Maps the unknowns of the next coarser level to those of this one.
struct Prolongation {
    SparseMatrix P;
    Nodes nodes;  // the nodes of the coarser level
    // near-null vectors of the coarser level: vector c at unknown j is at c * P.columns + j
    Buffer<float> near_null;
};

// Makes the tentative prolongation T: the near-null vectors, cut up by aggregates and made
// orthonormal on each of them. T times the coarse near-null vectors gives the fine ones, except on
// nodes without an aggregate, whose rows of T are empty.
Prolongation tentative_prolongation(const Nodes& nodes, const Aggregates& aggregates, const Buffer<float>& near_null,
                                    int columns, const Context& context);

// Computes P = (I - omega A) T and drops the small entries of each row.
void smooth_prolongation(const MatrixView& A, double omega, Prolongation& prolongation, int columns,
                         const Context& context);

// Returns an upper bound of the eigenvalues of A, which holds except in rare cases.
double largest_eigenvalue(const MatrixView& A, const Context& context);

// One level. Its matrix has unit diagonal.
struct Level {
    MatrixView A;
    std::vector<std::int64_t> ranges;  // borders of ranges of rows of A
    SparseMatrix matrix;               // the matrix that A shows, except on the finest level
    Buffer<float> value;               // values of A on the finest level; the caller owns the rest
    double lmax = 0;
    // P leads from the coarser level and R = P^T to it; both are empty on the coarsest level
    SparseMatrix P, R;
    std::vector<std::int64_t> coarse_ranges;  // borders of ranges of rows of R
    // The vectors of the cycle. Number c of unknown i is at lanes * i + c for `lanes` right-hand sides.
    Buffer<float> x, r, d, next_d;

    std::size_t bytes() const;
};

// A dense factorisation of the coarsest matrix.
class DenseSolve {
public:
    virtual ~DenseSolve() = default;
    // Solves A x = r for `lanes` right-hand sides, which lie as in Level.
    virtual void solve(int lanes, const float* r, float* x) = 0;
    virtual std::size_t bytes() const = 0;
};
// Returns null if A is too large.
std::unique_ptr<DenseSolve> make_dense_solve(const MatrixView& A, const Context& context);

// Makes a level without a coarser one. The first function keeps pointers to the columns of
// scaled.A.
Level level_of(const ScaledMatrix& scaled, const Context& context);
Level level_of(SparseMatrix&& matrix);

// Makes all levels. Their vectors have room for `lanes` right-hand sides.
std::vector<Level> make_levels(Level&& finest, const Buffer<float>& near_null, int columns, int lanes,
                               const Context& context);

// Computes approximate solutions x of A x = r on the finest level, levels[0], in place of the old x,
// for 1 or 4 right-hand sides. The vector r of that level is overwritten. degree: of the smoothing
// polynomial, at least 1.
void run_cycle(std::vector<Level>& levels, DenseSolve* coarsest, int degree, int lanes, const Context& context);

}  // namespace trimatte::graph
