// The V-cycle smooths, takes a correction from the coarser level, and smooths by the same
// polynomial again, so that it is symmetric.
//
// The smoother is the Chebyshev smoother of the fourth kind (J. Lottes, "Optimal polynomial
// smoothers for multigrid V-cycles", Numer. Linear Algebra Appl. 30, 2023), which needs only the
// largest eigenvalue. Its residual polynomial of degree k is W_k(1 - 2 lambda / lmax) / (2 k + 1),
// where W_k is the Chebyshev polynomial of the fourth kind. It stays between -1 and 1 up to 1.25
// lmax for degree 2, and up to 1.04 lmax for degree 8.
#include <algorithm>

#include "solve/graph_multigrid/hierarchy.hpp"

namespace trimatte::graph {
namespace {

constexpr int degree = 2;           // degree of the polynomial
constexpr int coarsest_degree = 8;  // degree on a coarsest level that is too large to be factorised

// Computes r -= A d.
void subtract_product(Level& l, const Context& context) {
    for_ranges(l.ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            l.r[i] -= row_product(l.A, i, l.d.data());
        }
    });
}

// Adds p(A) r to x, where r is the residual before. Afterwards r - A d is the residual. If
// `from_zero`, x counts as zero before, whatever it holds.
void smooth(Level& l, int steps, bool from_zero, const Context& context) {
    const auto first = static_cast<float>(4 / (3 * l.lmax));
    parallel_ranges(l.A.rows, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            l.d[i] = first * l.r[i];
            l.x[i] = from_zero ? l.d[i] : l.x[i] + l.d[i];
        }
    });
    for (int k = 1; k < steps; ++k) {
        const auto of_d = static_cast<float>((2.0 * k - 1) / (2 * k + 3));
        const auto of_r = static_cast<float>((8.0 * k + 4) / (2 * k + 3) / l.lmax);
        for_ranges(l.ranges, context, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                l.r[i] -= row_product(l.A, i, l.d.data());
                l.next_d[i] = of_d * l.d[i] + of_r * l.r[i];
                l.x[i] += l.next_d[i];
            }
        });
        std::swap(l.d, l.next_d);
    }
}

// Sets levels[at].x to the result of the cycle for levels[at].r.
void cycle(std::vector<Level>& levels, std::size_t at, DenseSolve* coarsest, const Context& context) {
    Level& l = levels[at];
    if (at + 1 == levels.size()) {
        if (coarsest != nullptr) {
            coarsest->solve(l.r.data(), l.x.data());
        } else {
            smooth(l, coarsest_degree, true, context);
        }
        return;
    }
    smooth(l, degree, true, context);
    subtract_product(l, context);
    Level& coarse = levels[at + 1];
    const MatrixView P = l.P.view();
    const MatrixView R = l.R.view();
    for_ranges(l.coarse_ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            coarse.r[i] = row_product(R, i, l.r.data());
        }
    });
    cycle(levels, at + 1, coarsest, context);
    for_ranges(l.ranges, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            l.d[i] = row_product(P, i, coarse.x.data());
            l.x[i] += l.d[i];
        }
    });
    subtract_product(l, context);
    smooth(l, degree, false, context);
}

}  // namespace

void run_cycle(std::vector<Level>& levels, DenseSolve* coarsest, const Context& context) {
    cycle(levels, 0, coarsest, context);
}

}  // namespace trimatte::graph
