// Direct solution: nested dissection, then Eigen's up-looking sparse Cholesky factorisation (SimplicialLLT).
#include <Eigen/SparseCholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "solve/nested_dissection.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

// Of flat colours rounding leaves up to 1e-6.
constexpr double residual_at_most = 1e-3;

constexpr std::int64_t poll_every = 1024;  // columns

// Watches one factorisation. Eigen offers no way to look in, but takes one square root per column: its scalar is
// a double whose square root calls here.
struct ColumnWatch {
    Monitor& monitor;
    double columns;
    double done = 0;

    void column_done() {
        monitor.set_fraction(++done / columns);
        monitor.poll();
    }
};
thread_local ColumnWatch* column_watch = nullptr;

// Calls may nest: a progress callback may solve something itself.
struct ColumnWatchScope {
    ColumnWatch* const outer = column_watch;
    explicit ColumnWatchScope(ColumnWatch* watch) { column_watch = watch; }
    ~ColumnWatchScope() { column_watch = outer; }
};

struct Watched {
    double value;
    Watched() = default;
    Watched(double v) : value(v) {}  // NOLINT: stands in for double
    Watched& operator+=(Watched b) { return value += b.value, *this; }
    Watched& operator-=(Watched b) { return value -= b.value, *this; }
    friend Watched operator+(Watched a, Watched b) { return a.value + b.value; }
    friend Watched operator*(Watched a, Watched b) { return a.value * b.value; }
    friend Watched operator/(Watched a, Watched b) { return a.value / b.value; }
    friend bool operator<=(Watched a, Watched b) { return a.value <= b.value; }
    friend bool operator==(Watched a, Watched b) { return a.value == b.value; }
    friend Watched sqrt(Watched a) {
        column_watch->column_done();
        return std::sqrt(a.value);
    }
};

}  // namespace
}  // namespace trimatte

template <>
struct Eigen::NumTraits<trimatte::Watched> : Eigen::NumTraits<double> {
    using Real = trimatte::Watched;
    using NonInteger = trimatte::Watched;
    using Nested = trimatte::Watched;
};

