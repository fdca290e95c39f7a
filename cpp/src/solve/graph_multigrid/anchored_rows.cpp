#include "solve/graph_multigrid/anchored_rows.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

#include "base/each.hpp"

namespace trimatte::graph {
namespace {

// Sums of rows that are zero but for rounding may be negative by this part of the diagonal entry.
constexpr double rounding = 1e-9;
// Free rows whose coupling to T is below this part of the diagonal entry count as if it were this
// large in the bound, since rounding would dominate the quotient.
constexpr double least_g = 1e-8;

double squared(double value) { return value * value; }

// Returns the largest of value(0) ... value(size - 1), or zero if that is larger.
template <class Value>
double largest_of(std::int64_t size, const Context& context, const Value& value) {
    constexpr std::int64_t piece = 1024;
    const std::int64_t pieces = (size + piece - 1) / piece;
    std::vector<double> largest(static_cast<std::size_t>(pieces), 0.0);
    parallel_for(pieces, context.threads, context.monitor, [&](std::int64_t p) {
        double own = 0;
        for (std::int64_t n = p * piece; n < std::min(size, (p + 1) * piece); ++n) {
            own = std::max(own, value(n));
        }
        largest[static_cast<std::size_t>(p)] = own;
    });
    return std::accumulate(largest.begin(), largest.end(), 0.0, [](double a, double b) { return std::max(a, b); });
}

}  // namespace

std::unique_ptr<AnchoredRows> AnchoredRows::make(const Problem& problem, const Context& context) {
    if (problem.channels > 0) {
        return nullptr;
    }
    std::unique_ptr<AnchoredRows> rows(new AnchoredRows(problem));
    if (!rows->find(context)) {
        return nullptr;
    }
    rows->find_roles(context);
    rows->number_rows(context);
    rows->cut_free_rows(context);
    rows->reduce(context);
    rows->watch_neighbours(context);
    return rows;
}

bool AnchoredRows::find(const Context& context) {
    const Csr& A = problem_.matrix;
    d_ = Buffer<double>(A.rows);
    c_ = Buffer<double>(A.rows);
    role_ = Buffer<Role>(A.rows);
    std::atomic<bool> is_suitable{true};
    for_ranges(ranges_of_rows(A.rows, A.row_start.data()), context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            double diagonal = 0, rest = 0, largest = 0;
            for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
                const bool is_diagonal = A.column[k] == i;
                diagonal += is_diagonal ? A.value[k] : 0.0;
                rest -= is_diagonal ? 0.0 : A.value[k];
                largest = std::max(largest, is_diagonal ? 0.0 : A.value[k]);
            }
            d_[i] = diagonal;
            c_[i] = diagonal - rest;
            role_[i] = rest > anchored_at_most * diagonal ? Role::free : Role::at_rest;
            if (largest > 0 || !(diagonal > 0) || c_[i] < -rounding * diagonal) {
                is_suitable = false;
            }
        }
    });
    const std::int64_t free = std::count(role_.begin(), role_.end(), Role::free);
    return is_suitable && free > 0 && free <= A.rows / 2;
}

// A row of H whose neighbours all start with its own value has no residual at the start.
void AnchoredRows::find_roles(const Context& context) {
    enum Kind : std::uint8_t { free = 1, zero = 2, one = 4, other = 8 };
    const Csr& A = problem_.matrix;
    Buffer<std::uint8_t> kind(A.rows);
    each(A.rows, context, [&](std::int64_t i) {
        const bool is_free = role_[i] == Role::free;
        const double b = problem_.rhs[i];
        const bool is_one = std::abs(b - c_[i]) <= rounding * c_[i];
        kind[i] = is_free ? free : (b == 0 ? zero : (is_one ? one : other));
    });
    for_ranges(ranges_of_rows(A.rows, A.row_start.data()), context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            unsigned kinds = 0;
            for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
                kinds |= kind[A.column[k]];
            }
            if (role_[i] != Role::free) {
                const bool is_touching = (kinds & free) != 0;
                const bool is_alike = kinds == kind[i] && kinds != other;
                role_[i] = is_touching ? Role::touching : (is_alike ? Role::at_rest : Role::watched);
            }
        }
    });
}

