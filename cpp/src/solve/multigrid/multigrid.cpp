// Conjugate gradients with a colour-aware multigrid preconditioner: aggregation on cells of the pixel grid, with the
// near-null space [1, R, G, B] of the matting Laplacian, blended over the cells' borders and smoothed by energy
// minimisation (multigrid_prolongation.hpp).
//
// The system is scaled to unit diagonal. Finest level: pixels. Cells of 4 x 4 pixels, then of 3 x 3 cells, carry four
// numbers each: the cell's own 1, R, G, B, made orthonormal. Smoothing is a Chebyshev polynomial, so that nothing
// depends on an order of the nodes. The levels are in float32, conjugate gradients in float64 (letters as in Saad,
// Iterative Methods for Sparse Linear Systems, 2nd ed., Algorithm 9.1, but for beta, which is Polak and Ribiere's: it
// forgives a preconditioner that is not exactly symmetric). They start on noise (solve_noise), which shows slow modes.
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.hpp"
#include "solve/multigrid/drawing.hpp"
#include "solve/multigrid/hierarchy.hpp"
#include "solve/multigrid/islands.hpp"
#include "solve/ritz.hpp"
#include "trimatte/solve.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {
namespace {

// The estimated error is too small until the slowest mode has shown.
constexpr std::int64_t iterations_at_least = 10;

// body(y, x, slot) for every slot of the strips; rows side by side.
template <class Body>
void for_slots(const Grid& grid, const Context& context, const Body& body) {
    for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            for_strips(grid, y, [&](const Strip& strip, std::int64_t at) {
                for (std::int64_t i = 0; i < strip.width; ++i) {
                    body(y, strip.x + i, at + i);
                }
            });
        }
    });
}

// [1, R, G, B] / scale, colours less 0.5.
Buffer<float> near_null(const Stencil& stencil, const Context& context) {
    const std::int64_t n = stencil.grid.slots();
    Buffer<float> N = zeros<float>(columns * n, context);
    for_slots(stencil.grid, context, [&](std::int64_t, std::int64_t, std::int64_t i) {
        const double inverse = stencil.scale[i] > 0 ? 1 / stencil.scale[i] : 0.0;
        N[i] = static_cast<float>(inverse);
        for (int c = 0; c < stencil.channels; ++c) {
            const double colour = static_cast<double>(stencil.colours[c * n + i]) - 0.5;
            N[(c + 1) * n + i] = static_cast<float>(colour * inverse);
        }
    });
    return N;
}

// What the estimate has to fall to. Slow modes are many, as a rule, and the last of them only show when the estimate is
// a hundredth of what it should be; 1e-6 is about what their digits allow. Tolerances above 1e-3 would hide more modes,
// and save next to nothing.
double goal_of(double tolerance, bool slow) {
    const double goal = 0.3 * std::min(tolerance, 1e-3);
    return slow ? std::min(goal, std::max(0.01 * goal, 1e-6)) : goal;
}

// Smallest eigenvalues of M^-1 A below that come with many others.
constexpr double slow_below = 0.025;

// One solve: the vectors of conjugate gradients and the passes over them.
class Iteration {
public:
    Iteration(const Stencil& stencil, const Context& context)
        : stencil_(stencil),
          context_(context),
          islands_(Islands::find(stencil, context)),
          smoother_(make_smoother<1>(stencil.grid, stencil.hi.data(), near_null(stencil, context), context)),
          x_(zeros<double>(n(), context)),
          r_(zeros<double>(n(), context)),
          p_(zeros<double>(n(), context)),
          q_(zeros<double>(n(), context)),
          w_(zeros<double>(n(), context)),
          measures_(static_cast<std::size_t>(grid().height())) {}

    double* x() { return x_.data(); }
    const float* z() const { return smoother_->x(); }  // of the last precondition()
    const Grid& grid() const { return stencil_.grid; }

    struct Norms {
        double r2, b2;  // of the system whose rows are divided by their diagonal: in units of x before it was scaled
    };
    // r = b - A x
    Norms set_residual(const double* b) {
        std::vector<Norms> norms(measures_.size());
        multiply(x_.data());
        for_slots(grid(), context_, [&](std::int64_t y, std::int64_t, std::int64_t i) {
            Norms& sums = norms[static_cast<std::size_t>(y)];
            r_[i] = b[i] - q_[i];
            const double scale = stencil_.scale[i];
            sums.r2 += r_[i] * scale * (r_[i] * scale);
            sums.b2 += b[i] * scale * (b[i] * scale);
        });
        Norms all{};
        for (const Norms& row : norms) {
            all.r2 += row.r2;
            all.b2 += row.b2;
        }
        return all;
    }