namespace trimatte {
namespace {

using Matrix = Eigen::SparseMatrix<Watched>;  // by columns, 32-bit indices

void check_entries(std::int64_t entries, std::int64_t unknowns) {
    if (entries > std::numeric_limits<int>::max()) {
        throw FactorizationError("cholesky: the factor of " + std::to_string(unknowns) +
                                 " unknowns would have at least " + std::to_string(entries) +
                                 " entries, more than 2147483647; use another solver");
    }
}

// The upper triangle of the matrix in the given order, as the factorisation wants it.
Matrix permuted_upper(const Csr& A, const std::vector<std::int32_t>& order, Monitor& monitor) {
    const auto n = static_cast<std::int32_t>(A.rows);
    check_entries((A.nonzeros() + n) / 2, n);
    std::vector<std::int32_t> rank(order.size());
    for (std::int32_t k = 0; k < n; ++k) {
        rank[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = k;
    }
    Matrix upper(n, n);
    upper.resizeNonZeros((A.nonzeros() + n) / 2);
    int at = 0;
    for (std::int32_t k = 0; k < n; ++k) {
        upper.outerIndexPtr()[k] = at;
        const std::int32_t row = order[static_cast<std::size_t>(k)];
        for (std::int64_t p = A.row_start[row]; p < A.row_start[row + 1]; ++p) {
            const std::int32_t j = rank[static_cast<std::size_t>(A.column[p])];
            if (j <= k) {
                upper.innerIndexPtr()[at] = j;
                upper.valuePtr()[at] = A.value[p];
                ++at;
            }
        }
        if (k % poll_every == 0) {
            monitor.poll();
        }
    }
    upper.outerIndexPtr()[n] = at;
    return upper;
}

class Factor : public Eigen::SimplicialLLT<Matrix, Eigen::Upper, Eigen::NaturalOrdering<int>> {
public:
    // Elimination tree and column counts (Davis, Direct Methods for Sparse Linear Systems, 2006, section 4), as
    // SimplicialLLT's own analysis finds them, but in 64 bits and with polls.
    void analyse(const Matrix& upper, Monitor& monitor) {
        const int n = static_cast<int>(upper.cols());
        m_parent.setConstant(n, -1);
        m_nonZerosPerCol.setZero(n);
        std::vector<int> visited(static_cast<std::size_t>(n), -1);
        std::int64_t entries = n;
        for (int k = 0; k < n; ++k) {
            visited[static_cast<std::size_t>(k)] = k;
            for (Matrix::InnerIterator it(upper, k); it; ++it) {
                for (int i = static_cast<int>(it.row()); visited[static_cast<std::size_t>(i)] != k; i = m_parent[i]) {
                    if (m_parent[i] < 0) {
                        m_parent[i] = k;
                    }
                    ++m_nonZerosPerCol[i];
                    ++entries;
                    visited[static_cast<std::size_t>(i)] = k;
                }
            }
            if (k % poll_every == 0) {
                monitor.poll();
            }
        }
        check_entries(entries, n);
        m_matrix.resize(n, n);
        m_matrix.resizeNonZeros(entries);
        int* start = m_matrix.outerIndexPtr();
        start[0] = 0;
        for (int k = 0; k < n; ++k) {
            start[k + 1] = start[k] + m_nonZerosPerCol[k] + 1;
        }
        m_analysisIsOk = true;
    }

    void factorise(const Matrix& upper, Monitor& monitor) {
        ColumnWatch watch{monitor, static_cast<double>(upper.cols())};
        const ColumnWatchScope scope(&watch);
        factorize_preordered<false>(upper);
        if (m_info != Eigen::Success) {
            throw FactorizationError("cholesky: the matrix is not positive definite (column " +
                                     std::to_string(static_cast<std::int64_t>(watch.done)) + " of " +
                                     std::to_string(upper.cols()) + ")");
        }
    }

    // L L^T b, in place.
    void solve_in_place(std::vector<double>& b, Monitor& monitor) const {
        const std::int64_t n = static_cast<std::int64_t>(b.size());
        const int* start = m_matrix.outerIndexPtr();
        const int* row = m_matrix.innerIndexPtr();
        const Watched* L = m_matrix.valuePtr();
        double* y = b.data();
        for (std::int64_t k = 0; k < n; ++k) {
            y[k] /= L[start[k]].value;
            for (int p = start[k] + 1; p < start[k + 1]; ++p) {
                y[row[p]] -= L[p].value * y[k];
            }
            if (k % poll_every == 0) {
                monitor.poll();
            }
        }
        for (std::int64_t k = n - 1; k >= 0; --k) {
            for (int p = start[k] + 1; p < start[k + 1]; ++p) {
                y[k] -= L[p].value * y[row[p]];
            }
            y[k] /= L[start[k]].value;
            if (k % poll_every == 0) {
                monitor.poll();
            }
        }
    }

    std::size_t bytes() const { return static_cast<std::size_t>(m_matrix.nonZeros()) * (sizeof(double) + sizeof(int)); }
};

}  // namespace

SolveInfo cholesky(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    const auto n = static_cast<std::size_t>(problem.unknowns());
    monitor.phase("ordering");
    const std::vector<std::int32_t> order = nested_dissection(problem, monitor);
    const Matrix upper = permuted_upper(problem.matrix, order, monitor);
    Factor factor;
    factor.analyse(upper, monitor);
    monitor.phase("factorisation");
    factor.factorise(upper, monitor);
    monitor.phase("substitution");
    std::vector<double> y(n);
    for (std::size_t k = 0; k < n; ++k) {
        y[k] = problem.rhs[order[k]];
    }
    factor.solve_in_place(y, monitor);
    for (std::size_t k = 0; k < n; ++k) {
        x[order[k]] = y[k];
    }
    const double residual = relative_residual(problem, x, options.threads, monitor);
    if (!(residual <= residual_at_most)) {
        throw FactorizationError("cholesky: expected a relative residual of at most 0.001, got " +
                                 std::to_string(residual) + "; the system is singular or badly scaled");
    }
    monitor.finish();
    const std::size_t held = factor.bytes() + n * (sizeof(double) + 4 * sizeof(int)) +
                             static_cast<std::size_t>(upper.nonZeros()) * (sizeof(double) + sizeof(int));
    return {Solver::cholesky, true, 0, residual, 0.0, held};
}

}  // namespace trimatte
