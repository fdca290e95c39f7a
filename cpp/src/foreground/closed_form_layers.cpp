// Closed-form foreground and background (foreground/layer_system.hpp has the equations).
//
// The three channels are three right-hand sides with one matrix. Conjugate gradients solve them one
// after another, starting from the multi-level estimate. The preconditioner smooths by block
// Gauss-Seidel on the checkerboard, corrects on the coarse space of foreground/layer_aggregates.hpp
// by the multigrid for graphs, and smooths in the reverse order, so that it is symmetric.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/random.hpp"
#include "foreground/finish_layers.hpp"
#include "foreground/layer_aggregates.hpp"
#include "solve/conjugate_gradient.hpp"
#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/promise.hpp"
#include "solve/sparse_iterate.hpp"

namespace trimatte {
namespace {

double squared(double value) { return value * value; }

// The correction on the coarse space.
class CoarseCorrection {
public:
    explicit CoarseCorrection(const LayerSystem& system)
        : system_(system),
          aggregates_(make_aggregates(system)),
          scaled_(aggregates_.matrix, system.context),
          rhs_(aggregates_.size()),
          correction_(aggregates_.size()) {
        aggregates_.matrix.value = {};
        aggregates_.matrix.column = {};
        Buffer<float> constant(aggregates_.size());
        for (std::int64_t i = 0; i < constant.size(); ++i) {
            constant[i] = static_cast<float>(1 / scaled_.scale[i]);
        }
        multigrid_ = make_graph_multigrid(scaled_.A, constant, 1, system.context);
    }

    // Adds the correction for the residual r - A x to x.
    void add(const LayerVector& r, LayerVector& x) {
        const std::int64_t width = system_.width;
        system_.for_bands([&](std::int64_t begin, std::int64_t end) {
            LayerRow row(system_);
            std::vector<float> product(static_cast<std::size_t>(2 * width));
            float *A_F = product.data(), *A_B = A_F + width;
            const auto k = static_cast<std::size_t>(begin / layer_band);
            std::fill(rhs_.data() + aggregates_.first[k], rhs_.data() + aggregates_.first[k + 1], 0.0);
            for (std::int64_t y = begin; y < end; ++y) {
                row.find(y);
                row.product(x, A_F, A_B);
                for (std::int64_t i = 0; i < width; ++i) {
                    const std::int64_t p = y * width + i;
                    const float a = system_.alpha[p];
                    rhs_[aggregates_.of_pixel[p]] += (1 - a) * (r.F[p] - A_F[i]) - a * (r.B[p] - A_B[i]);
                }
            }
            for (std::int64_t i = aggregates_.first[k]; i < aggregates_.first[k + 1]; ++i) {
                rhs_[i] *= scaled_.scale[i];
            }
        });
        multigrid_->apply(rhs_.data(), correction_.data());
        system_.for_bands([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin * width; p < end * width; ++p) {
                const std::int32_t i = aggregates_.of_pixel[p];
                const auto v = static_cast<float>(correction_[i] * scaled_.scale[i]);
                const float a = system_.alpha[p];
                x.F[p] += (1 - a) * v;
                x.B[p] -= a * v;
            }
        });
    }

    std::size_t bytes() const {
        return aggregates_.of_pixel.bytes() + aggregates_.matrix.row_start.bytes() + scaled_.A.bytes() +
               scaled_.scale.bytes() + rhs_.bytes() + correction_.bytes() + multigrid_->bytes();
    }
    double operator_complexity() const { return multigrid_->operator_complexity(); }

private:
    const LayerSystem& system_;
    LayerAggregates aggregates_;
    ScaledMatrix scaled_;
    Buffer<double> rhs_, correction_;
    std::unique_ptr<Preconditioner> multigrid_;
};

// The vectors of one channel at a time. Start and solution are in the layers of the caller, so the
// pointers of set_start() and get() are not used. The system is not scaled.
class LayersIterate : public Iterate {
public:
    LayersIterate(const ImageView& image, const LayerSystem& system, float* foreground, float* background)
        : image_(image), system_(system), foreground_(foreground), background_(background), coarse_(system) {
        for (LayerVector* vector : {&x_, &r_, &z_, &p_, &q_, &w_}) {
            *vector = LayerVector(system.pixels(), system.context);
        }
    }

    void set_channel(int channel) { channel_ = channel; }

