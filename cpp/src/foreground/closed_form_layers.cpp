// Closed-form foreground and background (foreground/layer_system.hpp has the equations).
//
// The three channels are three right-hand sides with one matrix. Conjugate gradients solve them one
// after another, starting from the multi-level estimate. The preconditioner smooths by block
// Gauss-Seidel on the checkerboard, corrects on the coarse space of foreground/layer_coarse.hpp
// by the multigrid for graphs, and smooths in the reverse order, so that it is symmetric.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/random.hpp"
#include "foreground/finish_layers.hpp"
#include "foreground/layer_coarse.hpp"
#include "foreground/layer_fill.hpp"
#include "solve/conjugate_gradient.hpp"
#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/promise.hpp"
#include "solve/scaled_matrix.hpp"

namespace trimatte {
namespace {

double squared(double value) { return value * value; }

// The correction on the coarse space.
class CoarseCorrection {
public:
    explicit CoarseCorrection(const LayerSystem& system)
        : system_(system),
          matrix_(coarse_matrix(system)),
          scaled_(matrix_, system.context),
          rhs_(matrix_.rows),
          correction_(matrix_.rows) {
        Buffer<float> constant(matrix_.rows);
        for (std::int64_t i = 0; i < constant.size(); ++i) {
            constant[i] = static_cast<float>(1 / scaled_.scale[i]);
        }
        multigrid_ = make_graph_multigrid(scaled_, constant, 1, system.context);
    }

    // Adds the correction for the residual r - A x to x. The cells of Ax are overwritten.
    void add(const LayerVector& r, LayerVector& x, LayerVector& Ax) {
        product_of_cells(system_, x, Ax);
        system_.for_bands([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                system_.for_layer_runs(y, [&](const simd::LayerRun& run, std::int64_t p) {
                    simd::kernels().restrict_layers(run, x.F + p, x.B + p, r.F + p, r.B + p,
                                                    rhs_.data() + system_.number[p]);
                });
            }
        });
        for_cells([&](std::int64_t k, std::int64_t i, float sign) { rhs_[i] = sign * (r.cells[k] - Ax.cells[k]); });
        multigrid_->apply(rhs_.data(), correction_.data());
        system_.for_all_runs([&](std::int64_t begin, std::int64_t end) {
            std::int64_t i = system_.number[begin];
            for (std::int64_t p = begin; p < end; ++p, ++i) {
                const auto v = static_cast<float>(correction_[i]);
                const float a = system_.alpha[p];
                x.F[p] += (1 - a) * v;
                x.B[p] -= a * v;
            }
        });
        for_cells([&](std::int64_t k, std::int64_t i, float sign) {
            x.cells[k] += sign * static_cast<float>(correction_[i]);
        });
        spread(system_, x);
    }

    std::size_t bytes() const {
        return matrix_.bytes() + scaled_.scale.bytes() + rhs_.bytes() + correction_.bytes() + multigrid_->bytes();
    }
    double operator_complexity() const { return multigrid_->operator_complexity(); }

private:
    // Runs body(cell, its row, P) for all cells.
    template <typename Body>
    void for_cells(const Body& body) const {
        const LayerCells& cells = system_.cells;
        const std::int64_t first = matrix_.rows - cells.size();
        parallel_ranges(cells.size(), system_.context.threads, system_.context.monitor,
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t k = begin; k < end; ++k) {
                                body(k, first + k, cells.is_opaque[static_cast<std::size_t>(k)] != 0 ? -1.0f : 1.0f);
                            }
                        });
    }

    const LayerSystem& system_;
    Csr matrix_;
    ScaledMatrix scaled_;
    Buffer<double> rhs_, correction_;
    std::unique_ptr<Preconditioner> multigrid_;
};

// The vectors of one channel at a time. Start and solution are in the layers of the caller, so the
// pointers of set_start() and get() are not used. The system is not scaled. The largest change of a colour is measured
// as it is seen: that of F times alpha, that of B times 1 - alpha.
class LayersIterate : public Iterate {
public:
    LayersIterate(const ImageView& image, const LayerSystem& system, float* foreground, float* background)
        : image_(image), system_(system), foreground_(foreground), background_(background), coarse_(system) {
        for (LayerVector* vector : {&x_, &r_, &z_, &p_, &q_, &w_}) {
            *vector = LayerVector(system);
        }
    }

    void set_channel(int channel) { channel_ = channel; }

