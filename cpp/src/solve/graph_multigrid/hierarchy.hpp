// The levels of the multigrid for graphs.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "solve/graph_multigrid/aggregates.hpp"
#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte::graph {

// From the unknowns of the next coarser level to those of this one.
struct Prolongation {
    SparseMatrix P;
    Nodes nodes;              // of the coarser level
    Buffer<float> near_null;  // of the coarser level: the column c of unknown j is at c * P.columns + j
};

// The tentative prolongation T: the near-null vectors cut up by aggregates, made orthonormal on
// each of them. T times the coarse near-null vectors gives the fine ones, except on nodes without
// an aggregate, whose rows are empty.
Prolongation tentative_prolongation(const Nodes& nodes, const Aggregates& aggregates, const Buffer<float>& near_null,
                                    int columns, const Context& context);

// P = (I - omega A) T, the small entries of a row dropped.
void smooth_prolongation(const MatrixView& A, double omega, Prolongation& prolongation, int columns,
                         const Context& context);

// An upper bound of the eigenvalues of A, which is as good as certain.
double largest_eigenvalue(const MatrixView& A, const Context& context);

// One level. Its matrix has unit diagonal.
struct Level {
    MatrixView A;
    std::vector<std::int64_t> ranges;  // of the rows of A
    SparseMatrix matrix;               // what A shows, but for the finest level
    Buffer<float> value;               // of A on the finest level; the rest is the caller's
    double lmax = 0;
    SparseMatrix P, R;                        // to and from the coarser level, R = P^T; empty on the coarsest
    std::vector<std::int64_t> coarse_ranges;  // of the rows of R
    Buffer<float> x, r, d, next_d;            // vectors of the cycle

    std::size_t bytes() const;
};

// A dense factorisation of the coarsest matrix.
class DenseSolve {
public:
    virtual ~DenseSolve() = default;
    virtual void solve(const float* r, float* x) = 0;
    virtual std::size_t bytes() const = 0;
};
// Null if A is too large for it.
std::unique_ptr<DenseSolve> make_dense_solve(const MatrixView& A, const Context& context);

std::vector<Level> make_levels(const Csr& A, const Buffer<float>& near_null, int columns, const Context& context);

// x = an approximate solution of levels[0].A x = r, in levels[0].x; r is in levels[0].r and is
// lost.
void run_cycle(std::vector<Level>& levels, DenseSolve* coarsest, const Context& context);

}  // namespace trimatte::graph
