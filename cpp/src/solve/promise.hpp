// The promise of iterative solvers: the largest error of alpha is at most the tolerance. Private to this folder.
//
// The error e of x has max |e| <= max |z| / theta, about, where z = M^-1 r is the preconditioned residual in units of
// alpha and theta the smallest eigenvalue of M^-1 A that the error has a part in. Conjugate gradients' own Ritz values
// approach theta from above, but meet slow modes last: b - A x = A e has next to nothing of a slow mode, however much of
// it the error has. So each solve begins with a few steps on noise (solve_noise), where slow modes are as strong as all
// others, and what these steps leave of the noise is added to the start: the error of slow modes has a known size then,
// and the estimate stays large until conjugate gradients have met them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "solve/conjugate_gradient.hpp"
#include "solve/iterate.hpp"

namespace trimatte {

// What steps of conjugate gradients on noise have found.
struct Noise {
    double smallest;  // eigenvalue of M^-1 A; 0 if the steps broke down
    double largest;   // max |z| of what is left, in units of alpha
    double left;      // r . r over that of the first step
    bool is_gone;     // whether no mode of some size can be left unseen
};
Noise solve_noise(Iterate& iterate, std::int64_t unknowns);

// When a solve may stop.
class Promise {
public:
    Promise(double tolerance, const Noise& noise, const Caution& caution);

    // How much of z, as the steps on noise leave it, goes into the start. Its largest pixel is 0.01 where nearly all
    // modes have been seen, 0.5 otherwise, and nothing where the steps broke down, since z may not be finite then.
    double share_of_noise() const { return share_; }
    double goal() const { return goal_; }
    double estimate() const { return estimate_; }
    // The first estimate, from which progress is counted.
    double first_estimate() const { return first_estimate_; }
    void set_exact() { estimate_ = 0; }

    // Looks at an iteration: max |z| and the Ritz values so far. False if rounding has made those useless.
    bool look(double largest, SmallestRitzValue& ritz);
    // Whether the solve may stop after so many iterations with conjugate directions.
    bool is_kept(std::int64_t iterations) const {
        return estimate_ <= goal_ && is_met_ && iterations >= caution_.iterations_at_least;
    }
    // The same at the end of a solve. stuck: no digits are left to gain.
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
    bool is_met_;  // whether the slowest mode of the noise, which the start has, has been met
};

}  // namespace trimatte