    void set_start(const double*, double share) override {
        const auto add = static_cast<float>(share);
        for_pixels([&](std::int64_t p) {
            const std::int64_t at = p * image_.channels + channel_;
            x_.F[p] = foreground_[at] + (share > 0 ? add * z_.F[p] : 0.0f);
            x_.B[p] = background_[at] + (share > 0 ? add * z_.B[p] : 0.0f);
        });
    }

    void clear() override {
        for_pixels([&](std::int64_t p) { x_.F[p] = x_.B[p] = 0; });
    }

    Norms settle() override {
        const Measures sums = for_rows([&](LayerRow& row, std::int64_t y, Rows& rows, Measures& m) {
            const std::int64_t width = system_.width;
            load_row(image_, y, width, rows.image.data());
            row.find(y);
            row.product(x_, q_.F + y * width, q_.B + y * width);
            const float* I = rows.image.data() + channel_ * width;
            for (std::int64_t i = 0; i < width; ++i) {
                const std::int64_t p = y * width + i;
                const float a = system_.alpha[p];
                const float b = 1 - a;
                r_.F[p] = a * I[i] - q_.F[p];
                r_.B[p] = b * I[i] - q_.B[p];
                m.r2 += squared(r_.F[p]) + squared(r_.B[p]);
                m.zr += squared(a * I[i]) + squared(b * I[i]);
            }
        });
        return {sums.r2, sums.zr, sums.zr};
    }

    void set_noise() override {
        for_rows([&](LayerRow&, std::int64_t y, Rows&, Measures&) {
            constexpr std::int64_t block = 4;
            for (std::int64_t x = 0; x < system_.width; ++x) {
                const std::int64_t p = y * system_.width + x;
                x_.F[p] = x_.B[p] = 0;
                r_.F[p] = noise(0, y / block, x / block) + 0.25f * noise(2, y, x);
                r_.B[p] = noise(1, y / block, x / block) + 0.25f * noise(3, y, x);
            }
        });
    }

    double residual2() const override {
        return for_rows([&](LayerRow&, std::int64_t y, Rows&, Measures& m) {
                   for (std::int64_t p = y * system_.width; p < (y + 1) * system_.width; ++p) {
                       m.r2 += squared(r_.F[p]) + squared(r_.B[p]);
                   }
               })
            .r2;
    }

    Measures precondition(double alpha, double beta) override {
        const auto step = static_cast<float>(alpha), keep = static_cast<float>(beta);
        for_vectors([&](float* x, float* r, float* z, float* p, float* q, float* w, std::int64_t begin,
                        std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                p[i] = z[i] + keep * p[i];
                q[i] = w[i] + keep * q[i];
                x[i] += step * p[i];
                r[i] -= step * q[i];
            }
        });
        relax(system_, r_, 0, true, z_);
        coarse_.add(r_, z_);
        relax(system_, r_, 1, false, z_);
        return for_rows([&](LayerRow& row, std::int64_t y, Rows&, Measures& m) {
            const std::int64_t first = y * system_.width;
            row.find(y);
            row.product(z_, w_.F + first, w_.B + first);
            for (auto [z, r, q, w] : {Four{z_.F, r_.F, q_.F, w_.F}, Four{z_.B, r_.B, q_.B, w_.B}}) {
                float largest = 0;
                for (std::int64_t p = first; p < first + system_.width; ++p) {
                    const double z_p = z[p];
                    m.zr += z_p * r[p];
                    m.zq += z_p * q[p];
                    m.zw += z_p * w[p];
                    m.r2 += squared(r[p]);
                    largest = std::max(largest, std::abs(z[p]));
                }
                m.largest = std::max(m.largest, static_cast<double>(largest));
            }
        });
    }

    void finish(double alpha, double beta) override {
        const auto step = static_cast<float>(alpha), keep = static_cast<float>(beta);
        for_vectors([&](float* x, float*, float* z, float* p, float*, float*, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                p[i] = z[i] + keep * p[i];
                x[i] += step * p[i];
            }
        });
    }

    void get(double*) const override {
        for_pixels([&](std::int64_t p) {
            const std::int64_t at = p * image_.channels + channel_;
            foreground_[at] = x_.F[p];
            background_[at] = x_.B[p];
        });
    }

    std::size_t bytes() const override { return 6 * x_.bytes() + coarse_.bytes(); }
    double operator_complexity() const override { return coarse_.operator_complexity(); }