    // The same for the system's b, after x has lost what it is off by on islands, alike on all of one.
    Norms settle() {
        const Norms norms = set_residual(stencil_.rhs.data());
        if (!islands_) {
            return norms;
        }
        islands_->correct(r_.data(), 1, x_.data());
        return set_residual(stencil_.rhs.data());
    }

    double residual2() const {  // r . r
        std::vector<double> sums(measures_.size(), 0.0);
        for_slots(grid(), context_, [&](std::int64_t y, std::int64_t, std::int64_t i) {
            sums[static_cast<std::size_t>(y)] += r_[i] * r_[i];
        });
        return std::accumulate(sums.begin(), sums.end(), 0.0);
    }

    // r = noise, less what islands take of it; x is lost. Mostly alike on 4 x 4 pixels, as rough modes matter less.
    // Of modes that are plus and minus within those, single pixels have some.
    void set_noise() {
        constexpr std::int64_t block = 4;
        double* const b = islands_ ? w_.data() : r_.data();
        for_slots(grid(), context_, [&](std::int64_t y, std::int64_t x, std::int64_t i) {
            const double of_block = Random(0, y / block, x / block).uniform() - 0.5;
            const double of_pixel = Random(2, y, x).uniform() - 0.5;
            b[i] = stencil_.scale[i] > 0 ? of_block + 0.25 * of_pixel : 0.0;
            x_[i] = 0;
        });
        if (islands_) {
            islands_->correct(b, 1, x_.data());
            set_residual(b);
        }
    }

    // Of z = M^-1 r, with q = A p of the last direction p.
    struct Measures {
        double zr, zq, zw;  // w = A z
        double largest;     // max |scale z|
    };
    // With the last z and w: p = z + beta p, q = w + beta q, x += alpha p, r -= alpha q. Then z = M^-1 r, w = A z.
    Measures precondition(double alpha, double beta) {
        const RowStage first = [=](std::int64_t y, bool) { advance(y, alpha, beta); };
        const RowStage last = [this](std::int64_t y, bool) {
            double sums[4] = {};
            simd::kernels().measured_product(stencil_.hi.data(), stencil_.lo.data(), n(), grid().pieces_begin(y),
                                             grid().pieces_end(y), smoother_->x(), r_.data(), q_.data(),
                                             stencil_.scale.data(), w_.data(), sums);
            measures_[static_cast<std::size_t>(y)] = {sums[0], sums[1], sums[2], sums[3]};
        };
        smoother_->cycle({first}, last);
        if (islands_) {
            islands_->correct(w_.data(), -1, smoother_->x());
            sweep(grid(), {last}, context_);
        }
        Measures all{};
        for (const Measures& m : measures_) {
            all.zr += m.zr;
            all.zq += m.zq;
            all.zw += m.zw;
            all.largest = std::max(all.largest, m.largest);
        }
        return all;
    }

    // p = z + beta p, x += alpha p: the last step.
    void finish(double alpha, double beta) {
        for_rows(grid(), context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                advance(y, alpha, beta);
            }
        });
    }

    std::size_t bytes() const {
        return smoother_->bytes() + x_.bytes() + r_.bytes() + p_.bytes() + q_.bytes() + w_.bytes() +
               (islands_ ? islands_->bytes() : 0);
    }

    double operator_complexity() const {
        return static_cast<double>(smoother_->entries()) / static_cast<double>(Stencil::offsets * n());
    }

private:
    std::int64_t n() const { return grid().slots(); }

    void advance(std::int64_t y, double alpha, double beta) {
        for_strips(grid(), y, [&](const Strip& s, std::int64_t i) {
            simd::kernels().advance(s.padded(), alpha, beta, smoother_->x() + i, w_.data() + i, p_.data() + i,
                                    q_.data() + i, x_.data() + i, r_.data() + i, smoother_->first_step(),
                                    smoother_->r() + i, smoother_->d() + i);
        });
    }

    void multiply(const double* v) {
        for_rows(grid(), context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                simd::kernels().wide_product(stencil_.hi.data(), stencil_.lo.data(), n(), grid().pieces_begin(y),
                                             grid().pieces_end(y), v, q_.data());
            }
        });
    }

    const Stencil& stencil_;
    Context context_;
    std::unique_ptr<Islands> islands_;
    std::unique_ptr<Smoother<1>> smoother_;
    Buffer<double> x_, r_, p_, q_, w_;
    std::vector<Measures> measures_;  // of each row
};

