// Conjugate gradients with a colour-aware multigrid preconditioner: aggregation on cells of the
// pixel grid, with the near-null space [1, R, G, B] of the matting Laplacian. The prolongation is
// blended over the borders of the cells and smoothed by energy minimisation (prolongation.hpp).
//
// The system is scaled to unit diagonal. The nodes of the finest level are the pixels. Cells of 4 x
// 4 pixels, then of 3 x 3 cells, carry four numbers each, the coefficients of their own 1, R, G and
// B, made orthonormal. The smoother is a Chebyshev polynomial, so that no result depends on an
// order of the nodes. The levels are in float32, conjugate gradients in float64.
#include "solve/multigrid/multigrid.hpp"

#include <numeric>

#include "base/random.hpp"
#include "solve/conjugate_gradient.hpp"
#include "solve/multigrid/drawing.hpp"
#include "solve/multigrid/hierarchy.hpp"
#include "solve/multigrid/islands.hpp"
#include "trimatte/solve.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {
namespace {

// Calls body(y, x, slot) for every slot of the strips, in parallel over rows.
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

// Returns the near-null vectors [1, R, G, B] / scale, with 0.5 subtracted from the colours.
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

// Calls body(i, slot) for every unknown i, whose place in the picture is pixel[i].
template <class Body>
void for_unknowns(const Buffer<std::int32_t>& pixel, const Stencil& stencil, const Context& context, const Body& body) {
    const Grid& grid = stencil.grid;
    for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t i = std::lower_bound(pixel.begin(), pixel.end(), begin * grid.width()) - pixel.begin();
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

// The vectors of one solve, indexed by slot, and the loops over them.
class StencilIterate : public Iterate {
public:
    StencilIterate(const Problem& problem, const Stencil& stencil, const Context& context)
        : problem_(problem),
          stencil_(stencil),
          context_(context),
          islands_(Islands::find(stencil, context)),
          smoother_(make_smoother<1>(stencil.grid, stencil.hi.data(), near_null(stencil, context), context)),
          x_(zeros<double>(n(), context)),
          r_(zeros<double>(n(), context)),
          p_(zeros<double>(n(), context)),
          q_(zeros<double>(n(), context)),
          w_(zeros<double>(n(), context)),
          measures_(static_cast<std::size_t>(grid().height())) {}

    void set_start(const double* start, double share) override {
        const float* z = smoother_->x();
        for_unknowns(problem_.pixel, stencil_, context_, [&](std::int64_t i, std::int64_t at) {
            x_[at] = start[i] / stencil_.scale[at] + (share > 0 ? share * z[at] : 0.0);
        });
    }

    void clear() override { std::fill(x_.begin(), x_.end(), 0.0); }

    void get(double* x) const override {
        for_unknowns(problem_.pixel, stencil_, context_,
                     [&](std::int64_t i, std::int64_t at) { x[i] = x_[at] * stencil_.scale[at]; });
    }

    // Sets r = b - A x.
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
        all.wanted2 = all.b2;
        return all;
    }

    // Sets r = b - A x, after removing the error of x on islands, which has the same value on all
    // pixels of an island.
    Norms settle() override {
        const Norms norms = set_residual(stencil_.rhs.data());
        if (!islands_) {
            return norms;
        }
        islands_->correct(r_.data(), 1, x_.data());
        return set_residual(stencil_.rhs.data());
    }

    double residual2() const override {
        std::vector<double> sums(measures_.size(), 0.0);
        for_slots(grid(), context_, [&](std::int64_t y, std::int64_t, std::int64_t i) {
            sums[static_cast<std::size_t>(y)] += r_[i] * r_[i];
        });
        return std::accumulate(sums.begin(), sums.end(), 0.0);
    }

    // The noise is constant on blocks of 4 x 4 pixels. Modes that change their sign within a block
    // are met by noise of a quarter of that size on single pixels. The error on islands is removed
    // beforehand.
    void set_noise() override {
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

    Measures precondition(double alpha, double beta) override {
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
            all.add(m);
        }
        return all;
    }

    void finish(double alpha, double beta) override {
        for_rows(grid(), context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                advance(y, alpha, beta);
            }
        });
    }

    std::size_t bytes() const override {
        return smoother_->bytes() + x_.bytes() + r_.bytes() + p_.bytes() + q_.bytes() + w_.bytes() +
               (islands_ ? islands_->bytes() : 0);
    }

    double operator_complexity() const override {
        return static_cast<double>(smoother_->entries()) / static_cast<double>(Stencil::offsets * n());
    }

