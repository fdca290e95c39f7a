// Conjugate gradients with a colour-aware multigrid preconditioner: smoothed aggregation (Vanek, Mandel, Brezina,
// Computing 56, 1996) on cells of the pixel grid, with the near-null space [1, R, G, B] of the matting Laplacian.
//
// The system is scaled to unit diagonal. Finest level: pixels. Cells of 6 x 6 pixels, then of 3 x 3 cells, carry four
// numbers each: the cell's own 1, R, G, B, made orthonormal. Smoothing is a Chebyshev polynomial, so that nothing
// depends on an order of the nodes. The levels are in float32, conjugate gradients in float64 (letters as in Saad,
// Iterative Methods for Sparse Linear Systems, 2nd ed., Algorithm 9.1, but for beta, which is Polak and Ribiere's: it
// forgives a preconditioner that is not exactly symmetric).
#include <cmath>
#include <limits>

#include "multigrid_setup.hpp"
#include "ritz.hpp"
#include "trimatte/solve.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {
namespace {

constexpr int columns = 4;  // of the near-null space
using PixelSmoother = Smoother<1, columns>;

template <class Body>
void for_row(const Grid& grid, std::int64_t y, const Body& body) {
    for (const Strip* s = grid.strips_begin(y / grid.cell()); s != grid.strips_end(y / grid.cell()); ++s) {
        body(s->slot + y % grid.cell() * s->stride, PixelSmoother::padded(*s));
    }
}

// [1, R, G, B] / scale, colours less 0.5.
Buffer<float> near_null(const Stencil& stencil, const Context& context) {
    const std::int64_t n = stencil.grid.slots();
    Buffer<float> N = zeros<float>(columns * n, context);
    for_rows(stencil.grid, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            for_row(stencil.grid, y, [&](std::int64_t at, std::int64_t size) {
                for (std::int64_t i = at; i < at + size; ++i) {
                    const double inverse = stencil.scale[i] > 0 ? 1 / stencil.scale[i] : 0.0;
                    N[i] = static_cast<float>(inverse);
                    for (int c = 0; c < stencil.channels; ++c) {
                        const double colour = static_cast<double>(stencil.colours[c * n + i]) - 0.5;
                        N[(c + 1) * n + i] = static_cast<float>(colour * inverse);
                    }
                }
            });
        }
    });
    return N;
}

// One solve: the vectors of conjugate gradients and the passes over them.
class Iteration {
public:
    Iteration(const Stencil& stencil, const Context& context)
        : stencil_(stencil),
          context_(context),
          smoother_(make_smoother<1, columns>(stencil.grid, stencil.hi.data(), near_null(stencil, context), context)),
          x_(zeros<double>(n(), context)),
          r_(zeros<double>(n(), context)),
          p_(zeros<double>(n(), context)),
          q_(zeros<double>(n(), context)),
          part_(static_cast<std::size_t>(grid().height())) {}

    double* x() { return x_.data(); }
    const Grid& grid() const { return stencil_.grid; }

    struct Norms {
        double r2, b2;  // of the system before it was scaled
    };
    // r = b - A x
    Norms set_residual() {
        std::vector<Norms> norms(part_.size());
        multiply(x_.data());
        for_rows(grid(), context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                Norms& sums = norms[static_cast<std::size_t>(y)];
                for_row(grid(), y, [&](std::int64_t at, std::int64_t size) {
                    for (std::int64_t i = at; i < at + size; ++i) {
                        r_[i] = stencil_.rhs[i] - q_[i];
                        const double unscale = stencil_.scale[i] > 0 ? 1 / stencil_.scale[i] : 0.0;
                        sums.r2 += r_[i] * unscale * (r_[i] * unscale);
                        sums.b2 += stencil_.rhs[i] * unscale * (stencil_.rhs[i] * unscale);
                    }
                });
            }
        });
        Norms all{};
        for (const Norms& row : norms) {
            all.r2 += row.r2;
            all.b2 += row.b2;
        }
        return all;
    }

    struct Measures {
        double zr, zq;
        double largest;  // max |scale z|
    };
    // x += alpha p; r -= alpha q; z = M^-1 r.
    Measures precondition(double alpha) {
        measures_.assign(static_cast<std::size_t>(grid().height()), {});
        const RowStage first = [this, alpha](std::int64_t y) {
            double sum = 0;
            for_row(grid(), y, [&](std::int64_t i, std::int64_t size) {
                sum += simd::kernels().advance(size, alpha, p_.data() + i, q_.data() + i, x_.data() + i, r_.data() + i,
                                               smoother_->first_step(), smoother_->r() + i, smoother_->d() + i,
                                               smoother_->x() + i);
            });
            part_[static_cast<std::size_t>(y)] = sum;
        };
        const RowStage last = [this](std::int64_t y) {
            double sums[3] = {};
            for_row(grid(), y, [&](std::int64_t i, std::int64_t size) {
                simd::kernels().measure(size, smoother_->x() + i, r_.data() + i, q_.data() + i,
                                        stencil_.scale.data() + i, sums);
            });
            measures_[static_cast<std::size_t>(y)] = {sums[0], sums[1], sums[2]};
        };
        smoother_->cycle({first}, last);
        Measures all{};
        for (const Measures& m : measures_) {
            all.zr += m.zr;
            all.zq += m.zq;
            all.largest = std::max(all.largest, m.largest);
        }
        return all;
    }

    // p = z + beta p; q = A p; returns p . q.
    double set_direction(double beta) {
        sweep(grid(),
              {[this, beta](std::int64_t y) {
                   for_row(grid(), y, [&](std::int64_t i, std::int64_t size) {
                       simd::kernels().turn(size, beta, smoother_->x() + i, p_.data() + i);
                   });
               },
               [this](std::int64_t y) {
                   part_[static_cast<std::size_t>(y)] =
                       simd::kernels().wide_product(stencil_.hi.data(), stencil_.lo.data(), n(), grid().pieces_begin(y),
                                                    grid().pieces_end(y), p_.data(), q_.data());
               }},
              grid().reach(), context_);
        return sum_parts();
    }

    std::size_t bytes() const { return smoother_->bytes() + x_.bytes() + r_.bytes() + p_.bytes() + q_.bytes(); }