    void set_start(const double*, double share) override {
        const auto add = static_cast<float>(share);
        const int channels = image_.channels;
        parallel_ranges(system_.pixels(), system_.context.threads, system_.context.monitor,
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t p = begin; p < end; ++p) {
                                const float more = share > 0 && system_.is_unknown(p) ? add : 0.0f;
                                x_.F[p] = foreground_[p * channels + channel_] + more * z_.F[p];
                                x_.B[p] = background_[p * channels + channel_] + more * z_.B[p];
                            }
                        });
        for_cells([&](std::int64_t k) {
            const LayerCells& cells = system_.cells;
            const float* layer = cells.is_opaque[static_cast<std::size_t>(k)] != 0 ? background_ : foreground_;
            const float start = layer[cells.pixel[static_cast<std::size_t>(k)] * channels + channel_];
            x_.cells[k] = start + (share > 0 ? add * z_.cells[k] : 0.0f);
        });
    }

    void clear() override {
        system_.for_all_runs([&](std::int64_t begin, std::int64_t end) {
            std::fill(x_.F + begin, x_.F + end, 0.0f);
            std::fill(x_.B + begin, x_.B + end, 0.0f);
        });
        for_cells([&](std::int64_t k) { x_.cells[k] = 0; });
    }

    Norms settle() override {
        const std::int64_t width = system_.width;
        spread(system_, x_);
        product_of_cells(system_, x_, q_);
        for_cells([&](std::int64_t k) { r_.cells[k] = -q_.cells[k]; });
        const Measures sums = for_rows([&](std::int64_t y, std::vector<float>& colours, Measures& m) {
            load_row(image_, y, width, colours.data());
            product(system_, y, x_, q_);
            const float* I = colours.data() + channel_ * width - y * width;
            system_.for_runs(y, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t p = begin; p < end; ++p) {
                    const float a = system_.alpha[p];
                    const float b = 1 - a;
                    r_.F[p] = a * I[p] - q_.F[p];
                    r_.B[p] = b * I[p] - q_.B[p];
                    m.r2 += squared(r_.F[p]) + squared(r_.B[p]);
                }
            });
        });
        // A picture that is black stays black. Any other right-hand side counts as one of size 1.
        return {sums.r2, 1, 1};
    }

    void set_noise() override {
        constexpr std::int64_t block = 4;
        for_rows([&](std::int64_t y, std::vector<float>&, Measures&) {
            system_.for_runs(y, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t p = begin; p < end; ++p) {
                    const std::int64_t x = p - y * system_.width;
                    const auto noise = [&](std::int64_t layer) {
                        return of(layer, y / block, x / block) + 0.25f * of(layer + 2, y, x);
                    };
                    x_.F[p] = x_.B[p] = 0;
                    r_.F[p] = noise(0);
                    r_.B[p] = noise(1);
                }
            });
        });
        for_cells([&](std::int64_t k) {
            x_.cells[k] = 0;
            r_.cells[k] = of(4, k, 0);
        });
    }

    double residual2() const override {
        return for_rows([&](std::int64_t y, std::vector<float>&, Measures& m) {
                   system_.for_runs(y, [&](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t p = begin; p < end; ++p) {
                           m.r2 += squared(r_.F[p]) + squared(r_.B[p]);
                       }
                   });
               })
            .r2;
    }

    Measures precondition(double alpha, double beta) override {
        const auto step = static_cast<float>(alpha), keep = static_cast<float>(beta);
        const auto advance = [&](std::int64_t y) {
            system_.for_runs(y, [&](std::int64_t begin, std::int64_t end) {
                simd::kernels().advance_layer(end - begin, step, keep, z_.F + begin, w_.F + begin, p_.F + begin,
                                              q_.F + begin, x_.F + begin, r_.F + begin);
                simd::kernels().advance_layer(end - begin, step, keep, z_.B + begin, w_.B + begin, p_.B + begin,
                                              q_.B + begin, x_.B + begin, r_.B + begin);
            });
        };
        simd::kernels().advance_layer(x_.cells.size(), step, keep, z_.cells.data(), w_.cells.data(), p_.cells.data(),
                                      q_.cells.data(), x_.cells.data(), r_.cells.data());
        for_cells([&](std::int64_t k) { z_.cells[k] = 0; });
        spread(system_, z_);
        relax(system_, r_, 0, true, z_, advance);
        coarse_.add(r_, z_, w_);
        relax(system_, r_, 1, false, z_);
        product_of_cells(system_, z_, w_);
        Measures all = for_rows([&](std::int64_t y, std::vector<float>&, Measures& m) {
            product(system_, y, z_, w_);
            double sums[4] = {0, 0, 0, m.largest};
            system_.for_runs(y, [&](std::int64_t p, std::int64_t end) {
                const float* a = system_.alpha + p;
                simd::kernels().measure_layer(end - p, z_.F + p, r_.F + p, q_.F + p, w_.F + p, a, true, sums);
                simd::kernels().measure_layer(end - p, z_.B + p, r_.B + p, q_.B + p, w_.B + p, a, false, sums);
            });
            m.zr += sums[0];
            m.zq += sums[1];
            m.zw += sums[2];
            m.largest = sums[3];
        });
        for (std::int64_t k = 0; k < z_.cells.size(); ++k) {  // nobody sees them: they are not in `largest`
            const double z = z_.cells[k];
            all.zr += z * r_.cells[k];
            all.zq += z * q_.cells[k];
            all.zw += z * w_.cells[k];
        }
        return all;
    }

    void finish(double alpha, double beta) override {
        const auto step = static_cast<float>(alpha), keep = static_cast<float>(beta);
        const auto add = [&](std::int64_t count, const float* z, float* p, float* x) {
            for (std::int64_t i = 0; i < count; ++i) {
                p[i] = z[i] + keep * p[i];
                x[i] += step * p[i];
            }
        };
        add(x_.cells.size(), z_.cells.data(), p_.cells.data(), x_.cells.data());
        system_.for_all_runs([&](std::int64_t begin, std::int64_t end) {
            add(end - begin, z_.F + begin, p_.F + begin, x_.F + begin);
            add(end - begin, z_.B + begin, p_.B + begin, x_.B + begin);
        });
    }

    void get(double*) const override {
        system_.for_all_runs([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin; p < end; ++p) {
                const std::int64_t at = p * image_.channels + channel_;
                foreground_[at] = x_.F[p];
                background_[at] = x_.B[p];
            }
        });
    }

    std::size_t bytes() const override { return 6 * x_.bytes() + system_.rows.bytes() + coarse_.bytes(); }
    double operator_complexity() const override { return coarse_.operator_complexity(); }