private:
    const Grid& grid() const { return stencil_.grid; }
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

    const Problem& problem_;
    const Stencil& stencil_;
    Context context_;
    std::unique_ptr<Islands> islands_;
    std::unique_ptr<Smoother<1>> smoother_;
    Buffer<double> x_, r_, p_, q_, w_;
    std::vector<Measures> measures_;  // the sums of each row
};

// One cycle, for residuals that come from outside. The errors on islands are corrected beside the
// cycle, so that the sum is symmetric.
class StencilPreconditioner : public Preconditioner {
public:
    StencilPreconditioner(const Problem& problem, const Context& context)
        : context_(context),
          stencil_(make_stencil(problem)),
          pixel_(problem.unknowns()),
          islands_(Islands::find(stencil_, context)),
          smoother_(make_smoother<1>(stencil_.grid, stencil_.hi.data(), near_null(stencil_, context), context)),
          r_(zeros<double>(stencil_.grid.slots(), context)) {
        std::copy(problem.pixel.begin(), problem.pixel.end(), pixel_.begin());
        // Only a solve would need these.
        stencil_.lo = {};
        stencil_.colours = {};
        stencil_.rhs = {};
    }

    void apply(const double* r, double* z) override {
        for_unknowns(pixel_, stencil_, context_, [&](std::int64_t i, std::int64_t at) {
            r_[at] = r[i] * stencil_.scale[at];
            smoother_->r()[at] = static_cast<float>(r_[at]);
        });
        const RowStage first = [this](std::int64_t y, bool) {
            for_strips(stencil_.grid, y, [&](const Strip& s, std::int64_t at) {
                simd::kernels().start(s.padded(), smoother_->first_step(), smoother_->r() + at, smoother_->d() + at,
                                      smoother_->x() + at);
            });
        };
        smoother_->cycle({first}, nullptr);
        if (islands_) {
            islands_->correct(r_.data(), 1, smoother_->x());
        }
        for_unknowns(pixel_, stencil_, context_,
                     [&](std::int64_t i, std::int64_t at) { z[i] = smoother_->x()[at] * stencil_.scale[at]; });
    }

    std::size_t bytes() const override {
        return stencil_.bytes() + pixel_.bytes() + r_.bytes() + smoother_->bytes() + (islands_ ? islands_->bytes() : 0);
    }

    double operator_complexity() const override {
        return static_cast<double>(smoother_->entries()) /
               static_cast<double>(Stencil::offsets * stencil_.grid.slots());
    }

private:
    Context context_;
    Stencil stencil_;
    Buffer<std::int32_t> pixel_;
    std::unique_ptr<Islands> islands_;
    std::unique_ptr<Smoother<1>> smoother_;
    Buffer<double> r_;
};

SolveInfo solve_stencil(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("hierarchy");
    const std::optional<Stencil> converted =
        problem.stencil ? std::nullopt : std::optional<Stencil>(make_stencil(problem));
    const Stencil& stencil = problem.stencil ? *problem.stencil : *converted;
    const Context context{options.threads, monitor};
    StencilIterate iterate(problem, stencil, context);
    monitor.phase("cg");
    Caution caution = caution_of(problem);
    caution.is_hard = is_drawing(stencil, context);
    SolveInfo info = conjugate_gradient(iterate, problem.unknowns(), caution, options, x, monitor);
    info.solver = Solver::multigrid;
    info.peak_bytes += converted ? converted->bytes() : 0;
    return info;
}

}  // namespace

SolveInfo multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    SolveOptions own = options;
    own.relative_residual = 0;  // the iterate does not measure it
    return solve_stencil(problem, own, x, monitor);
}

std::unique_ptr<Preconditioner> make_multigrid(const Problem& problem, const Context& context) {
    return std::make_unique<StencilPreconditioner>(problem, context);
}

}  // namespace trimatte
