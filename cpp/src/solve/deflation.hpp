// Deflation removes the slow modes of a graph from conjugate gradients. This header is private to
// this folder.
//
// R. A. Nicolaides, "Deflation of Conjugate Gradients with Applications to Boundary Value
// Problems", SIAM J. Numer. Anal. 24(2), 1987. Z has one column for each aggregate of strongly
// coupled unknowns, which is one on the aggregate and zero elsewhere, E = Z^T A Z, and Q = Z E^-1
// Z^T. With Z^T r = 0 at the start, the preconditioned residual is z = (I - Q A) M^-1 r, which is
// A-orthogonal to Z, so that Z^T r stays zero (Tang, Nabben, Vuik, Erlangga, J. Sci. Comput. 39,
// 2009, method A-DEF2).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "solve/cholesky/cholesky.hpp"
#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

class Deflation {
public:
    // Returns null where E has no factor or too large a one, or where A has too few entries in a
    // row for aggregates of a useful size. Near-null vectors other than the constant are not
    // deflated.
    static std::unique_ptr<Deflation> make(const Csr& A, const Context& context);

    // Adds Q r to x and subtracts A Q r from r = b - A x, so that Z^T r becomes zero.
    void correct(double* r, double* x, const Context& context);
    // Computes y = E^-1 Z^T w.
    void prepare(const double* w, const Context& context);
    // Subtracts Z y from z and A Z y from w at unknown i.
    void project(std::int64_t i, double& z, double& w) const {
        z -= Zy(i);
        w -= AZy(i);
    }
    // The aggregate of each unknown; -1 for none.
    const Buffer<std::int32_t>& aggregates() const { return of_unknown_; }

    std::size_t bytes() const;
    // Numbers in A Z and in the factor of E, divided by those of A.
    double part_of(const Csr& A) const;

private:
    Deflation() = default;

    // Return Z y and A Z y at unknown i.
    double Zy(std::int64_t i) const { return of_unknown_[i] >= 0 ? y_[of_unknown_[i]] : 0.0; }
    double AZy(std::int64_t i) const {
        double sum = 0;
        for (std::int64_t k = AZ_.row_start[i]; k < AZ_.row_start[i + 1]; ++k) {
            sum += AZ_.value[k] * y_[AZ_.column[k]];
        }
        return sum;
    }
    void find_members(const Context& context);
    Csr make_E(const Context& context) const;
    // Factorises E. Returns false if it has no factor, or if its factor would cost more than the
    // iterations that it saves.
    bool factorise(const Csr& E, std::int64_t entries_of_A, const Context& context);

    Buffer<std::int32_t> of_unknown_;
    Buffer<std::int64_t> first_;  // the members of aggregate a start at member_[first_[a]]
    Buffer<std::int32_t> member_;
    graph::SparseMatrixOf<double> AZ_;
    std::unique_ptr<CholeskyPlan> plan_;
    CholeskyStorage storage_;
    std::optional<CholeskyFactor> factor_;
    Buffer<double> y_;
};

}  // namespace trimatte