private:
    struct Four {
        const float *z, *r, *q, *w;
    };
    struct Rows {
        std::vector<float> image;
    };

    static float noise(std::uint64_t stream, std::int64_t y, std::int64_t x) {
        return Random(stream, static_cast<std::uint64_t>(y), static_cast<std::uint64_t>(x)).uniform() - 0.5f;
    }

    template <typename Body>
    void for_pixels(const Body& body) const {
        parallel_ranges(system_.pixels(), system_.context.threads, system_.context.monitor,
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t p = begin; p < end; ++p) {
                                body(p);
                            }
                        });
    }

    // Runs body(x, r, z, p, q, w, begin, end) on ranges of both layers.
    template <typename Body>
    void for_vectors(const Body& body) {
        parallel_ranges(system_.pixels(), system_.context.threads, system_.context.monitor,
                        [&](std::int64_t begin, std::int64_t end) {
                            body(x_.F, r_.F, z_.F, p_.F, q_.F, w_.F, begin, end);
                            body(x_.B, r_.B, z_.B, p_.B, q_.B, w_.B, begin, end);
                        });
    }

    // Runs body(row, y, rows, measures) for all rows and adds up the measures of the bands in order.
    template <typename Body>
    Measures for_rows(const Body& body) const {
        std::vector<Measures> parts(static_cast<std::size_t>((system_.height + layer_band - 1) / layer_band));
        system_.for_bands([&](std::int64_t begin, std::int64_t end) {
            LayerRow row(system_);
            Rows rows{std::vector<float>(static_cast<std::size_t>(image_.channels * image_.width))};
            Measures m{};
            for (std::int64_t y = begin; y < end; ++y) {
                body(row, y, rows, m);
            }
            parts[static_cast<std::size_t>(begin / layer_band)] = m;
        });
        Measures all{};
        for (const Measures& m : parts) {
            all.zr += m.zr;
            all.zq += m.zq;
            all.zw += m.zw;
            all.r2 += m.r2;
            all.largest = std::max(all.largest, m.largest);
        }
        return all;
    }

    const ImageView& image_;
    const LayerSystem& system_;
    float *foreground_, *background_;
    int channel_ = 0;
    CoarseCorrection coarse_;
    LayerVector x_, r_, z_, p_, q_, w_;
};

// Whether one of the layers is nowhere visible: nothing says what colour it has.
bool is_solid(const LayerSystem& system) {
    const auto is = [&](float value) {
        return std::all_of(system.alpha, system.alpha + system.pixels(), [value](float a) { return a == value; });
    };
    return is(0) || is(1);
}

LayersInfo solve_channels(const ImageView& image, const LayerSystem& system, const ClosedFormLayersOptions& options,
                          float* foreground, float* background) {
    Monitor& monitor = system.context.monitor;
    monitor.phase("hierarchy");
    LayersIterate iterate(image, system, foreground, background);
    monitor.phase("cg");
    constexpr Caution caution{4};
    SolveOptions solve;
    solve.tolerance = options.tolerance;
    solve.max_iterations = options.iterations;
    LayersInfo info{true, 0, 0, iterate.bytes()};
    Noise noise{};
    for (int c = 0; c < image.channels; ++c) {
        iterate.set_channel(c);
        // Noise in which all modes have shown serves all channels, since they have one matrix.
        if (c > 0 && noise.is_gone) {
            noise.largest = 0;
        } else {
            noise = solve_noise(iterate, 2 * system.pixels());
        }
        const SolveInfo of_channel = conjugate_gradient(iterate, noise, caution, solve, nullptr, monitor);
        info.converged = info.converged && of_channel.converged;
        info.iterations = std::max(info.iterations, of_channel.iterations);
        info.error_estimate = std::max(info.error_estimate, of_channel.error_estimate);
    }
    return info;
}

}  // namespace

LayersInfo closed_form_layers(const ImageView& image, const float* alpha, const ClosedFormLayersOptions& options,
                              float* foreground, float* background, Monitor& monitor) {
    MultilevelOptions start;
    static_cast<LayerOptions&>(start) = options;
    start.exact_composite = false;
    start.regularization = options.regularization;
    start.gradient_weight = options.gradient_weight;
    multilevel(image, alpha, start, foreground, background, monitor);
    const LayerSystem system{alpha,
                             image.height,
                             image.width,
                             options.regularization,
                             options.gradient_weight,
                             {options.threads, monitor}};
    LayersInfo info{true, 0, 0, 0};
    if (!is_solid(system) && system.pixels() > 1) {
        info = solve_channels(image, system, options, foreground, background);
    }
    monitor.phase("finish");
    finish_layers(image, alpha, options, foreground, background, monitor);
    monitor.finish();
    return info;
}

}  // namespace trimatte