// The coefficients of conjugate gradients: x += alpha p, then p = z + beta p.
struct Coefficients {
    double alpha = 0, beta = 0, rz = 0, pq = 0;
    SmallestRitzValue ritz;
    std::int64_t steps = 0;

    // The next ones. False if rounding has had its way.
    bool step(const Iteration::Measures& m) {
        // Polak-Ribiere: z . (r - r_old) / rz_old, where r - r_old = -alpha q.
        beta = steps == 0 ? 0 : -alpha * m.zq / rz;
        rz = m.zr;
        if (steps > 0) {
            ritz.add(alpha, beta);
        }
        // Of the next direction, z + beta p, whose product is w + beta q.
        pq = m.zw + beta * (2 * m.zq + beta * pq);
        alpha = rz / pq;
        ++steps;
        return rz > 0 && pq > 0 && std::isfinite(alpha);
    }
};

// Conjugate gradients on noise. On the system itself they meet slow modes last, for b - A x = A e has next to nothing
// of them, however much the error e has: the estimate of the error of a drawing may be a thousand times too small. In
// noise they are as strong as all others, and what is left of it after a few steps, z = M^-1 r, holds little else.
struct Noise {
    double smallest;  // eigenvalue of M^-1 A that is found; 0 if the steps break down
    double largest;   // max |z| in units of alpha
    double left;      // r . r, of the first
    bool is_gone;     // no mode of some size is left unseen
};
Noise solve_noise(Iteration& iteration, std::int64_t unknowns) {
    constexpr int steps_at_most = 10;
    // Nearly all photographs have more than that after 2 steps, 3, and so on, the last from 8 on. Where there is less,
    // or it still falls, a closer look is needed.
    constexpr double usual[] = {0.55, 0.25, 0.2, 0.2, 0.15, 0.15, 0.1};
    constexpr double settled = 2.0 / 3;  // of what the step before had found
    // And r . r has to fall to a hundredth, in small systems to less, as a mode of two pixels is more of them. It
    // cannot while modes that have more of it have not been found: each keeps its share, however slow it is (slower
    // ones have less of z . r).
    const double part_of_large = std::min(1.0, static_cast<double>(unknowns) / 40000);
    const double rest = 0.01 * part_of_large * part_of_large;
    iteration.set_noise();
    Coefficients cg;
    Noise noise{};
    const double first = iteration.residual2();
    double first_rz = 0;
    for (int steps = 1; steps <= steps_at_most && !noise.is_gone; ++steps) {
        const Iteration::Measures measures = iteration.precondition(cg.alpha, cg.beta);
        noise.largest = measures.largest;
        if (!cg.step(measures)) {
            const bool ended = std::abs(cg.rz) <= 1e-12 * first_rz;  // there are no more modes
            return {ended ? noise.smallest : 0, 0, 0, ended};
        }
        first_rz = steps == 1 ? cg.rz : first_rz;
        const double before = noise.smallest;
        noise.smallest = cg.ritz.then(cg.alpha);
        const bool is_settled = steps == 2 || noise.smallest > settled * before;
        noise.left = iteration.residual2() / first;
        noise.is_gone =
            steps >= 2 && is_settled && noise.smallest > usual[std::min(steps, 8) - 2] && noise.left <= rest;
    }
    return noise;
}

// body(i, slot) for every unknown i.
template <class Body>
void for_unknowns(const Problem& problem, const Stencil& stencil, const Context& context, const Body& body) {
    const Grid& grid = stencil.grid;
    for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t i =
            std::lower_bound(problem.pixel.begin(), problem.pixel.end(), begin * problem.width) - problem.pixel.begin();
        for (std::int64_t y = begin; y < end; ++y) {
            for_strips(grid, y, [&](const Strip& strip, std::int64_t first) {
                for (std::int64_t at = first; at < first + strip.width; ++at) {
                    if (stencil.scale[at] > 0) {
                        body(i++, at);
                    }
                }
            });
        }
    });
}

