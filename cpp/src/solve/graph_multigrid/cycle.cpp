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

constexpr int coarsest_degree = 8;  // degree on a coarsest level that is too large to be factorised

// The cycle for a number of right-hand sides that the compiler knows.
template <int lanes>
class Cycle {
public:
    Cycle(std::vector<Level>& levels, DenseSolve* coarsest, int degree, const Context& context)
        : levels_(levels), coarsest_(coarsest), degree_(degree), context_(context) {}

    // Sets levels[at].x to the result of the cycle for levels[at].r.
    void run(std::size_t at) {
        Level& l = levels_[at];
        if (at + 1 == levels_.size()) {
            if (coarsest_ != nullptr) {
                coarsest_->solve(lanes, l.r.data(), l.x.data());
            } else {
                smooth_from_zero(l, coarsest_degree);
            }
            return;
        }
        if (degree_ == 1) {
            run_with_one_step(at);
            return;
        }
        smooth_from_zero(l, degree_);
        for_rows(l.ranges, l.A, l.d, [&](std::int64_t k, float Ad) { l.r[k] -= Ad; });
        Level& coarse = levels_[at + 1];
        for_rows(l.coarse_ranges, l.R.view(), l.r, [&](std::int64_t k, float Rr) { coarse.r[k] = Rr; });
        run(at + 1);
        for_rows(l.ranges, l.P.view(), coarse.x, [&](std::int64_t k, float Px) {
            l.d[k] = Px;
            l.x[k] += Px;
        });
        step(l, 0, first_factor(l));
        finish_smoothing(l, degree_);
    }

private:
    // The same for a polynomial of degree 1, with the fewest passes over the vectors: x = s r + d +
    // s (r' - A d) for the factor s, the residual r' = r - s A r and the correction d = P x'. r' lies in
    // x until then.
    void run_with_one_step(std::size_t at) {
        Level& l = levels_[at];
        Level& coarse = levels_[at + 1];
        const float factor = first_factor(l);
        for_rows(l.ranges, l.A, l.r, [&](std::int64_t k, float Ar) { l.x[k] = l.r[k] - factor * Ar; });
        for_rows(l.coarse_ranges, l.R.view(), l.x, [&](std::int64_t k, float Rr) { coarse.r[k] = Rr; });
        run(at + 1);
        for_rows(l.ranges, l.P.view(), coarse.x, [&](std::int64_t k, float Px) { l.d[k] = Px; });
        for_rows(l.ranges, l.A, l.d,
                 [&](std::int64_t k, float Ad) { l.x[k] = factor * l.r[k] + l.d[k] + factor * (l.x[k] - Ad); });
    }

    // Runs body(k, number k of matrix * v) for all numbers of the rows, in parallel.
    template <class Body>
    void for_rows(const std::vector<std::int64_t>& ranges, const MatrixView& matrix, const Buffer<float>& v,
                  const Body& body) {
        for_ranges(ranges, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const RowProduct<lanes> sum = row_product<lanes>(matrix, i, v.data());
                for (int c = 0; c < lanes; ++c) {
                    body(lanes * i + c, sum.of[c]);
                }
            }
        });
    }

    static float first_factor(const Level& l) { return static_cast<float>(4 / (3 * l.lmax)); }

    // Takes the next step: x += d' for d' = of_d d + of_r (r - A d).
    void step(Level& l, float of_d, float of_r) {
        for_rows(l.ranges, l.A, l.d, [&](std::int64_t k, float Ad) {
            l.r[k] -= Ad;
            l.next_d[k] = of_d * l.d[k] + of_r * l.r[k];
            l.x[k] += l.next_d[k];
        });
        std::swap(l.d, l.next_d);
    }

    // Adds the terms of p(A) r but for the first, which is d. Afterwards r - A d is the residual.
    void finish_smoothing(Level& l, int degree) {
        for (int k = 1; k < degree; ++k) {
            step(l, static_cast<float>((2.0 * k - 1) / (2 * k + 3)),
                 static_cast<float>((8.0 * k + 4) / (2 * k + 3) / l.lmax));
        }
    }

    // Sets x to p(A) r.
    void smooth_from_zero(Level& l, int degree) {
        const float first = first_factor(l);
        parallel_ranges(lanes * l.A.rows, context_.threads, context_.monitor,
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t k = begin; k < end; ++k) {
                                l.x[k] = l.d[k] = first * l.r[k];
                            }
                        });
        finish_smoothing(l, degree);
    }

    std::vector<Level>& levels_;
    DenseSolve* coarsest_;
    int degree_;
    Context context_;
};

}  // namespace

void run_cycle(std::vector<Level>& levels, DenseSolve* coarsest, int degree, int lanes, const Context& context) {
    if (lanes == 1) {
        Cycle<1>(levels, coarsest, degree, context).run(0);
    } else {
        Cycle<4>(levels, coarsest, degree, context).run(0);
    }
}

}  // namespace trimatte::graph
