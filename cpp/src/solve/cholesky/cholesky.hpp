// Sparse Cholesky factorisation has two steps: a plan says what it would cost, a factor holds the
// numbers. This header is private to cpp/src/solve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "solve/cholesky/symbolic.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// Returns an order of elimination that leaves little fill. Nested dissection finds it where the
// unknowns have places and a reach, Eigen's approximate minimum degree where they have none (reach
// = 0).
std::vector<std::int32_t> elimination_order(const Problem& problem, const Context& context);

// Returns the order of approximate minimum degree (Amestoy, Davis, Duff, SIAM J. Matrix Anal. Appl.
// 17(4), 1996). Throws FactorizationError if the matrix has more than 2^31 - 1 entries.
std::vector<std::int32_t> minimum_degree(const Csr& matrix);

// A plan is the symbolic part of a factorisation. It polls the monitor, but starts no phase.
class CholeskyPlan {
public:
    // order[k] is the unknown that is eliminated as the k-th. The matrix is read here only.
    CholeskyPlan(const Csr& matrix, std::vector<std::int32_t> order, Monitor& monitor)
        : symbolic_(analyse(matrix, std::move(order), monitor)) {}

    // Counts the numbers that the factor holds, with the zeros that fill its dense blocks.
    std::int64_t factor_entries() const { return symbolic_.values; }
    // Returns the most bytes that the plan, the factorisation and the substitution hold at once.
    std::size_t peak_bytes(int threads = 1) const;
    // Counts the multiplications of the factorisation; each comes with an addition.
    double multiply_adds() const { return symbolic_.work; }

    const Symbolic& symbolic() const { return symbolic_; }

private:
    Symbolic symbolic_;
};

// A storage is the memory of a factorisation. The next one uses it again and enlarges it only if it
// needs more, so a thread that factorises many small systems one after the other keeps one storage.
struct CholeskyStorage {
    Buffer<double> values, stack;

    // Makes room for at least `size` numbers.
    static double* reserve(Buffer<double>& buffer, std::int64_t size);
};

// A factor is the L of P A P^T = L L^T. The plan and the storage must outlive it, and the storage
// serves one factor at a time.
class CholeskyFactor {
public:
    // Throws FactorizationError if the matrix is not positive definite, and Cancelled. With one
    // thread, all of it runs on the calling thread; the bits do not depend on the number of
    // threads. If sets_fraction is true, the monitor's fraction follows the work.
    CholeskyFactor(const CholeskyPlan& plan, const Csr& matrix, const Context& context, CholeskyStorage& storage,
                   bool sets_fraction = false);

    // Replaces b by A^-1 b, in the numbering of the matrix.
    void solve(double* b, const Context& context) const;

private:
    const Symbolic& symbolic_;
    const double* const values_;
};

}  // namespace trimatte