SolveInfo solve_here(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("hierarchy");
    const std::optional<Stencil> converted =
        problem.stencil ? std::nullopt : std::optional<Stencil>(make_stencil(problem));
    const Stencil& stencil = problem.stencil ? *problem.stencil : *converted;
    const Context context{options.threads, monitor};
    Iteration iteration(stencil, context);
    monitor.phase("cg");
    const Noise noise = solve_noise(iteration, problem.unknowns());
    // What is left of the noise is added to the start, as an error of known size. Its slow modes cannot hide: they keep
    // the estimate large until conjugate gradients have met them. Little of it where nearly all have been seen, none
    // where the steps broke down (z may not be finite then).
    const double error = noise.is_gone ? 0.01 : 0.5;
    const double share = noise.largest > 0 ? error / noise.largest : 0.0;
    for_unknowns(problem, stencil, context, [&](std::int64_t i, std::int64_t at) {
        iteration.x()[at] = x[i] / stencil.scale[at] + (share > 0 ? share * iteration.z()[at] : 0.0);
    });
    // Where ten steps leave all of the noise, no mode may have been found yet.
    const bool slow = noise.smallest < slow_below || noise.left > 1 || is_drawing(stencil, context);
    const double goal = goal_of(options.tolerance, slow);
    const auto first = iteration.settle();
    if (first.b2 == 0) {  // nothing unknown meets any foreground
        std::fill_n(iteration.x(), stencil.grid.slots(), 0.0);
    }
    double estimate = first.r2 == 0 || first.b2 == 0 ? 0 : std::numeric_limits<double>::infinity();
    double first_estimate = 0;
    Coefficients cg;
    std::int64_t k = 0, begun = 0;  // begun: the first of the iterations whose directions are conjugate
    bool stuck = false;
    bool met = share == 0;  // whether the slowest mode of the noise has been met, which the start has
    while (estimate > 0 && k < options.max_iterations) {
        const Iteration::Measures measures = iteration.precondition(cg.alpha, cg.beta);
        bool sound = cg.step(measures);
        if (k > begun) {
            const bool near_goal = measures.largest <= goal * cg.ritz.recent();
            const double smallest = near_goal ? cg.ritz.now() : cg.ritz.recent();
            sound = sound && smallest > 0;
            // Noise may make the estimate a hundred times larger, not more: rounding has a part in so small a value.
            const double bound = std::min(smallest, std::max(noise.smallest, 0.01 * smallest));
            estimate = smallest > 0 ? measures.largest / bound : estimate;
            met = met || smallest <= 2 * noise.smallest;
            first_estimate = first_estimate == 0 ? estimate : first_estimate;
        }
        if (!sound) {
            // Rounding has its way: r is no longer b - A x. If that helps little, nothing will.
            stuck = k < begun + 3;
            if (stuck) {
                break;
            }
            iteration.settle();
            cg = {};
            begun = k;
            continue;
        }
        ++k;
        if (k == options.max_iterations || (estimate <= goal && met && k >= begun + iterations_at_least)) {
            iteration.finish(cg.alpha, cg.beta);  // needs no new z, and makes the error less than estimated
            break;
        }
        const double done = std::log(estimate / first_estimate) / std::log(goal / first_estimate);
        monitor.set_fraction(std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0);
        monitor.poll();
    }
    const auto [r2, b2] = iteration.settle();
    for_unknowns(problem, stencil, context,
                 [&](std::int64_t i, std::int64_t at) { x[i] = iteration.x()[at] * stencil.scale[at]; });
    monitor.finish();
    // Before its first iteration that counts the estimate may be far too small, unless no digits are left.
    const bool too_early = estimate > 0 && k < begun + iterations_at_least && !stuck;
    const double residual = r2 == 0 ? 0 : std::sqrt(r2 / b2);
    return {Solver::multigrid,
            estimate <= goal && (met || estimate == 0) && !too_early,
            k,
            residual,
            estimate,
            (converted ? converted->bytes() : 0) + iteration.bytes(),
            iteration.operator_complexity()};
}

}  // namespace

SolveInfo multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    return solve_here(problem, options, x, monitor);
}

}  // namespace trimatte
