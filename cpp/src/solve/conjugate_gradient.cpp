#include "solve/conjugate_gradient.hpp"

#include <algorithm>
#include <limits>

#include "solve/promise.hpp"

namespace trimatte {
namespace {

// Reports the progress of the estimate to the monitor, on a logarithmic scale.
void report(const Promise& promise, Monitor& monitor) {
    const double done =
        std::log(promise.estimate() / promise.first_estimate()) / std::log(promise.goal() / promise.first_estimate());
    monitor.set_fraction(std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0);
    monitor.poll();
}

}  // namespace

SolveInfo conjugate_gradient(Iterate& iterate, std::int64_t unknowns, const Caution& caution,
                             const SolveOptions& options, double* x, Monitor& monitor) {
    return conjugate_gradient(iterate, solve_noise(iterate, unknowns), caution, options, x, monitor);
}

SolveInfo conjugate_gradient(Iterate& iterate, const Noise& noise, const Caution& caution, const SolveOptions& options,
                             double* x, Monitor& monitor) {
    const bool has_slow_modes = noise.smallest < caution.least_ritz || noise.left > 1;
    if (caution.least_ritz > 0 && has_slow_modes) {
        return {options.solver,
                false,
                0,
                1,
                std::numeric_limits<double>::infinity(),
                iterate.bytes(),
                iterate.operator_complexity()};
    }
    Promise promise(options.tolerance, noise, caution);
    iterate.set_start(x, promise.share_of_noise());
    const Iterate::Norms first = iterate.settle();
    if (first.b2 == 0) {  // neither foreground nor the prior pulls at a pixel: alpha is zero
        iterate.clear();
    }
    if (first.r2 == 0 || first.b2 == 0) {
        promise.set_exact();
    }
    const double wanted_r2 = options.relative_residual * options.relative_residual * first.wanted2;
    Coefficients cg;
    // begun: the number of iterations before the directions were last started anew
    std::int64_t k = 0, begun = 0;
    bool stuck = false;
    double r2 = first.r2;
    const auto is_small = [&] { return options.relative_residual <= 0 || r2 <= wanted_r2; };
    while (promise.estimate() > 0 && k < options.max_iterations) {
        const Iterate::Measures measures = iterate.precondition(cg.alpha, cg.beta);
        bool sound = cg.step(measures);
        r2 = measures.r2;
        if (k > begun) {
            sound = promise.look(measures.largest, cg.ritz) && sound;
            if (cg.ritz.recent() < caution.least_ritz) {
                break;
            }
        }
        if (!sound) {
            // Rounding has separated r from b - A x. The residual is computed anew and the
            // directions start again. If fewer than three iterations follow a start, more of them
            // gain nothing.
            stuck = k < begun + 3;
            if (stuck) {
                break;
            }
            iterate.settle();
            cg = {};
            begun = k;
            continue;
        }
        ++k;
        if (k == options.max_iterations || (promise.is_kept(k - begun) && is_small())) {
            // This step needs no new z, and it makes the error smaller than the estimate says.
            iterate.finish(cg.alpha, cg.beta);
            break;
        }
        report(promise, monitor);
    }
    const Iterate::Norms last = iterate.settle();
    // The residual that the iterations carry along drifts away from the one computed anew. The
    // factor allows for a drift of 2 percent of r . r.
    r2 = last.r2 / 1.02;
    iterate.get(x);
    monitor.finish();
    return {options.solver,
            promise.is_kept_at_last(k - begun, stuck) && is_small(),
            k,
            last.r2 == 0 ? 0 : std::sqrt(last.r2 / last.b2),
            promise.estimate(),
            iterate.bytes(),
            iterate.operator_complexity()};
}

}  // namespace trimatte
