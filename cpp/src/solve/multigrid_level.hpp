// One level of the multigrid and its cycle. Private to this folder.
//
// A level's nodes lie on a grid and have B numbers each (pixels: 1; cells: C). Its matrix A is scaled so that its
// diagonal blocks are the identity; P = (I - omega A) T carries C numbers per cell to the nodes, T holding the
// orthonormal near-null vectors of each cell. P itself is not stored.
#pragma once

#include <memory>

#include "../simd/kernels.hpp"
#include "sweep.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

constexpr int smoothing_steps = 3;
constexpr double smoothing_range = 20;  // the polynomial damps eigenvalues from lmax / 20 on

// Chebyshev polynomial for the eigenvalues [lmax / smoothing_range, lmax] (Saad, Iterative Methods, 2nd ed.,
// Alg. 12.1): step = keep[k] * last step + add[k] * residual.
struct Chebyshev {
    float keep[smoothing_steps];
    float add[smoothing_steps];

    explicit Chebyshev(double lmax) {
        const double low = lmax / smoothing_range;
        const double delta = (lmax - low) / 2;
        const double sigma = (lmax + low) / (lmax - low);
        double rho = 1 / sigma;
        keep[0] = 0;
        add[0] = static_cast<float>(2 / (lmax + low));
        for (int k = 1; k < smoothing_steps; ++k) {
            const double next = 1 / (2 * sigma - rho);
            keep[k] = static_cast<float>(next * rho);
            add[k] = static_cast<float>(2 * next / delta);
            rho = next;
        }
    }
};

// Solves or approximates A x = b.
class CoarseSolver {
public:
    virtual ~CoarseSolver() = default;
    virtual float* b() = 0;        // to be filled
    virtual const float* x() = 0;  // the answer
    virtual const Grid& grid() const = 0;
    virtual void cycle() = 0;
    virtual bool exact() const = 0;
    virtual std::size_t bytes() const = 0;
    virtual std::int64_t entries() const = 0;  // numbers in the matrices, of the levels below too
};

template <int B>
const simd::StencilKernels& kernels_for() {
    const simd::Kernels& all = simd::kernels();
    return B == 1 ? all.pixels : B == 4 ? all.cells4 : all.cells5;
}

// What a level is made of, before it has vectors: see multigrid_setup.hpp.
template <int B>
struct LevelMatrix {
    const Grid* grid;
    const float* A;
    double lmax;  // largest eigenvalue of A, from above

    std::int64_t n() const { return grid->slots(); }
    float omega() const { return static_cast<float>(4 / (3 * lmax)); }
};

// A level without its right-hand side: its cycle adds to x what a multigrid cycle makes of the residual r.
class LevelCycle {
public:
    virtual ~LevelCycle() = default;
    virtual float* r() = 0;
    virtual float* x() = 0;
    virtual float* d() = 0;
    virtual float first_step() const = 0;
    // x += M^-1 r, where `first` are the stages that fill r and begin the smoothing: d = first_step r, x += d. `last`
    // may look at the x of a row that is done.
    virtual void cycle(std::vector<RowStage> first, const RowStage& last) = 0;
    virtual std::size_t bytes() const = 0;
    virtual std::int64_t entries() const = 0;
};

// B numbers a node, C a cell.
template <int B, int C>
class Smoother : public LevelCycle {
public:
    Smoother(const LevelMatrix<B>& matrix, Buffer<float>&& T, std::unique_ptr<CoarseSolver> coarse,
             const Context& context)
        : matrix_(matrix),
          T_(std::move(T)),
          coarse_(std::move(coarse)),
          context_(context),
          chebyshev_(matrix.lmax),
          r_(zeros<float>(B * matrix.n(), context)),
          x_(zeros<float>(B * matrix.n(), context)),
          d_{zeros<float>(B * matrix.n(), context), zeros<float>(B * matrix.n(), context)} {}

    const Grid& grid() const { return *matrix_.grid; }
    float* r() override { return r_.data(); }
    float* x() override { return x_.data(); }
    float* d() override { return d_[0].data(); }
    float first_step() const override { return chebyshev_.add[0]; }

    void cycle(std::vector<RowStage> first, const RowStage& last) override {
        std::vector<RowStage> stages = std::move(first);
        float* damped = add_residual(stages, add_smoothing(stages, 0));
        sweep(grid(), stages, context_);
        // A W-cycle: below the pixels, the next level is visited twice, with smoothing before and after each time.
        const int visits = B == 1 || coarse_->exact() ? 1 : 2;
        for (int visit = 1; visit <= visits; ++visit) {
            restrict_to_cells(damped);
            coarse_->cycle();
            interpolate(d_[0].data());
            stages.clear();
            stages.emplace_back([this](std::int64_t y) {
                kernels().damp_add(A(), n(), begin(y), end(y), matrix_.omega(), d_[0].data(), d_[1].data(), x_.data());
            });
            int now = add_whole_smoothing(stages, 1);
            if (visit < visits) {
                damped = add_residual(stages, add_whole_smoothing(stages, now));
            } else if (last) {
                stages.push_back(last);
            }
            sweep(grid(), stages, context_);
        }
    }

