#include "solve/promise.hpp"

#include <cmath>

namespace trimatte {
namespace {

// An eigenvalue below this comes with many others: the last of them only show when the estimate is a hundredth of what
// it should be.
constexpr double slow_below = 0.025;

// Margin of the estimate, which is up to 2.7 times too small.
constexpr double margin = 0.3;

// Tolerances above this one would hide more modes, and save next to nothing.
constexpr double largest_tolerance = 1e-3;

// The value that the estimate has to fall to. 1e-6 is about what its digits allow.
double goal_of(double tolerance, bool is_slow) {
    const double goal = margin * std::min(tolerance, largest_tolerance);
    return is_slow ? std::min(goal, std::max(0.01 * goal, 1e-6)) : goal;
}

}  // namespace

Noise solve_noise(Iterate& iterate, std::int64_t unknowns) {
    constexpr int steps_at_most = 10;
    // Nearly all photographs have larger eigenvalues than these after 2 steps, 3, and so on; the last is for 8 steps and
    // more. Where a smaller one is found, or it still falls, a closer look is needed.
    constexpr double usual[] = {0.55, 0.25, 0.2, 0.2, 0.15, 0.15, 0.1};
    constexpr double settled = 2.0 / 3;  // of what the step before had found
    // r . r has to fall to a hundredth, in small systems to less, since a mode of two pixels is a larger part of them.
    // It cannot fall while modes with a larger part have not been found: each keeps its part, however slow it is.
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
            const bool ended = std::abs(cg.rz) <= 1e-12 * first_rz;  // there are no more modes
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
      // Where the steps leave all of the noise, no mode may have been found yet.
      goal_(goal_of(tolerance, noise.smallest < slow_below || noise.left > 1 || caution.is_hard)),
      is_met_(share_ == 0) {}

bool Promise::look(double largest, SmallestRitzValue& ritz) {
    const bool near_goal = largest <= goal_ * ritz.recent();
    const double smallest = near_goal ? ritz.now() : ritz.recent();
    // Noise may make the estimate a hundred times larger, not more: rounding has a part in so small a value.
    const double bound = std::min(smallest, std::max(noise_smallest_, 0.01 * smallest));
    estimate_ = smallest > 0 ? largest / bound : estimate_;
    is_met_ = is_met_ || smallest <= 2 * noise_smallest_;
    first_estimate_ = first_estimate_ == 0 ? estimate_ : first_estimate_;
    return smallest > 0;
}

}  // namespace trimatte
