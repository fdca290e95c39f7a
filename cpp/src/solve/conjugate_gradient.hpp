// Conjugate gradients with any preconditioner, until the promise in alpha is kept. This header is
// private to the core.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "solve/iterate.hpp"
#include "solve/ritz.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

struct Noise;  // solve/promise.hpp

// The coefficients of conjugate gradients: p = z + beta p, then x += alpha p. beta is the one of
// Polak and Ribiere, which tolerates a preconditioner that is not exactly symmetric. rz = r . z and
// pq = p . A p belong to the last step.
struct Coefficients {
    double alpha = 0, beta = 0, rz = 0, pq = 0;
    SmallestRitzValue ritz;
    std::int64_t steps = 0;

    // Finds the coefficients of the next iteration. Returns false if rounding has made a product
    // zero or negative that is positive in exact arithmetic.
    bool step(const Iterate::Measures& m) {
        // Polak-Ribiere: z . (r - r_old) / rz_old, where r - r_old = -alpha q.
        beta = steps == 0 ? 0 : -alpha * m.zq / rz;
        rz = m.zr;
        if (steps > 0) {
            ritz.add(alpha, beta);
        }
        // The product p . A p of the next direction p = z + beta p, where A p = w + beta q
        // (Chronopoulos, Gear 1989).
        pq = m.zw + beta * (2 * m.zq + beta * pq);
        alpha = rz / pq;
        ++steps;
        return rz > 0 && pq > 0 && std::isfinite(alpha);
    }
};

// How far the estimate of the error is trusted. This depends on the affinity that made the system.
struct Caution {
    // The estimate is too small before the slowest mode has shown, which takes up to this number of
    // iterations.
    std::int64_t iterations_at_least;
    // Whether the system is known to have many slow modes. The estimate then has to fall further
    // below the tolerance.
    bool is_hard = false;
    // If positive, the solve gives up where the steps on noise or the iterations find a smaller
    // Ritz value of M^-1 A, or where the steps on noise leave more than they began with. Another
    // preconditioner is better then.
    double least_ritz = 0;
    // Larger tolerances count as this one: they would hide more modes and save next to no iterations.
    double tolerance_at_most = 1e-3;
};

// A colour-line affinity can leave regions that hardly touch known pixels, and the mode of such a
// region shows late (docs/design/promise.md). A graph whose near-null space is the constant leaves
// none.
inline Caution caution_of(const Problem& problem) { return {problem.channels > 0 ? 10 : 4}; }

// Solves the system of `iterate`. x holds the start, in units of alpha, and receives the solution.
SolveInfo conjugate_gradient(Iterate& iterate, std::int64_t unknowns, const Caution& caution,
                             const SolveOptions& options, double* x, Monitor& monitor);
// Does the same after steps on noise that have been taken already.
SolveInfo conjugate_gradient(Iterate& iterate, const Noise& noise, const Caution& caution, const SolveOptions& options,
                             double* x, Monitor& monitor);

// The step that Iterate::precondition takes, of one of several iterates.
struct Step {
    std::size_t number;  // of the iterate
    double alpha, beta;
    Iterate::Measures measures;  // what is found
};
// Takes the steps of several iterates together.
using JointStep = std::function<void(std::vector<Step>&)>;

// Solves several systems with one matrix side by side, after steps on noise with the first. Each has
// coefficients of its own, and takes no more steps once its own promise is kept. Starts and solutions
// are the iterates' own. The z of the noise is that of the first iterate while the starts are set.
std::vector<SolveInfo> conjugate_gradients(const std::vector<Iterate*>& iterates, const JointStep& step,
                                           const Noise& noise, const Caution& caution, const SolveOptions& options,
                                           Monitor& monitor);

}  // namespace trimatte
