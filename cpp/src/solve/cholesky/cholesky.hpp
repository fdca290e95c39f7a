// Sparse Cholesky factorisation in two steps: what it would cost, and the numbers. Private to cpp/src/solve.
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

// An order of elimination that leaves little fill: nested dissection where the unknowns have places and a reach,
// approximate minimum degree (Eigen's) where they have none (reach = 0).
std::vector<std::int32_t> elimination_order(const Problem& problem, const Context& context);

// The symbolic part. It polls the monitor, but starts no phase.
class CholeskyPlan {
public:
    // order[k]: the unknown that is eliminated as the k-th. The matrix is looked at, not kept.
    CholeskyPlan(const Csr& matrix, std::vector<std::int32_t> order, Monitor& monitor)
        : symbolic_(analyse(matrix, std::move(order), monitor)) {}

    // Numbers that the factor holds, zeros that fill its dense blocks included.
    std::int64_t factor_entries() const { return symbolic_.values; }
    // Most bytes held at once by the plan, the factorisation and the substitution.
    std::size_t peak_bytes(int threads = 1) const;
    // Multiplications, each with an addition, of the factorisation.
    double multiply_adds() const { return symbolic_.work; }

    const Symbolic& symbolic() const { return symbolic_; }

private:
    Symbolic symbolic_;
};

// Memory of a factorisation. A second one uses it again, and makes it larger only if it needs more: a thread that
// factorises many small systems one after the other keeps one.
struct CholeskyStorage {
    Buffer<double> values, stack;

    // At least `size` numbers.
    static double* reserve(Buffer<double>& buffer, std::int64_t size);
};

// The factor L of P A P^T = L L^T. The plan and the storage must outlive it.
class CholeskyFactor {
public:
    // Throws FactorizationError if the matrix is not positive definite, Cancelled. With one thread, all runs on the
    // calling one. The same bits for any number of threads. sets_fraction: the monitor's fraction follows the work.
    CholeskyFactor(const CholeskyPlan& plan, const Csr& matrix, const Context& context, CholeskyStorage& storage,
                   bool sets_fraction = false);

    // b becomes A^-1 b, in the numbering of the matrix.
    void solve(double* b, const Context& context) const;

private:
    const Symbolic& symbolic_;
    const double* const values_;
};

}  // namespace trimatte
