// One level of the multigrid and its cycle. This header is private to this folder.
//
// The nodes of a level lie on a grid and have B numbers each: B is 1 for pixels and `columns` for
// cells. A vector has B planes of grid.slots() numbers. The matrix A of a level is scaled so that
// its diagonal blocks (B x B) are identities; kernels_multigrid.inl describes its layout.
#pragma once

#include <memory>

#include "solve/multigrid/prolongation.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

// The Chebyshev polynomial for the eigenvalues [lmax / range, lmax] (Saad, Iterative Methods, 2nd
// ed., Algorithm 12.1). Step k is keep[k] times the step before plus add[k] times the residual.
template <int Steps>
struct Chebyshev {
    float keep[Steps];
    float add[Steps];

    Chebyshev(double lmax, double range) {
        const double low = lmax / range;
        const double delta = (lmax - low) / 2;
        const double sigma = (lmax + low) / (lmax - low);
        double rho = 1 / sigma;
        keep[0] = 0;
        add[0] = static_cast<float>(2 / (lmax + low));
        for (int k = 1; k < Steps; ++k) {
            const double next = 1 / (2 * sigma - rho);
            keep[k] = static_cast<float>(next * rho);
            add[k] = static_cast<float>(2 * next / delta);
            rho = next;
        }
    }
};

// Solves A x = b on the next coarser level, exactly or approximately.
class CoarseSolver {
public:
    virtual ~CoarseSolver() = default;
    virtual float* b() = 0;        // the right-hand side, which the caller fills
    virtual const float* x() = 0;  // the solution after cycle()
    virtual const Grid& grid() const = 0;
    virtual void cycle() = 0;
    virtual bool exact() const = 0;
    virtual std::size_t bytes() const = 0;
    // Numbers in the matrices of this level and of all below it.
    virtual std::int64_t entries() const = 0;
};

// Number of planes in which the kernels for matrices of B numbers per node carry sums from one row
// to the next.
template <int B>
constexpr std::int64_t carry_planes = B == 1 ? 0 : 12;

// The matrix of a level, before the level has vectors; make_smoother in hierarchy.cpp fills it.
template <int B>
struct LevelMatrix {
    const Grid* grid;
    const float* A;
    double lmax;          // upper estimate of the largest eigenvalue of A
    const float* blocks;  // A while the levels are made; for cells in the layout of in_one_piece

    std::int64_t n() const { return grid->slots(); }
};

// A level without its right-hand side. Its cycle sets x to the result of one multigrid cycle for
// the residual r.
template <int B>
class Smoother {
public:
    Smoother(const LevelMatrix<B>& matrix, Prolongation<B>&& P, std::unique_ptr<CoarseSolver> coarse,
             const Context& context)
        : matrix_(matrix),
          P_(std::move(P)),
          coarse_(std::move(coarse)),
          context_(context),
          chebyshev_(matrix.lmax, smoothing_range),
          r_(zeros<float>(B * matrix.n(), context)),
          x_(zeros<float>(B * matrix.n(), context)),
          d_{zeros<float>(B * matrix.n(), context), zeros<float>(smoothing_steps == 1 ? 0 : B * matrix.n(), context)},
          carry_(zeros<float>(carry_planes<B> * matrix.n(), context)),
          e_(zeros<float>(columns * (P_.cells.count() + 1), context)) {}

    float* r() { return r_.data(); }
    float* x() { return x_.data(); }
    // x itself if the first step is the only one
    float* d() { return smoothing_steps == 1 ? x() : d_[0].data(); }
    float first_step() const { return chebyshev_.add[0]; }

    // Sets x = M^-1 r. `first` holds the stages that fill r and take the first smoothing step: d =
    // first_step r, x = d. `last` is called for each row as soon as its x is final. b: a copy of
    // the initial r, which only levels of cells need.
    void cycle(std::vector<RowStage> first, const RowStage& last, const float* b = nullptr) {
        std::vector<RowStage> stages = std::move(first);
        const int now = add_smoothing(stages);
        add_residual(stages, smoothing_steps == 1 ? d() : d_[now].data());
        sweep(grid(), stages, context_);
        // Levels of cells run a W-cycle: smoothing, coarser level and smoothing, all of it twice.
        // If the coarser level is solved exactly, once is enough.
        if (B > 1 && !coarse_->exact()) {
            correct();
            stages.clear();
            add_residual(stages, d_[add_whole_smoothing(stages, false)].data());
            add_restart(stages, b);
            add_residual(stages, d_[add_smoothing(stages)].data());
            sweep(grid(), stages, context_);
        }
        correct();
        stages.clear();
        add_whole_smoothing(stages, true);
        if (last) {
            stages.push_back(last);
        }
        sweep(grid(), stages, context_);
    }

    std::size_t bytes() const {
        return P_.bytes() + r_.bytes() + x_.bytes() + d_[0].bytes() + d_[1].bytes() + carry_.bytes() + e_.bytes() +
               coarse_->bytes();
    }