private:
    std::int64_t n() const { return grid().slots(); }

    void multiply(const double* v) {
        for_rows(grid(), context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                simd::kernels().wide_product(stencil_.hi.data(), stencil_.lo.data(), n(), grid().pieces_begin(y),
                                             grid().pieces_end(y), v, q_.data());
            }
        });
    }

    double sum_parts() const {
        double sum = 0;
        for (const double p : part_) {
            sum += p;
        }
        return sum;
    }

    const Stencil& stencil_;
    Context context_;
    std::unique_ptr<PixelSmoother> smoother_;
    Buffer<double> x_, r_, p_, q_;
    std::vector<double> part_;  // of a sum, for each row
    std::vector<Measures> measures_;
};

// body(i, slot) for every unknown i.
template <class Body>
void for_unknowns(const Problem& problem, const Stencil& stencil, const Context& context, const Body& body) {
    const Grid& grid = stencil.grid;
    for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t i =
            std::lower_bound(problem.pixel.begin(), problem.pixel.end(), begin * problem.width) - problem.pixel.begin();
        for (std::int64_t y = begin; y < end; ++y) {
            for (const Strip* s = grid.strips_begin(y / grid.cell()); s != grid.strips_end(y / grid.cell()); ++s) {
                const std::int64_t first = s->slot + y % grid.cell() * s->stride;
                for (std::int64_t at = first; at < first + s->width; ++at) {
                    if (stencil.scale[at] > 0) {
                        body(i++, at);
                    }
                }
            }
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
    for_unknowns(problem, stencil, context,
                 [&](std::int64_t i, std::int64_t at) { iteration.x()[at] = x[i] / stencil.scale[at]; });
    const double goal = 0.3 * options.tolerance;
    SmallestRitzValue ritz;
    const auto first = iteration.set_residual();
    if (first.b2 == 0) {  // nothing unknown meets any foreground
        std::fill_n(iteration.x(), stencil.grid.slots(), 0.0);
    }
    double estimate = first.r2 == 0 || first.b2 == 0 ? 0 : std::numeric_limits<double>::infinity();
    double first_estimate = 0;
    double alpha = 0, rz = 0;
    std::int64_t k = 0;
    bool healthy = true;
    while (estimate > goal) {
        const auto [zr, zq, largest] = iteration.precondition(alpha);
        // Polak-Ribiere: z . (r - r_old) / rz_old, where r - r_old = -alpha q.
        const double beta = k == 0 ? 0 : -alpha * zq / rz;
        rz = zr;
        if (k > 0) {
            ritz.add(alpha, beta);
            estimate = largest / ritz.value();
            first_estimate = first_estimate == 0 ? estimate : first_estimate;
            if (estimate <= goal) {
                break;
            }
        }
        if (k == options.max_iterations) {
            break;
        }
        if (!(rz > 0)) {
            healthy = rz == 0 && k > 0;
            break;
        }
        const double pq = iteration.set_direction(beta);
        if (!(pq > 0) || !std::isfinite(rz / pq)) {
            healthy = false;
            break;
        }
        alpha = rz / pq;
        ++k;
        const double done = std::log(estimate / first_estimate) / std::log(goal / first_estimate);
        monitor.set_fraction(std::isfinite(done) ? std::clamp(done, 0.0, 1.0) : 0.0);
        monitor.poll();
    }
    const auto [r2, b2] = iteration.set_residual();
    for_unknowns(problem, stencil, context,
                 [&](std::int64_t i, std::int64_t at) { x[i] = iteration.x()[at] * stencil.scale[at]; });
    monitor.finish();
    return {Solver::multigrid,
            healthy && estimate <= goal,
            k,
            r2 == 0 ? 0 : std::sqrt(r2 / b2),
            estimate,
            (converted ? converted->bytes() : 0) + iteration.bytes()};
}

}  // namespace

SolveInfo multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    SolveInfo info{};
    with_team(options.threads, monitor, [&] { info = solve_here(problem, options, x, monitor); });
    return info;
}

}  // namespace trimatte
