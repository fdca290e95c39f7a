#include "solve/deflation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/each.hpp"
#include "base/random.hpp"
#include "solve/graph_multigrid/aggregates.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

// Aggregates must have at least this number of unknowns in the mean. The factor of E is too large
// otherwise: colour mixtures make 8 to 11, the neighbours of KNN matting 40.
constexpr std::int64_t least_members = 12;
// A factorisation of E may take this number of multiplications for each entry of A, and its factor
// may hold this part of the entries of A.
constexpr double work_at_most = 60;
constexpr double factor_at_most = 0.5;

// Returns E with ascending columns.
Csr csr_of(const graph::SparseMatrixOf<double>& E, const Context& context) {
    Csr matrix;
    matrix.rows = E.rows;
    matrix.row_start = Buffer<std::int64_t>(E.rows + 1);
    matrix.column = Buffer<std::int32_t>(E.nonzeros());
    matrix.value = Buffer<double>(E.nonzeros());
    std::copy(E.row_start.begin(), E.row_start.end(), matrix.row_start.begin());
    each(E.rows, context, [&](std::int64_t a) {
        std::vector<std::pair<std::int32_t, double>> row;
        for (std::int64_t k = E.row_start[a]; k < E.row_start[a + 1]; ++k) {
            row.emplace_back(E.column[k], E.value[k]);
        }
        std::sort(row.begin(), row.end());
        for (std::size_t k = 0; k < row.size(); ++k) {
            matrix.column[E.row_start[a] + static_cast<std::int64_t>(k)] = row[k].first;
            matrix.value[E.row_start[a] + static_cast<std::int64_t>(k)] = row[k].second;
        }
    });
    return matrix;
}

}  // namespace

void Deflation::find_members(const Context& context) {
    const Context in_turn{1, context.monitor};
    std::fill(first_.begin(), first_.end(), 0);
    each(of_unknown_.size(), in_turn, [&](std::int64_t i) {
        if (const std::int32_t a = of_unknown_[i]; a >= 0) {
            ++first_[a + 1];
        }
    });
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    member_ = Buffer<std::int32_t>(first_[first_.size() - 1]);
    std::vector<std::int64_t> next(first_.begin(), first_.end());
    each(of_unknown_.size(), in_turn, [&](std::int64_t i) {
        if (const std::int32_t a = of_unknown_[i]; a >= 0) {
            member_[next[static_cast<std::size_t>(a)]++] = static_cast<std::int32_t>(i);
        }
    });
}

Csr Deflation::make_E(const Context& context) const {
    const std::int64_t count = first_.size() - 1;
    Buffer<std::int64_t> start(count + 1);  // the entries of A Z in the rows of each aggregate
    start[0] = 0;
    for (std::int64_t a = 0; a < count; ++a) {
        start[a + 1] = start[a];
        for (std::int64_t m = first_[a]; m < first_[a + 1]; ++m) {
            start[a + 1] += AZ_.row_start[member_[m] + 1] - AZ_.row_start[member_[m]];
        }
    }
    const auto add_members = [&](std::int64_t a, graph::RowSum& row) {
        for (std::int64_t m = first_[a]; m < first_[a + 1]; ++m) {
            row.add_row(AZ_, member_[m], 1);
        }
    };
    const auto ranges = graph::ranges_of_rows(count, start.data());
    return csr_of(graph::build_rows<double>(count, count, ranges, context, add_members), context);
}

bool Deflation::factorise(const Csr& E, std::int64_t entries_of_A, const Context& context) {
    const auto entries = static_cast<double>(entries_of_A);
    plan_ = std::make_unique<CholeskyPlan>(E, minimum_degree(E), context.monitor);
    if (plan_->multiply_adds() > work_at_most * entries ||
        static_cast<double>(plan_->factor_entries()) > factor_at_most * entries) {
        return false;
    }
    try {
        factor_.emplace(*plan_, E, context, storage_);
    } catch (const FactorizationError&) {
        return false;
    }
    // Rounding may hide that E is singular. E^-1 E y then differs from y.
    Buffer<double> y(E.rows);
    y_ = Buffer<double>(E.rows);
    each(E.rows, context, [&](std::int64_t a) { y[a] = Random(0, static_cast<std::uint64_t>(a)).uniform() - 0.5; });
    multiply(E, y.data(), y_.data(), context.threads, context.monitor);
    factor_->solve(y_.data(), context);
    return std::equal(y.begin(), y.end(), y_.begin(), [](double a, double b) { return std::abs(a - b) < 1e-4; });
}

std::unique_ptr<Deflation> Deflation::make(const Csr& A, const Context& context) {
    const graph::MatrixViewOf<double> view{A.rows, A.row_start.data(), A.column.data(), A.value.data()};
    graph::Aggregates aggregates = graph::aggregate(graph::measure_strength(view, context), context);
    const std::int64_t count = aggregates.count;
    std::unique_ptr<Deflation> deflation(new Deflation);
    Deflation& d = *deflation;
    d.of_unknown_ = std::move(aggregates.of_node);
    d.first_ = Buffer<std::int64_t>(count + 1);
    d.find_members(context);
    if (count == 0 || d.member_.size() < least_members * count) {
        return nullptr;
    }
    const auto ranges = graph::ranges_of_rows(A.rows, A.row_start.data());
    d.AZ_ = graph::build_rows<double>(A.rows, count, ranges, context, [&](std::int64_t i, graph::RowSum& row) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            if (const std::int32_t a = d.of_unknown_[A.column[k]]; a >= 0) {
                row.add(a, A.value[k]);
            }
        }
    });
    return d.factorise(d.make_E(context), A.nonzeros(), context) ? std::move(deflation) : nullptr;
}

void Deflation::prepare(const double* w, const Context& context) {
    each(y_.size(), context, [&](std::int64_t a) {
        double sum = 0;
        for (std::int64_t m = first_[a]; m < first_[a + 1]; ++m) {
            sum += w[member_[m]];
        }
        y_[a] = sum;
    });
    factor_->solve(y_.data(), context);
}

void Deflation::correct(double* r, double* x, const Context& context) {
    prepare(r, context);
    each(of_unknown_.size(), context, [&](std::int64_t i) {
        x[i] += Zy(i);
        r[i] -= AZy(i);
    });
}

std::size_t Deflation::bytes() const {
    return of_unknown_.bytes() + first_.bytes() + member_.bytes() + AZ_.bytes() + storage_.values.bytes() +
           storage_.stack.bytes() + plan_->symbolic().bytes() + y_.bytes();
}

double Deflation::part_of(const Csr& A) const {
    return static_cast<double>(AZ_.nonzeros() + plan_->factor_entries()) / static_cast<double>(A.nonzeros());
}

}  // namespace trimatte
