// Conjugate gradients with any preconditioner, until the promise in alpha is kept. Private to this folder.
#pragma once

#include <cmath>
#include <cstdint>

#include "solve/iterate.hpp"
#include "solve/ritz.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

// The coefficients of conjugate gradients: x += alpha p, then p = z + beta p. beta is Polak's and Ribiere's, which
// forgives a preconditioner that is not exactly symmetric.
struct Coefficients {
    double alpha = 0, beta = 0, rz = 0, pq = 0;
    SmallestRitzValue ritz;
    std::int64_t steps = 0;

    // Finds the next ones. False if rounding has made a product that must be positive zero or negative.
    bool step(const Iterate::Measures& m) {
        // Polak-Ribiere: z . (r - r_old) / rz_old, where r - r_old = -alpha q.
        beta = steps == 0 ? 0 : -alpha * m.zq / rz;
        rz = m.zr;
        if (steps > 0) {
            ritz.add(alpha, beta);
        }
        // p . A p of the next direction p = z + beta p, whose product is w + beta q (Chronopoulos, Gear 1989).
        pq = m.zw + beta * (2 * m.zq + beta * pq);
        alpha = rz / pq;
        ++steps;
        return rz > 0 && pq > 0 && std::isfinite(alpha);
    }
};

// How far the estimate of the error is trusted; it depends on the affinity that the system comes from.
struct Caution {
    // The estimate is too small before the slowest mode has shown, which takes so many iterations.
    std::int64_t iterations_at_least;
    // Whether the system is known to have many slow modes, so that the estimate has to fall further than the tolerance.
    bool is_hard = false;
};

// Colour lines leave regions that hardly touch known pixels: in one of 41 photographs and scenes their mode showed after
// the 7th iteration only. A graph with the constant as near-null space has nothing of the kind.
inline Caution caution_of(const Problem& problem) { return {problem.channels > 0 ? 10 : 4}; }

// Solves the system of `iterate`; x holds the start and receives the answer.
SolveInfo conjugate_gradient(Iterate& iterate, std::int64_t unknowns, const Caution& caution,
                             const SolveOptions& options, double* x, Monitor& monitor);

}  // namespace trimatte