private:
    // Returns a number of the noise in [-0.5, 0.5).
    static float of(std::int64_t stream, std::int64_t y, std::int64_t x) {
        return Random(static_cast<std::uint64_t>(stream), static_cast<std::uint64_t>(y), static_cast<std::uint64_t>(x))
                   .uniform() -
               0.5f;
    }

    template <typename Body>
    void for_cells(const Body& body) const {
        parallel_ranges(system_.cells.size(), system_.context.threads, system_.context.monitor,
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t k = begin; k < end; ++k) {
                                body(k);
                            }
                        });
    }

    // Runs body(y, colours, measures) for all rows and adds up the measures of the bands in
    // order. `colours` has room for a row of the image.
    template <typename Body>
    Measures for_rows(const Body& body) const {
        std::vector<Measures> parts(static_cast<std::size_t>((system_.height + layer_band - 1) / layer_band));
        system_.for_bands([&](std::int64_t begin, std::int64_t end) {
            std::vector<float> colours(static_cast<std::size_t>(image_.channels * image_.width));
            Measures m{};
            for (std::int64_t y = begin; y < end; ++y) {
                body(y, colours, m);
            }
            parts[static_cast<std::size_t>(begin / layer_band)] = m;
        });
        Measures all{};
        for (const Measures& m : parts) {
            all.add(m);
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

// Whether alpha is the same everywhere. Then the system does not say how the image is shared out
// between the layers.
bool is_constant(const LayerSystem& system) {
    return std::all_of(system.alpha, system.alpha + system.pixels(), [&](float a) { return a == system.alpha[0]; });
}

// Gives deep pixels the image's colour in the layer that is seen.
void set_deep(const ImageView& image, const LayerSystem& system, float* foreground, float* background) {
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        std::vector<float> colours(static_cast<std::size_t>(image.channels * image.width));
        for (std::int64_t y = begin; y < end; ++y) {
            load_row(image, y, image.width, colours.data());
            for (std::int64_t x = 0; x < image.width; ++x) {
                const std::int64_t p = y * image.width + x;
                if (system.alpha[p] > 0 && system.alpha[p] < 1) {
                    continue;
                }
                float* layer = (system.alpha[p] == 1 ? foreground : background) + p * image.channels;
                for (std::int64_t c = 0; c < image.channels; ++c) {
                    layer[c] = colours[static_cast<std::size_t>(c * image.width + x)];
                }
            }
        }
    });
}

LayersInfo solve_channels(const ImageView& image, const LayerSystem& system, const ClosedFormLayersOptions& options,
                          float* foreground, float* background) {
    Monitor& monitor = system.context.monitor;
    monitor.phase("hierarchy");
    LayersIterate iterate(image, system, foreground, background);
    constexpr Caution caution{4};
    SolveOptions solve;
    solve.tolerance = options.tolerance;
    solve.max_iterations = options.iterations;
    LayersInfo info{true, 0, 0, iterate.bytes()};
    Noise noise{};
    for (int c = 0; c < image.channels; ++c) {
        monitor.phase("cg");
        iterate.set_channel(c);
        // Noise in which all modes have shown serves all channels, since they have one matrix.
        if (c > 0 && noise.is_gone) {
            noise.largest = 0;
        } else {
            noise = solve_noise(iterate, 2 * system.unknowns());
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
    const LayerSystem system(alpha, image.height, image.width, options.regularization, options.gradient_weight,
                             {options.threads, monitor});
    LayersInfo info{true, 0, 0, 0};
    if (!is_constant(system)) {
        set_deep(image, system, foreground, background);
        info = solve_channels(image, system, options, foreground, background);
        monitor.phase("fill");
        fill_deep(system, image.channels, foreground, background);
    }
    monitor.phase("finish");
    finish_layers(image, alpha, options, foreground, background, monitor);
    monitor.finish();
    return info;
}

}  // namespace trimatte
