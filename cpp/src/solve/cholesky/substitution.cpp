// Solves L L^T x = b with the dense panels of the fronts. The vector is in the order of
// elimination. Fronts are shared among threads by subtrees that do not depend on the number of
// threads, so that the order of every sum is fixed.
#include <algorithm>
#include <utility>

#include "simd/kernels.hpp"
#include "solve/cholesky/cholesky.hpp"
#include "solve/cholesky/pool.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t strip = 8;  // columns that are handled at once

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

Trapezoid panel_of(const Front& front, const double* values) {
    return {const_cast<double*>(values) + front.value, front.rows(), front.columns};
}

// x holds the columns of the front and the rows below. The columns become L^-1 x; their products
// are subtracted from the rows below.
void lower_panel(const Trapezoid& L, double* x) {
    for (std::int64_t c = 0; c < L.columns; c += Trapezoid::width) {
        const std::int64_t end = std::min(L.columns, c + Trapezoid::width);
        const std::int64_t ld = L.stride(c);
        for (std::int64_t t = c; t < end; t += strip) {
            const std::int64_t w = std::min(strip, end - t);
            const double* const columns = L.at(t, c) + (t - c) * ld;
            for (std::int64_t j = 0; j < w; ++j) {
                x[t + j] /= columns[j * ld + j];
                for (std::int64_t i = j + 1; i < w; ++i) {
                    x[t + i] -= columns[j * ld + i] * x[t + j];
                }
            }
            simd::kernels().subtract_columns(L.rows - t - w, w, columns + w, ld, x + t, x + t + w);
        }
    }
}

// The columns of the front become L^-T times their values less the products with the rows below.
void upper_panel(const Trapezoid& L, double* x) {
    for (std::int64_t c = Trapezoid::block_of(L.columns - 1); c >= 0; c -= Trapezoid::width) {
        const std::int64_t end = std::min(L.columns, c + Trapezoid::width);
        const std::int64_t ld = L.stride(c);
        for (std::int64_t t = c + (end - c - 1) / strip * strip; t >= c; t -= strip) {
            const std::int64_t w = std::min(strip, end - t);
            const double* const columns = L.at(t, c) + (t - c) * ld;
            simd::kernels().subtract_dots(L.rows - t - w, w, columns + w, ld, x + t + w, x + t);
            for (std::int64_t j = w - 1; j >= 0; --j) {
                for (std::int64_t i = j + 1; i < w; ++i) {
                    x[t + j] -= columns[j * ld + i] * x[t + i];
                }
                x[t + j] /= columns[j * ld + j];
            }
        }
    }
}

// The vectors of one thread.
struct Vectors {
    std::vector<double> local;  // the values of one front
    // The sums that a subtree adds to rows above it; zero between two subtrees.
    std::vector<double> above;

    Vectors(std::int64_t rows, std::size_t unknowns) : local(at(rows + readable_beyond)), above(unknowns) {}
};

class Substitution {
public:
    Substitution(const Symbolic& symbolic, const double* values, double* y, const Context& context)
        : symbolic_(symbolic), values_(values), y_(y), context_(context), plan_(substitution_schedule(symbolic)) {
        for (const Front& front : symbolic_.fronts) {
            rows_ = std::max(rows_, front.rows());
        }
    }

    void run() {
        Pool<Vectors> pool([this] { return std::make_unique<Vectors>(rows_, symbolic_.order.size()); });
        std::vector<std::int64_t> start = {0};
        for (const std::int32_t root : plan_.subtrees) {
            start.push_back(start.back() + symbolic_.fronts[at(root)].below);
        }
        // The sums that each subtree passes to the rows below its root.
        std::vector<double> passed(at(start.back()));
        for_subtrees(pool, [&](std::int64_t i, std::int32_t root, Vectors& vectors) {
            for (std::int32_t f = symbolic_.fronts[at(root)].subtree; f <= root; ++f) {
                lower(symbolic_.fronts[at(f)], symbolic_.fronts[at(root)], vectors);
            }
            for (std::int32_t r = 0; r < symbolic_.fronts[at(root)].below; ++r) {
                passed[at(start[at(i)] + r)] = std::exchange(vectors.above[at(row(root, r))], 0.0);
            }
        });
        for (std::size_t i = 0; i < plan_.subtrees.size(); ++i) {
            for (std::int32_t r = 0; r < symbolic_.fronts[at(plan_.subtrees[i])].below; ++r) {
                y_[row(plan_.subtrees[i], r)] += passed[at(start[i] + r)];
            }
        }
        const auto vectors = pool.take();
        for (const std::int32_t f : plan_.top) {
            lower(symbolic_.fronts[at(f)], symbolic_.fronts.back(), *vectors);
        }
        for (auto f = plan_.top.rbegin(); f != plan_.top.rend(); ++f) {
            upper(symbolic_.fronts[at(*f)], *vectors);
        }
        for_subtrees(pool, [&](std::int64_t, std::int32_t root, Vectors& own) {
            for (std::int32_t f = root; f >= symbolic_.fronts[at(root)].subtree; --f) {
                upper(symbolic_.fronts[at(f)], own);
            }
        });
    }

private:
    template <class Body>
    void for_subtrees(Pool<Vectors>& pool, const Body& body) {
        parallel_for(static_cast<std::int64_t>(plan_.subtrees.size()), context_.threads, context_.monitor,
                     [&](std::int64_t i) {
                         auto vectors = pool.take();
                         body(i, plan_.subtrees[at(i)], *vectors);
                         pool.give(std::move(vectors));
                     });
    }

    std::int32_t row(std::int32_t front, std::int32_t r) const {
        return symbolic_.rows[at(symbolic_.fronts[at(front)].row + r)];
    }

    // root: the root of the subtree that this thread works through.
    void lower(const Front& front, const Front& root, Vectors& vectors) {
        double* const local = vectors.local.data();
        const std::int32_t* const below = symbolic_.rows.data() + front.row;
        std::copy_n(y_ + front.first, front.columns, local);
        std::fill_n(local + front.columns, front.below, 0.0);
        lower_panel(panel_of(front, values_), local);
        std::copy_n(local, front.columns, y_ + front.first);
        const std::int32_t end = root.first + root.columns;
        for (std::int32_t r = 0; r < front.below; ++r) {
            (below[r] < end ? y_ : vectors.above.data())[below[r]] += local[front.columns + r];
        }
        context_.monitor.poll();
    }

    void upper(const Front& front, Vectors& vectors) {
        double* const local = vectors.local.data();
        const std::int32_t* const below = symbolic_.rows.data() + front.row;
        std::copy_n(y_ + front.first, front.columns, local);
        for (std::int32_t r = 0; r < front.below; ++r) {
            local[front.columns + r] = y_[below[r]];
        }
        upper_panel(panel_of(front, values_), local);
        std::copy_n(local, front.columns, y_ + front.first);
        context_.monitor.poll();
    }

    const Symbolic& symbolic_;
    const double* const values_;
    double* const y_;
    const Context context_;
    const Schedule plan_;
    std::int64_t rows_ = 0;
};

}  // namespace

void CholeskyFactor::solve(double* b, const Context& context) const {
    const std::vector<std::int32_t>& order = symbolic_.order;
    if (order.empty()) {
        return;
    }
    std::vector<double> y(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) {
        y[k] = b[order[k]];
    }
    Substitution(symbolic_, values_, y.data(), context).run();
    for (std::size_t k = 0; k < order.size(); ++k) {
        b[order[k]] = y[k];
    }
}

}  // namespace trimatte
