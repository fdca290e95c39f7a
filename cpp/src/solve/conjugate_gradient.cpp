#include "solve/conjugate_gradient.hpp"

#include <algorithm>

#include "solve/promise.hpp"

namespace trimatte {
namespace {

// Tells the monitor how far the estimate has fallen, on the logarithmic scale on which it falls.
void report(const Promise& promise, Monitor& monitor) {
    const double done =
        std::log(promise.estimate() / promise.first_estimate()) / std::log(promise.goal() / promise.first_estimate());
    monitor.set_fraction(std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0);
    monitor.poll();
}

}  // namespace

SolveInfo conjugate_gradient(Iterate& iterate, std::int64_t unknowns, const Caution& caution,
                             const SolveOptions& options, double* x, Monitor& monitor) {
    Promise promise(options.tolerance, solve_noise(iterate, unknowns), caution);
    iterate.set_start(x, promise.share_of_noise());
    const Iterate::Norms first = iterate.settle();
    if (first.b2 == 0) {  // nothing unknown meets any foreground
        iterate.clear();
    }
    if (first.r2 == 0 || first.b2 == 0) {
        promise.set_exact();
    }
    const double wanted_r2 = options.relative_residual * options.relative_residual * first.wanted2;
    Coefficients cg;
    std::int64_t k = 0, begun = 0;  // begun: the first of the iterations whose directions are conjugate
    bool stuck = false;
    double r2 = first.r2;
    const auto is_small = [&] { return options.relative_residual <= 0 || r2 <= wanted_r2; };
    while (promise.estimate() > 0 && k < options.max_iterations) {
        const Iterate::Measures measures = iterate.precondition(cg.alpha, cg.beta);
        bool sound = cg.step(measures);
        r2 = measures.r2;
        if (k > begun) {
            sound = promise.look(measures.largest, cg.ritz) && sound;
        }
        if (!sound) {
            // Rounding has its way: r is no longer b - A x. If a new start helps little, nothing will.
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
            iterate.finish(cg.alpha, cg.beta);  // needs no new z, and makes the error less than estimated
            break;
        }
        report(promise, monitor);
    }
    const Iterate::Norms last = iterate.settle();
    r2 = last.r2 / 1.02;  // the residual that the iterations carry along drifts from the true one
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
