// The cycle: smoothing, correction from the coarser level, smoothing by the same polynomial, so
// that it is symmetric.
//
// The smoother is Chebyshev's of the fourth kind (J. Lottes, "Optimal polynomial smoothers for
// multigrid V-cycles", Numer. Linear Algebra Appl. 30, 2023), which needs the largest eigenvalue
// only.
#include <algorithm>

#include "solve/graph_multigrid/hierarchy.hpp"

namespace trimatte::graph {
namespace {

constexpr int degree = 2;           // of the polynomial
constexpr int coarsest_degree = 8;  // where the coarsest level is too large to be factorised
constexpr int coarse_visits = 1;    // of a coarser level in each cycle

// x += q(A) r, with r = b - A x kept up to date, on one level. `last`: whether r is needed
// afterwards.
class Smoother {
public:
    Smoother(Level& level, const Context& context) : level_(level), context_(context) {}

    // x = 0 before if `from_zero`.
    void smooth(int steps, bool from_zero, bool last) {
        const auto scale = static_cast<float>(4 / (3 * level_.lmax));
        Level& l = level_;
        parallel_ranges(l.A.rows, context_.threads, context_.monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                l.d[i] = scale * l.r[i];
                l.x[i] = from_zero ? l.d[i] : l.x[i] + l.d[i];
            }
        });
        for (int k = 1; k < steps; ++k) {
            const auto old = static_cast<float>((2.0 * k - 1) / (2 * k + 3));
            const auto fresh = static_cast<float>((8.0 * k + 4) / (2 * k + 3) / l.lmax);
            for_ranges(l.ranges, context_, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    l.r[i] -= row_product(l.A, i, l.d.data());
                    l.next_d[i] = old * l.d[i] + fresh * l.r[i];
                    l.x[i] += l.next_d[i];
                }
            });
            std::swap(l.d, l.next_d);
        }
        if (last) {
            subtract_product();
        }
    }
    // r -= A d
    void subtract_product() {
        Level& l = level_;
        for_ranges(l.ranges, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                l.r[i] -= row_product(l.A, i, l.d.data());
            }
        });
    }

private:
    Level& level_;
    const Context& context_;
};

// x += or = the cycle's answer to r, from level `at` on. The residual is in r afterwards if
// `residual_wanted`.
void cycle(std::vector<Level>& levels, std::size_t at, DenseSolve* coarsest, bool from_zero, bool residual_wanted,
           const Context& context) {
    Level& l = levels[at];
    Smoother smoother(l, context);
    if (at + 1 == levels.size()) {
        if (coarsest == nullptr) {
            smoother.smooth(coarsest_degree, from_zero, residual_wanted);
        } else {
            coarsest->solve(l.r.data(), l.x.data());  // exact: it is visited once, with x = 0
        }
        return;
    }
    smoother.smooth(degree, from_zero, true);
    Level& coarse = levels[at + 1];
    for_ranges(l.coarse_ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            coarse.r[i] = row_product(l.R.view(), i, l.r.data());
        }
    });
    const int visits = at + 2 == levels.size() && coarsest != nullptr ? 1 : coarse_visits;
    for (int visit = 0; visit < visits; ++visit) {
        cycle(levels, at + 1, coarsest, visit == 0, visit + 1 < visits, context);
    }
    const MatrixView P = l.P.view();
    for_ranges(l.ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            l.d[i] = row_product(P, i, coarse.x.data());
            l.x[i] += l.d[i];
        }
    });
    smoother.subtract_product();
    smoother.smooth(degree, false, residual_wanted);
}

}  // namespace

void run_cycle(std::vector<Level>& levels, DenseSolve* coarsest, const Context& context) {
    cycle(levels, 0, coarsest, true, false, context);
}

}  // namespace trimatte::graph