void AnchoredRows::number_rows(const Context& context) {
    const std::int64_t n = problem_.unknowns();
    row_ = Buffer<std::int32_t>(std::count(role_.begin(), role_.end(), Role::free));
    row_of_T_ = Buffer<std::int32_t>(std::count(role_.begin(), role_.end(), Role::touching));
    number_ = Buffer<std::int32_t>(n);
    std::int32_t free = 0, touching = 0;
    each(n, {1, context.monitor}, [&](std::int64_t i) {
        number_[i] = 0;
        if (role_[i] == Role::free) {
            row_[free] = static_cast<std::int32_t>(i);
            number_[i] = free++;
        } else if (role_[i] == Role::touching) {
            row_of_T_[touching] = static_cast<std::int32_t>(i);
            number_[i] = touching++;
        }
    });
}

// A matrix that is symmetric but for rounding may hold an entry (i, j) and no entry (j, i). Where i
// is free and j is in H, it counts as zero.
void AnchoredRows::cut_free_rows(const Context& context) {
    const Csr& A = problem_.matrix;
    const std::int64_t rows = row_.size();
    Csr& B = reduced_.matrix;
    B.rows = to_T_.rows = rows;
    to_T_.columns = row_of_T_.size();
    for (Buffer<std::int64_t>* start : {&B.row_start, &to_T_.row_start}) {
        *start = Buffer<std::int64_t>(rows + 1);
        (*start)[0] = 0;
    }
    each(rows, context, [&](std::int64_t n) {
        std::int64_t free = 0, touching = 0;
        for (std::int64_t k = A.row_start[row_[n]]; k < A.row_start[row_[n] + 1]; ++k) {
            free += role_[A.column[k]] == Role::free ? 1 : 0;
            touching += role_[A.column[k]] == Role::touching ? 1 : 0;
        }
        B.row_start[n + 1] = free;
        to_T_.row_start[n + 1] = touching;
    });
    for (Buffer<std::int64_t>* start : {&B.row_start, &to_T_.row_start}) {
        std::partial_sum(start->begin(), start->end(), start->begin());
    }
    B.column = Buffer<std::int32_t>(B.row_start[rows]);
    B.value = Buffer<double>(B.row_start[rows]);
    to_T_.column = Buffer<std::int32_t>(to_T_.row_start[rows]);
    to_T_.value = Buffer<double>(to_T_.row_start[rows]);
    each(rows, context, [&](std::int64_t n) {
        std::int64_t to = B.row_start[n], to_T = to_T_.row_start[n];
        for (std::int64_t k = A.row_start[row_[n]]; k < A.row_start[row_[n] + 1]; ++k) {
            const std::int32_t j = A.column[k];
            if (role_[j] == Role::free) {
                B.column[to] = number_[j];
                B.value[to++] = A.value[k];
            } else if (role_[j] == Role::touching) {
                to_T_.column[to_T] = number_[j];
                to_T_.value[to_T++] = -A.value[k];
            }
        }
    });
    to_free_ = transposed(to_T_, context);
}

