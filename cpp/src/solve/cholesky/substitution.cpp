// L L^T x = b with the dense panels of the fronts. The vector is in the order of elimination.
#include <algorithm>

#include "solve/cholesky/cholesky.hpp"

namespace trimatte {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

void CholeskyFactor::solve(double* b, Monitor& monitor) const {
    const std::vector<std::int32_t>& order = symbolic_.order;
    std::int64_t rows = 0;
    for (const Front& front : symbolic_.fronts) {
        rows = std::max(rows, front.rows());
    }
    std::vector<double> y(order.size()), local(at(rows));
    for (std::size_t k = 0; k < order.size(); ++k) {
        y[k] = b[order[k]];
    }
    solve_lower(y.data(), local.data(), monitor);
    solve_upper(y.data(), local.data(), monitor);
    for (std::size_t k = 0; k < order.size(); ++k) {
        b[order[k]] = y[k];
    }
}

void CholeskyFactor::solve_lower(double* y, double* local, Monitor& monitor) const {
    for (const Front& front : symbolic_.fronts) {
        const Trapezoid L{const_cast<double*>(values_.data()) + front.value, front.rows(), front.columns};
        double* const own = y + front.first;
        const std::int32_t* const below = symbolic_.rows.data() + front.row;
        std::copy_n(own, front.columns, local);
        std::fill_n(local + front.columns, front.below, 0.0);
        for (std::int64_t j = 0; j < L.columns; ++j) {
            const double* const column = L.column(j);
            const double x = local[j] / column[j];
            local[j] = x;
            for (std::int64_t i = j + 1; i < L.rows; ++i) {
                local[i] -= column[i] * x;
            }
        }
        std::copy_n(local, front.columns, own);
        for (std::int32_t r = 0; r < front.below; ++r) {
            y[below[r]] += local[front.columns + r];
        }
        monitor.poll();
    }
}

void CholeskyFactor::solve_upper(double* y, double* local, Monitor& monitor) const {
    for (auto front = symbolic_.fronts.rbegin(); front != symbolic_.fronts.rend(); ++front) {
        const Trapezoid L{const_cast<double*>(values_.data()) + front->value, front->rows(), front->columns};
        double* const own = y + front->first;
        const std::int32_t* const below = symbolic_.rows.data() + front->row;
        std::copy_n(own, front->columns, local);
        for (std::int32_t r = 0; r < front->below; ++r) {
            local[front->columns + r] = y[below[r]];
        }
        for (std::int64_t j = L.columns - 1; j >= 0; --j) {
            const double* const column = L.column(j);
            double sum[4] = {local[j], 0, 0, 0};
            std::int64_t i = j + 1;
            for (; i + 4 <= L.rows; i += 4) {
                for (int s = 0; s < 4; ++s) {
                    sum[s] -= column[i + s] * local[i + s];
                }
            }
            for (; i < L.rows; ++i) {
                sum[0] -= column[i] * local[i];
            }
            local[j] = (sum[0] + sum[1] + (sum[2] + sum[3])) / column[j];
        }
        std::copy_n(local, front->columns, own);
        monitor.poll();
    }
}

}  // namespace trimatte
