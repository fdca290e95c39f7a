// The promise of iterative solvers: the largest error of alpha is at most the tolerance. This
// header is private to the core.
//
// Let e be the error of x, z = M^-1 r the preconditioned residual in units of alpha, and theta the
// smallest eigenvalue of M^-1 A among the modes (eigenvectors) that e contains. Then max |e| is
// about max |z| / theta at most, and this quotient is the estimate. The smallest Ritz value of
// conjugate gradients approaches theta from above, but they meet slow modes, which have small
// eigenvalues, last: a slow mode contributes next to nothing to the residual b - A x = A e, however
// large its part in the error is. Each solve therefore begins with a few steps on noise
// (solve_noise), in which slow modes are as strong as all others. What these steps leave of the
// noise is added to the start. The error in slow modes then has a known size, and the estimate
// stays large until conjugate gradients have met them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "solve/conjugate_gradient.hpp"
#include "solve/iterate.hpp"

namespace trimatte {

// What the steps of conjugate gradients on noise have found.
struct Noise {
    double smallest;  // smallest Ritz value of M^-1 A; 0 if the steps broke down
    double largest;   // max |z| at the last step, in units of alpha; 0 if z is not to be used
    double left;      // r . r after the last step over r . r at the start
    bool is_gone;     // whether no mode with a large part in the noise can be left unseen
};
Noise solve_noise(Iterate& iterate, std::int64_t unknowns);

// Decides when a solve may stop.
class Promise {
public:
    Promise(double tolerance, const Noise& noise, const Caution& caution);

    // The factor by which z, as the steps on noise leave it, is multiplied before it is added to
    // the start. The largest pixel of the added noise is 0.01 where nearly all modes have been
    // seen, and 0.5 otherwise. Nothing is added where the steps have found all modes, or where they
    // broke down, since z may not be finite then.
    double share_of_noise() const { return share_; }
    // The value that the estimate has to fall to, and the present estimate of the largest error of
    // alpha.
    double goal() const { return goal_; }
    double estimate() const { return estimate_; }
    // The first estimate of the error, from which progress is counted.
    double first_estimate() const { return first_estimate_; }
    // Says that x is exact, so that no iteration is needed.
    void set_exact() { estimate_ = 0; }

    // Updates the estimate after an iteration from max |z| in units of alpha and from the Ritz
    // values so far. Returns false if rounding has made the Ritz values useless.
    bool look(double largest, SmallestRitzValue& ritz);
    // Whether the solve may stop after this number of iterations with conjugate directions.
    bool is_kept(std::int64_t iterations) const {
        return estimate_ <= goal_ && is_met_ && iterations >= caution_.iterations_at_least;
    }
    // Whether the promise holds when the solve ends for another reason. stuck: rounding has ended
    // the iterations, and more of them would gain nothing.
    bool is_kept_at_last(std::int64_t iterations, bool stuck) const {
        const bool too_early = estimate_ > 0 && iterations < caution_.iterations_at_least && !stuck;
        return estimate_ <= goal_ && (is_met_ || estimate_ == 0) && !too_early;
    }

private:
    Caution caution_;
    double noise_smallest_;
    double share_;
    double goal_;
    double estimate_ = std::numeric_limits<double>::infinity();
    double first_estimate_ = 0;
    bool is_met_;  // whether the iterations have met the slowest mode that the noise has shown
};

}  // namespace trimatte
