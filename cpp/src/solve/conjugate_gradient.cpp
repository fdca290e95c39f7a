#include "solve/conjugate_gradient.hpp"

#include <algorithm>
#include <limits>

#include "solve/promise.hpp"

namespace trimatte {
namespace {

// The iterations on one right-hand side: their coefficients, and when they end.
class Iterations {
public:
    Iterations(Iterate& iterate, const Noise& noise, const Caution& caution, const SolveOptions& options)
        : iterate_(iterate), caution_(caution), options_(options), promise_(options.tolerance, noise, caution) {}

    void start(const double* x) {
        iterate_.set_start(x, promise_.share_of_noise());
        const Iterate::Norms first = iterate_.settle();
        if (first.b2 == 0) {  // neither foreground nor the prior pulls at a pixel: alpha is zero
            iterate_.clear();
        }
        if (first.r2 == 0 || first.b2 == 0) {
            promise_.set_exact();
        }
        wanted_r2_ = options_.relative_residual * options_.relative_residual * first.wanted2;
        r2_ = first.r2;
        is_over_ = promise_.estimate() <= 0 || options_.max_iterations <= 0;
    }

    bool is_over() const { return is_over_; }
    // The coefficients of the step that comes next.
    const Coefficients& next() const { return cg_; }

    // Goes on after the step, which gave these measures.
    void look(const Iterate::Measures& measures) {
        bool sound = cg_.step(measures);
        r2_ = measures.r2;
        if (k_ > begun_) {
            sound = promise_.look(measures.largest, cg_.ritz) && sound;
            if (cg_.ritz.recent() < caution_.least_ritz) {
                is_over_ = true;
                return;
            }
        }
        if (!sound) {
            // Rounding has separated r from b - A x. The residual is computed anew and the
            // directions start again. If fewer than three iterations follow a start, more of them
            // gain nothing.
            is_stuck_ = k_ < begun_ + 3;
            if (!is_stuck_) {
                iterate_.settle();
                cg_ = {};
                begun_ = k_;
            }
            is_over_ = is_stuck_ || promise_.estimate() <= 0;
            return;
        }
        ++k_;
        is_over_ = promise_.estimate() <= 0;
        if (k_ == options_.max_iterations || (promise_.is_kept(k_ - begun_) && is_small())) {
            // This step needs no new z, and it makes the error smaller than the estimate says.
            iterate_.finish(cg_.alpha, cg_.beta);
            is_over_ = true;
        }
    }

    // The part of the work that is done, on a logarithmic scale.
    double fraction() const {
        const double done = std::log(promise_.estimate() / promise_.first_estimate()) /
                            std::log(promise_.goal() / promise_.first_estimate());
        return is_over_ ? 1.0 : std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0;
    }

    SolveInfo end(double* x) {
        const Iterate::Norms last = iterate_.settle();
        // The residual that the iterations carry along drifts away from the one computed anew. The
        // factor allows for a drift of 2 percent of r . r.
        r2_ = last.r2 / 1.02;
        iterate_.get(x);
        return {options_.solver,
                promise_.is_kept_at_last(k_ - begun_, is_stuck_) && is_small(),
                k_,
                last.r2 == 0 ? 0 : std::sqrt(last.r2 / last.b2),
                promise_.estimate(),
                iterate_.bytes(),
                iterate_.operator_complexity()};
    }

private:
    bool is_small() const { return options_.relative_residual <= 0 || r2_ <= wanted_r2_; }

    Iterate& iterate_;
    Caution caution_;
    const SolveOptions& options_;
    Promise promise_;
    double wanted_r2_ = 0, r2_ = 0;
    Coefficients cg_;
    // begun: the number of iterations before the directions were last started anew
    std::int64_t k_ = 0, begun_ = 0;
    bool is_stuck_ = false, is_over_ = false;
};

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
    Iterations iterations(iterate, noise, caution, options);
    iterations.start(x);
    while (!iterations.is_over()) {
        iterations.look(iterate.precondition(iterations.next().alpha, iterations.next().beta));
        monitor.set_fraction(iterations.fraction());
        monitor.poll();
    }
    const SolveInfo info = iterations.end(x);
    monitor.finish();
    return info;
}

std::vector<SolveInfo> conjugate_gradients(const std::vector<Iterate*>& iterates, const JointStep& step,
                                           const Noise& noise, const Caution& caution, const SolveOptions& options,
                                           Monitor& monitor) {
    std::vector<Iterations> all;
    for (std::size_t c = 0; c < iterates.size(); ++c) {
        // Noise in which all modes have shown serves all right-hand sides, since they have one matrix.
        Noise own = noise;
        own.largest = c > 0 && noise.is_gone ? 0 : noise.largest;
        all.emplace_back(*iterates[c], own, caution, options);
        all.back().start(nullptr);
    }
    while (true) {
        std::vector<Step> steps;
        double fraction = 1;
        for (std::size_t c = 0; c < all.size(); ++c) {
            fraction = std::min(fraction, all[c].fraction());
            if (!all[c].is_over()) {
                steps.push_back({c, all[c].next().alpha, all[c].next().beta, {}});
            }
        }
        if (steps.empty()) {
            break;
        }
        monitor.set_fraction(fraction);
        monitor.poll();
        step(steps);
        for (const Step& taken : steps) {
            all[taken.number].look(taken.measures);
        }
    }
    std::vector<SolveInfo> infos;
    for (Iterations& iterations : all) {
        infos.push_back(iterations.end(nullptr));
    }
    monitor.finish();
    return infos;
}

}  // namespace trimatte
