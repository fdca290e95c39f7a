// Products with the matrix of a problem, which all solvers use.
#include <cmath>

#include "trimatte/parallel.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

double row_product(const Csr& matrix, std::int64_t i, const double* x) {
    double sum = 0;
    for (std::int64_t k = matrix.row_start[i]; k < matrix.row_start[i + 1]; ++k) {
        sum += matrix.value[k] * x[matrix.column[k]];
    }
    return sum;
}

}  // namespace

void multiply(const Csr& matrix, const double* x, double* y, int threads, Monitor& monitor) {
    parallel_ranges(matrix.rows, threads, monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            y[i] = row_product(matrix, i, x);
        }
    });
}

void MatrixFree::multiply(const double* x, double* y, const Context& context) const {
    L->multiply(x, y, context);
    parallel_ranges(added.size(), context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            y[i] += added[i] * x[i];
        }
    });
}

double relative_residual(const Problem& problem, const double* x, int threads, Monitor& monitor) {
    const Csr& A = problem.matrix;
    const double* b = problem.rhs.data();
    const double r2 = parallel_sum(problem.unknowns(), threads, monitor, [&](std::int64_t begin, std::int64_t end) {
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            const double r = (b[i] - row_product(A, i, x)) / A.value[A.diagonal(i)];
            sum += r * r;
        }
        return sum;
    });
    const double b2 = parallel_sum(problem.unknowns(), threads, monitor, [&](std::int64_t begin, std::int64_t end) {
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            const double scaled = b[i] / A.value[A.diagonal(i)];
            sum += scaled * scaled;
        }
        return sum;
    });
    return r2 == 0 ? 0 : std::sqrt(r2 / b2);
}

}  // namespace trimatte