    std::int64_t entries() const { return (B == 1 ? Stencil::offsets : 4 * B * B) * matrix_.n() + coarse_->entries(); }

private:
    // The smoothed prolongation P reduces most of the error on pixels, so one smoothing step is
    // enough there.
    static constexpr int smoothing_steps = B == 1 ? 1 : 3;
    static constexpr double smoothing_range = B == 1 ? 8 : 20;
    static constexpr float rounds[2] = {1.11f, 2.48f};  // the weights w of add_restart

    const Grid& grid() const { return *matrix_.grid; }
    const simd::StencilKernels& kernels() const { return kernels_for<B>(); }
    const float* A() const { return matrix_.A; }
    std::int64_t n() const { return matrix_.n(); }
    const Piece* begin(std::int64_t y) const { return grid().pieces_begin(y); }
    const Piece* end(std::int64_t y) const { return grid().pieces_end(y); }

    // Sets d_[0] = P c, where c is the coarse solution for P^T r. Afterwards x and r do not include
    // this correction yet; the first step of add_whole_smoothing adds it.
    void correct() {
        const std::int64_t coarse_slots = coarse_->grid().slots();
        P_.restrict_to_cells(grid(), r_.data(), coarse_->b(), coarse_slots, context_);
        coarse_->cycle();
        const float* x = coarse_->x();
        for_cell_rows(grid(), context_, [&](std::int64_t cy) {
            for (std::int32_t i = P_.cells.begin(cy); i < P_.cells.end(cy); ++i) {
                for (int c = 0; c < columns; ++c) {
                    e_[i * std::int64_t{columns} + c] = x[c * coarse_slots + P_.cells[i].coarse];
                }
            }
        });
        P_.interpolate(grid(), e_.data(), d_[0].data(), context_);
    }

    // Adds step k of the polynomial, which follows a step in d_[now]. Returns the index of the new
    // step in d_. again: the part of the step in d_[now] that x still lacks. last: neither r nor
    // the new step are needed afterwards.
    int add_step(std::vector<RowStage>& stages, int k, int now, float again, bool last) {
        float* next = last ? nullptr : d_[1 - now].data();
        stages.emplace_back([this, k, now, again, next](std::int64_t y, bool follows) {
            kernels().smooth(A(), n(), begin(y), end(y), carry_.data(), follows, chebyshev_.keep[k], chebyshev_.add[k],
                             again, d_[now].data(), r_.data(), next, x_.data());
        });
        return 1 - now;
    }

    // Adds the steps of the polynomial after the first, which is in d_[0]. Returns the index of the
    // last step in d_.
    int add_smoothing(std::vector<RowStage>& stages) {
        int now = 0;
        for (int k = 1; k < smoothing_steps; ++k) {
            now = add_step(stages, k, now, 0, false);
        }
        return now;
    }

    // Adds all steps of the polynomial after a correction in d_[0] that neither x nor r include
    // yet.
    int add_whole_smoothing(std::vector<RowStage>& stages, bool last) {
        int now = 0;
        for (int k = 0; k < smoothing_steps; ++k) {
            now = add_step(stages, k, now, k == 0 ? 1.0f : 0.0f, last && k == smoothing_steps - 1);
        }
        return now;
    }

    // Starts the second of two rounds x += w M^-1 (b - A x). The weights w are those of the
    // Chebyshev polynomial for eigenvalues of M^-1 A in [0.3, 1]. M^-1 is linear, so the weight is
    // applied to r. The stage also takes the first smoothing step, into d_[0].
    void add_restart(std::vector<RowStage>& stages, const float* b) {
        stages.emplace_back([this, b](std::int64_t y, bool) {
            constexpr float w1 = rounds[0];
            constexpr float w2 = rounds[1];
            for_strips(grid(), y, [&](const Strip& s, std::int64_t slot) {
                for (int u = 0; u < B; ++u) {
                    const std::int64_t at = u * n() + slot;
                    simd::kernels().restart(s.padded(), w2 * (1 - w1), w2 * w1, w1, chebyshev_.add[0], b + at,
                                            r_.data() + at, d_[0].data() + at, x_.data() + at);
                }
            });
        });
    }

    // Adds a stage that subtracts A times the last step from r.
    void add_residual(std::vector<RowStage>& stages, const float* step) {
        stages.emplace_back([this, step](std::int64_t y, bool follows) {
            kernels().subtract(A(), n(), begin(y), end(y), carry_.data(), follows, step, r_.data());
        });
    }

    LevelMatrix<B> matrix_;
    Prolongation<B> P_;
    std::unique_ptr<CoarseSolver> coarse_;
    Context context_;
    Chebyshev<smoothing_steps> chebyshev_;
    Buffer<float> r_, x_;
    Buffer<float> d_[2];
    // Shared by the stages of a sweep: one has read a row of it before the next writes that row.
    Buffer<float> carry_;
    Buffer<float> e_;  // the coarse solution, `columns` numbers per cell
};

}  // namespace trimatte