void AnchoredRows::reduce(const Context& context) {
    const std::int64_t rows = row_.size();
    x_T_ = Buffer<double>(row_of_T_.size());
    q_ = Buffer<double>(row_of_T_.size());
    each(row_of_T_.size(), context, [&](std::int64_t t) {
        q_[t] = std::accumulate(to_free_.value.data() + to_free_.row_start[t],
                                to_free_.value.data() + to_free_.row_start[t + 1], 0.0) /
                d_[row_of_T_[t]];
    });
    Csr& B = reduced_.matrix;
    reduced_.rhs = Buffer<double>(rows);
    reduced_.pixel = Buffer<std::int32_t>(rows);
    reduced_.height = problem_.height;
    reduced_.width = problem_.width;
    C_ = Buffer<double>(rows);
    g_ = Buffer<double>(rows);
    each(rows, context, [&](std::int64_t n) {
        double C = 0, g = 0;
        for (std::int64_t k = to_T_.row_start[n]; k < to_T_.row_start[n + 1]; ++k) {
            const std::int32_t i = row_of_T_[to_T_.column[k]];
            C += to_T_.value[k] * q_[to_T_.column[k]];
            g += to_T_.value[k] * c_[i] / d_[i];
        }
        B.value[B.diagonal(n)] -= C;
        C_[n] = C;
        g_[n] = std::max(g, least_g * d_[row_[n]]);
        reduced_.pixel[n] = problem_.pixel[row_[n]];
        reduced_.rhs[n] = problem_.rhs[row_[n]];
    });
}

void AnchoredRows::watch_neighbours(const Context& context) {
    const Csr& A = problem_.matrix;
    std::vector<std::atomic<std::uint8_t>> is_near(static_cast<std::size_t>(A.rows));  // is coupled to T
    each(row_of_T_.size(), context, [&](std::int64_t t) {
        const std::int32_t i = row_of_T_[t];
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            is_near[static_cast<std::size_t>(A.column[k])].store(1, std::memory_order_relaxed);
        }
    });
    r_ = Buffer<double>(A.rows);
    each(A.rows, {1, context.monitor}, [&](std::int64_t i) {
        r_[i] = 0;
        if (role_[i] == Role::at_rest && is_near[static_cast<std::size_t>(i)] != 0) {
            role_[i] = Role::watched;
        }
        if (role_[i] == Role::watched) {
            watched_.push_back(static_cast<std::int32_t>(i));
        }
    });
}

double AnchoredRows::residual(const double* x, std::int64_t i) const {
    return problem_.rhs[i] - row_product(problem_.matrix, i, x);
}

void AnchoredRows::get_T(const double* x, const Context& context) {
    each(row_of_T_.size(), context, [&](std::int64_t t) { x_T_[t] = x[row_of_T_[t]]; });
}

double AnchoredRows::reduced_rhs(const double* x, std::int64_t n) const {
    return problem_.rhs[row_[n]] + row_product(to_T_, n, x_T_.data()) - C_[n] * x[row_[n]];
}

void AnchoredRows::start(double* x, const Context& context) {
    each(problem_.unknowns(), context, [&](std::int64_t i) {
        if (role_[i] != Role::free) {
            x[i] = problem_.rhs[i] / c_[i];
        }
    });
    get_T(x, context);
    each(row_.size(), context, [&](std::int64_t n) {
        double mean = 0;
        for (std::int64_t k = to_T_.row_start[n]; k < to_T_.row_start[n + 1]; ++k) {
            mean += to_T_.value[k] * q_[to_T_.column[k]] * x_T_[to_T_.column[k]];
        }
        if (C_[n] > 0) {
            x[row_[n]] = mean / C_[n];
        }
    });
    each(row_of_T_.size(), context, [&](std::int64_t t) {
        double& r = r_[row_of_T_[t]];
        for (std::int64_t k = to_free_.row_start[t]; k < to_free_.row_start[t + 1]; ++k) {
            r += to_free_.value[k] * (x[row_[to_free_.column[k]]] - x_T_[t]);
        }
    });
}

void AnchoredRows::prepare(const double* x, const Context& context) {
    get_T(x, context);
    each(row_.size(), context, [&](std::int64_t n) { reduced_.rhs[n] = reduced_rhs(x, n); });
}

void AnchoredRows::get(const double* x, double* reduced, const Context& context) const {
    each(row_.size(), context, [&](std::int64_t n) { reduced[n] = x[row_[n]]; });
}

