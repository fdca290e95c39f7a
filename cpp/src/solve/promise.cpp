#include "solve/promise.hpp"

#include <cmath>

namespace trimatte {
namespace {

// If the smallest Ritz value of the noise is below this one, the system has many other slow modes.
// The last of them show only when the estimate has fallen to a hundredth of the usual goal.
constexpr double slow_below = 0.025;

// The goal is this part of the tolerance, because the estimate is up to 2.7 times smaller than the
// error.
constexpr double margin = 0.3;

// Returns the value that the estimate has to fall to. Rounding limits the estimate to about 1e-6.
double goal_of(double tolerance, bool is_slow) {
    const double goal = margin * tolerance;
    return is_slow ? std::min(goal, std::max(0.01 * goal, 1e-6)) : goal;
}

}  // namespace

Noise solve_noise(Iterate& iterate, std::int64_t unknowns) {
    constexpr int steps_at_most = 10;
    // Entry k is a bound for the smallest Ritz value after k + 2 steps, and the last entry also
    // serves after more steps. Nearly all photographs have larger values. Where the value is
    // smaller than its entry, or still falls, more steps are taken.
    constexpr double usual[] = {0.55, 0.25, 0.2, 0.2, 0.15, 0.15, 0.1};
    // A Ritz value has settled if it is more than this part of the one a step before.
    constexpr double settled = 2.0 / 3;
    // The part of r . r that may be left. Every mode that has not been found keeps its part of it,
    // however slow the mode is. In small systems less may be left, since a mode of two pixels has a
    // larger part in them.
    const double part_of_large = std::min(1.0, static_cast<double>(unknowns) / 40000);
    const double rest = 0.01 * part_of_large * part_of_large;
    iterate.set_noise();
    Coefficients cg;
    Noise noise{};
    const double first = iterate.residual2();
    double first_rz = 0;
    for (int steps = 1; steps <= steps_at_most && !noise.is_gone; ++steps) {
        const Iterate::Measures measures = iterate.precondition(cg.alpha, cg.beta);
        noise.largest = measures.largest;
        if (!cg.step(measures)) {
            // The steps have found all modes.
            const bool ended = std::abs(cg.rz) <= 1e-12 * first_rz;
            return {ended ? noise.smallest : 0, 0, 0, ended};
        }
        first_rz = steps == 1 ? cg.rz : first_rz;
        const double before = noise.smallest;
        noise.smallest = cg.ritz.then(cg.alpha);
        const bool is_settled = steps == 2 || noise.smallest > settled * before;
        noise.left = iterate.residual2() / first;
        noise.is_gone =
            steps >= 2 && is_settled && noise.smallest > usual[std::min(steps, 8) - 2] && noise.left <= rest;
    }
    return noise;
}

Promise::Promise(double tolerance, const Noise& noise, const Caution& caution)
    : caution_(caution),
      noise_smallest_(noise.smallest),
      share_(noise.largest > 0 ? (noise.is_gone ? 0.01 : 0.5) / noise.largest : 0.0),
      // If r . r has not fallen, the steps may not have found any mode yet.
      goal_(goal_of(std::min(tolerance, caution.tolerance_at_most),
                    noise.smallest < slow_below || noise.left > 1 || caution.is_hard)),
      is_met_(share_ == 0) {}

bool Promise::look(double largest, SmallestRitzValue& ritz) {
    const bool near_goal = largest <= goal_ * ritz.recent();
    const double smallest = near_goal ? ritz.now() : ritz.recent();
    // The Ritz value of the noise makes the estimate at most a hundred times larger: smaller values
    // are partly rounding.
    const double bound = std::min(smallest, std::max(noise_smallest_, 0.01 * smallest));
    estimate_ = smallest > 0 ? largest / bound : estimate_;
    is_met_ = is_met_ || smallest <= 2 * noise_smallest_;
    first_estimate_ = first_estimate_ == 0 ? estimate_ : first_estimate_;
    return smallest > 0;
}

}  // namespace trimatte
