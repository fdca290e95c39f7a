#include "solve/graph_multigrid/anchored_rows.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "base/each.hpp"
#include "base/row_product.hpp"
#include "solve/graph_multigrid/sparse_matrix.hpp"

namespace trimatte::graph {
namespace {

// Sums of rows that are zero but for rounding may be negative by this part of the diagonal entry.
constexpr double rounding = 1e-9;

double squared(double value) { return value * value; }

}  // namespace

std::unique_ptr<AnchoredRows> AnchoredRows::make(const Problem& problem, const ScaledMatrix& scaled,
                                                 const Context& context) {
    if (problem.channels > 0) {
        return nullptr;
    }
    std::unique_ptr<AnchoredRows> rows(new AnchoredRows(problem, scaled));
    if (!rows->find(context)) {
        return nullptr;
    }
    rows->reduce(context);
    return rows;
}

bool AnchoredRows::find(const Context& context) {
    const Csr& A = problem_.matrix;
    ranges_ = ranges_of_rows(A.rows, A.row_start.data());
    sum_ = Buffer<double>(A.rows);
    is_free_ = Buffer<std::uint8_t>(A.rows);
    std::atomic<bool> is_suitable{true};
    for_ranges(ranges_, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            double diagonal = 0, rest = 0, largest = 0;
            for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
                const bool is_diagonal = A.column[k] == i;
                diagonal += is_diagonal ? A.value[k] : 0.0;
                rest -= is_diagonal ? 0.0 : A.value[k];
                largest = std::max(largest, is_diagonal ? 0.0 : A.value[k]);
            }
            sum_[i] = diagonal - rest;
            is_free_[i] = rest > rest_at_most * diagonal;
            if (largest > 0 || sum_[i] < -rounding * diagonal) {
                is_suitable = false;
            }
        }
    });
    const std::int64_t free = std::count(is_free_.begin(), is_free_.end(), 1);
    return is_suitable && free > 0 && free <= A.rows / 2;
}

void AnchoredRows::reduce(const Context& context) {
    const Csr& A = problem_.matrix;
    // Whether each row belongs to F or T.
    Buffer<std::uint8_t> is_kept(A.rows);
    for_ranges(ranges_, context, [&](std::int64_t begin, std::int64_t end) {
        const auto is_free = [&](std::int32_t j) { return is_free_[j] != 0; };
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int32_t* const columns = A.column.data();
            is_kept[i] = std::any_of(columns + A.row_start[i], columns + A.row_start[i + 1], is_free);
        }
    });
    const std::int64_t rows = std::count(is_kept.begin(), is_kept.end(), 1);
    row_ = Buffer<std::int32_t>(rows);
    Buffer<std::int32_t> number(A.rows);  // of each row of F and T in the reduced system
    std::int32_t count = 0;
    each(A.rows, {1, context.monitor}, [&](std::int64_t i) {
        if (is_kept[i] != 0) {
            row_[count] = static_cast<std::int32_t>(i);
            number[i] = count++;
        }
    });
    // A matrix that is symmetric but for rounding may hold an entry (i, j) and no entry (j, i). Both
    // count as zero where i is free and j is not kept.
    const auto for_entries = [&](std::int64_t i, const auto& body) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            const std::int32_t j = A.column[k];
            if (is_kept[j] != 0 && (is_free_[i] != 0 || is_free_[j] != 0 || i == j)) {
                body(number[j], A.value[k]);
            }
        }
    };
    Csr& B = reduced_.matrix;
    B.rows = rows;
    B.row_start = Buffer<std::int64_t>(rows + 1);
    B.row_start[0] = 0;
    each(rows, context, [&](std::int64_t n) {
        std::int64_t entries = 0;
        for_entries(row_[n], [&](std::int32_t, double) { ++entries; });
        B.row_start[n + 1] = entries;
    });
    std::partial_sum(B.row_start.begin(), B.row_start.end(), B.row_start.begin());
    B.column = Buffer<std::int32_t>(B.row_start[rows]);
    B.value = Buffer<double>(B.row_start[rows]);
    reduced_.rhs = Buffer<double>(rows);
    reduced_.pixel = Buffer<std::int32_t>(rows);
    reduced_.height = problem_.height;
    reduced_.width = problem_.width;
    each(rows, context, [&](std::int64_t n) {
        std::int64_t to = B.row_start[n];
        for_entries(row_[n], [&](std::int32_t column, double value) {
            B.column[to] = column;
            B.value[to++] = value;
        });
        reduced_.pixel[n] = problem_.pixel[row_[n]];
        reduced_.rhs[n] = problem_.rhs[row_[n]];
    });
    r_ = Buffer<double>(A.rows);
}