void AnchoredRows::set(const double* reduced, double* x, const Context& context) {
    Buffer<double> step(row_.size());
    each(row_.size(), context, [&](std::int64_t n) {
        step[n] = reduced[n] - x[row_[n]];
        x[row_[n]] = reduced[n];
    });
    each(row_of_T_.size(), context, [&](std::int64_t t) {
        const std::int32_t i = row_of_T_[t];
        x[i] += (r_[i] + row_product(to_free_, t, step.data())) / d_[i];
        r_[i] = 0;
    });
}

double AnchoredRows::measure(const double* x, const Context& context) {
    const auto of_anchored = [&](std::int64_t i) {
        r_[i] = residual(x, i);
        return std::abs(r_[i]) / c_[i];
    };
    const double of_T =
        largest_of(row_of_T_.size(), context, [&](std::int64_t t) { return of_anchored(row_of_T_[t]); });
    const double of_H = largest_of(static_cast<std::int64_t>(watched_.size()), context,
                                   [&](std::int64_t m) { return of_anchored(watched_[static_cast<std::size_t>(m)]); });
    get_T(x, context);
    const double of_free = largest_of(
        row_.size(), context, [&](std::int64_t n) { return std::abs(reduced_rhs(x, n) - reduced_.rhs[n]) / g_[n]; });
    return std::max(of_T, of_H) + of_free;
}

void AnchoredRows::sweep(double least, double* x, const Context& context) {
    const Csr& A = problem_.matrix;
    const Context in_turn{1, context.monitor};
    std::vector<std::int32_t> moving;
    const auto move = [&](std::int32_t i) {
        if (std::abs(r_[i]) > least * c_[i]) {
            moving.push_back(i);
            x[i] += r_[i] / d_[i];
            r_[i] = 0;
        }
    };
    each(row_of_T_.size(), in_turn, [&](std::int64_t t) { move(row_of_T_[t]); });
    std::for_each(watched_.begin(), watched_.end(), move);
    const auto count = static_cast<std::int64_t>(moving.size());
    const auto row = [&](std::int64_t m) { return moving[static_cast<std::size_t>(m)]; };
    each(count, context, [&](std::int64_t m) { r_[row(m)] = residual(x, row(m)); });
    each(count, context, [&](std::int64_t m) {
        x[row(m)] += r_[row(m)] / d_[row(m)];
        r_[row(m)] = 0;
    });
    for (const std::int32_t i : moving) {
        for (std::int64_t k = A.row_start[i]; role_[i] == Role::watched && k < A.row_start[i + 1]; ++k) {
            if (role_[A.column[k]] == Role::at_rest) {
                role_[A.column[k]] = Role::watched;
                watched_.push_back(A.column[k]);
            }
        }
    }
}

double AnchoredRows::relative_residual(const double* reduced, const double* x, const Context& context) const {
    const auto norm2 = [&](std::int64_t size, const auto& value) {
        return parallel_sum(size, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
            double sum = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                sum += squared(value(i));
            }
            return sum;
        });
    };
    const std::int64_t n = problem_.unknowns();
    const double b2 = norm2(n, [&](std::int64_t i) { return problem_.rhs[i] / d_[i]; });
    const double of_anchored2 = norm2(n, [&](std::int64_t i) { return role_[i] == Role::free ? 0.0 : r_[i] / d_[i]; });
    const double of_free2 = norm2(row_.size(), [&](std::int64_t m) {
        return (reduced_rhs(x, m) - row_product(reduced_.matrix, m, reduced)) / d_[row_[m]];
    });
    return b2 > 0 ? std::sqrt((of_anchored2 + of_free2) / b2) : 0;
}

std::size_t AnchoredRows::bytes() const {
    return d_.bytes() + c_.bytes() + role_.bytes() + number_.bytes() + row_of_T_.bytes() + q_.bytes() + x_T_.bytes() +
           r_.bytes() + row_.bytes() + to_T_.bytes() + to_free_.bytes() + C_.bytes() + g_.bytes() + reduced_.bytes() +
           watched_.size() * sizeof(std::int32_t);
}

}  // namespace trimatte::graph