    std::size_t bytes() const override {
        return T_.bytes() + r_.bytes() + x_.bytes() + d_[0].bytes() + d_[1].bytes() + coarse_->bytes();
    }

    std::int64_t entries() const override {
        return (B == 1 ? Stencil::offsets : 4 * B * B) * matrix_.n() + coarse_->entries();
    }

    // u = T e
    void interpolate(float* u) {
        const float* e = coarse_->x();
        const Grid& coarse = coarse_->grid();
        const std::int64_t k = grid().cell();
        for_cell_rows(grid(), context_, [&](std::int64_t cy) {
            std::vector<float> wide;
            for (const Strip* s = grid().strips_begin(cy); s != grid().strips_end(cy); ++s) {
                const std::int64_t size = s->padded();
                const std::int64_t from = coarse.slot(cy, s->x / k);
                wide.assign(static_cast<std::size_t>(C * size), 0.0f);
                for (int c = 0; c < C; ++c) {
                    const float* in = e + c * coarse.slots() + from;
                    float* out = wide.data() + c * size;
                    for (std::int64_t x = 0; x < s->width; x += k) {
                        std::fill(out + x, out + x + k, *in++);
                    }
                }
                for (int b = 0; b < B; ++b) {
                    for (std::int64_t y = 0; y < k; ++y) {
                        const std::int64_t at = s->slot + y * s->stride;
                        simd::kernels().expand(size, C, T_.data() + b * C * n() + at, n(), wide.data(),
                                               u + b * n() + at);
                    }
                }
            }
        });
    }

    // The coarse right-hand side: T^T r.
    void restrict_to_cells(const float* r) {
        float* out = coarse_->b();
        const Grid& coarse = coarse_->grid();
        const std::int64_t k = grid().cell();
        for_cell_rows(grid(), context_, [&](std::int64_t cy) {
            std::vector<float> sum;
            for (const Strip* s = grid().strips_begin(cy); s != grid().strips_end(cy); ++s) {
                const std::int64_t size = s->padded();
                const std::int64_t to = coarse.slot(cy, s->x / k);
                sum.assign(static_cast<std::size_t>(C * size), 0.0f);
                for (int b = 0; b < B; ++b) {
                    for (std::int64_t y = 0; y < k; ++y) {
                        const std::int64_t at = s->slot + y * s->stride;
                        simd::kernels().gather(size, C, T_.data() + b * C * n() + at, n(), r + b * n() + at,
                                               sum.data());
                    }
                }
                for (int c = 0; c < C; ++c) {
                    const float* from = sum.data() + c * size;
                    float* cell = out + c * coarse.slots() + to;
                    for (std::int64_t x = 0; x < s->width; x += k) {
                        float total = 0;
                        for (std::int64_t i = x; i < x + k; ++i) {
                            total += from[i];
                        }
                        *cell++ = total;
                    }
                }
            }
        });
    }

    const simd::StencilKernels& kernels() const { return kernels_for<B>(); }
    const float* A() const { return matrix_.A; }
    std::int64_t n() const { return matrix_.n(); }
    const Piece* begin(std::int64_t y) const { return grid().pieces_begin(y); }
    const Piece* end(std::int64_t y) const { return grid().pieces_end(y); }

private:
    // The steps of the polynomial after the first, whose step is in d_[now]; returns where the last step is.
    int add_smoothing(std::vector<RowStage>& stages, int now) {
        for (int k = 1; k < smoothing_steps; ++k) {
            stages.emplace_back([this, k, now](std::int64_t y) {
                kernels().smooth(A(), n(), begin(y), end(y), chebyshev_.keep[k], chebyshev_.add[k], d_[now].data(),
                                 r_.data(), d_[1 - now].data(), x_.data());
            });
            now = 1 - now;
        }
        return now;
    }

    // The same with the first step, after a step in d_[now] that r has not lost yet.
    int add_whole_smoothing(std::vector<RowStage>& stages, int now) {
        stages.emplace_back([this, now](std::int64_t y) {
            kernels().smooth(A(), n(), begin(y), end(y), 0, chebyshev_.add[0], d_[now].data(), r_.data(),
                             d_[1 - now].data(), x_.data());
        });
        return add_smoothing(stages, 1 - now);
    }

    // Then r loses the last step's part, and (I - omega A) r is formed, which T^T takes to the cells; returns it.
    float* add_residual(std::vector<RowStage>& stages, int now) {
        stages.emplace_back(
            [this, now](std::int64_t y) { kernels().subtract(A(), n(), begin(y), end(y), d_[now].data(), r_.data()); });
        float* damped = d_[1 - now].data();
        stages.emplace_back([this, damped](std::int64_t y) {
            kernels().damp(A(), n(), begin(y), end(y), matrix_.omega(), r_.data(), damped);
        });
        return damped;
    }

    LevelMatrix<B> matrix_;
    Buffer<float> T_;
    std::unique_ptr<CoarseSolver> coarse_;
    Context context_;
    Chebyshev chebyshev_;
    Buffer<float> r_, x_;
    Buffer<float> d_[2];
};

}  // namespace trimatte