void AnchoredRows::start(double* x, const Context& context) const {
    each(problem_.unknowns(), context, [&](std::int64_t i) {
        if (is_free_[i] == 0) {
            x[i] = problem_.rhs[i] / sum_[i];
        }
    });
}

void AnchoredRows::prepare(const double* x, const Context& context) {
    const Csr& A = problem_.matrix;
    each(row_.size(), context, [&](std::int64_t n) {
        const std::int32_t i = row_[n];
        if (is_free_[i] != 0) {
            return;
        }
        double rest = problem_.rhs[i];
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            const std::int32_t j = A.column[k];
            rest -= is_free_[j] != 0 || j == i ? 0.0 : A.value[k] * x[j];
        }
        reduced_.rhs[n] = rest;
    });
}

void AnchoredRows::get(const double* x, double* reduced, const Context& context) const {
    each(row_.size(), context, [&](std::int64_t n) { reduced[n] = x[row_[n]]; });
}

void AnchoredRows::set(const double* reduced, double* x, const Context& context) const {
    const Csr& B = reduced_.matrix;
    each(row_.size(), context, [&](std::int64_t n) {
        const std::int32_t i = row_[n];
        const double step = (reduced_.rhs[n] - row_product(B, n, reduced)) * squared(scaled_.scale[i]);
        x[i] = reduced[n] + (is_free_[i] != 0 ? 0.0 : step);
    });
}

AnchoredRows::Residual AnchoredRows::measure(const double* x, const Context& context) {
    const auto count = static_cast<std::int64_t>(ranges_.size()) - 1;
    std::vector<Residual> parts(static_cast<std::size_t>(count), Residual{0, 0, 0});
    parallel_for(count, context.threads, context.monitor, [&](std::int64_t p) {
        const auto at = static_cast<std::size_t>(p);
        Residual& part = parts[at];
        for (std::int64_t i = ranges_[at]; i < ranges_[at + 1]; ++i) {
            r_[i] = problem_.rhs[i] - row_product(problem_.matrix, i, x);
            part.r2 += squared(r_[i] * squared(scaled_.scale[i]));
            part.b2 += squared(problem_.rhs[i] * squared(scaled_.scale[i]));
            part.rho = is_free_[i] != 0 ? part.rho : std::max(part.rho, std::abs(r_[i]) / sum_[i]);
        }
    });
    Residual all{0, 0, 0};
    for (const Residual& part : parts) {
        all.rho = std::max(all.rho, part.rho);
        all.r2 += part.r2;
        all.b2 += part.b2;
    }
    return all;
}

void AnchoredRows::sweep(double least, double* x, const Context& context) const {
    const Csr& A = problem_.matrix;
    std::vector<std::int32_t> moving;
    each(A.rows, {1, context.monitor}, [&](std::int64_t i) {
        if (is_free_[i] == 0 && std::abs(r_[i]) > least * sum_[i]) {
            moving.push_back(static_cast<std::int32_t>(i));
            x[i] += r_[i] * squared(scaled_.scale[i]);
        }
    });
    each(static_cast<std::int64_t>(moving.size()), {1, context.monitor}, [&](std::int64_t m) {
        const std::int32_t i = moving[static_cast<std::size_t>(m)];
        x[i] += (problem_.rhs[i] - row_product(A, i, x)) * squared(scaled_.scale[i]);
    });
}

std::size_t AnchoredRows::bytes() const {
    return sum_.bytes() + is_free_.bytes() + row_.bytes() + r_.bytes() + reduced_.bytes();
}

}  // namespace trimatte::graph
