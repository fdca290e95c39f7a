// Closed-form foreground and background (foreground/layer_system.hpp has the equations).
//
// The three channels are three right-hand sides with one matrix. Conjugate gradients solve them side
// by side, starting from the multi-level estimate, so that the matrix and the levels of the
// preconditioner are read once for all. The preconditioner smooths by block Gauss-Seidel on the
// checkerboard, corrects on the coarse space of foreground/layer_coarse.hpp by the multigrid for
// graphs, and smooths in the reverse order, so that it is symmetric.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/each.hpp"
#include "base/pixel_numbers.hpp"
#include "base/random.hpp"
#include "foreground/finish_layers.hpp"
#include "foreground/layer_coarse.hpp"
#include "foreground/layer_fill.hpp"
#include "solve/conjugate_gradient.hpp"
#include "solve/promise.hpp"

namespace trimatte {
namespace {

using Run = LayerSystem::Run;

double squared(double value) { return value * value; }

class Channel;

// The channels, which are preconditioned together.
class Channels {
public:
    Channels(const ImageView& image, const LayerSystem& system, float* foreground, float* background);

    const LayerSystem& system() const { return system_; }
    std::vector<Iterate*> iterates() const;
    // Does what Iterate::precondition() says for the channels of the steps.
    void precondition(std::vector<Step>& steps);
    // The result of the steps on noise.
    const LayerVector& noise() const;

    std::size_t bytes() const;
    double operator_complexity() const { return coarse_.operator_complexity(); }

private:
    void load_colours(const ImageView& image);

    const LayerSystem& system_;
    CoarseCorrection coarse_;
    std::vector<std::unique_ptr<Channel>> channels_;
};

// The vectors of one channel. Start and solution are in the layers of the caller, so the pointers of
// set_start() and get() are not used. The system is not scaled. The largest change of a colour is
// measured as it is seen: that of F times alpha, that of B times 1 - alpha.
class Channel : public Iterate {
public:
    // Numbers of a layer are `stride` apart.
    Channel(Channels& all, std::size_t number, float* foreground, float* background, std::int64_t stride)
        : colours(all.system().unknowns()),
          all_(all),
          system_(all.system()),
          number_(number),
          foreground_(foreground),
          background_(background),
          stride_(stride) {
        for (LayerVector* vector : {&x, &r, &z, &p, &q, &w}) {
            *vector = LayerVector(system_);
        }
    }

    void set_start(const double*, double share) override {
        const auto add = static_cast<float>(share);
        const LayerVector& noise = all_.noise();
        system_.for_all_runs([&](const Run& run) {
            for (std::int64_t i = 0; i < run.end - run.begin; ++i) {
                const std::int64_t to = run.in_vector + i, from = (run.begin + i) * stride_;
                x.F[to] = foreground_[from] + (share > 0 ? add * noise.F[to] : 0.0f);
                x.B[to] = background_[from] + (share > 0 ? add * noise.B[to] : 0.0f);
            }
        });
        const LayerCells& cells = system_.cells;
        for_cells([&](std::int64_t k) {
            const float* layer = cells.invisible(k, foreground_, background_);
            const float start = layer[cells.pixel[static_cast<std::size_t>(k)] * stride_];
            x.cells[k] = start + (share > 0 ? add * noise.cells[k] : 0.0f);
        });
        // Deep pixels beside unknown ones hold the image, as in the start, in the layer that is seen.
        each(static_cast<std::int64_t>(cells.edges.size()), system_.context, [&](std::int64_t e) {
            const LayerCells::Edge& edge = cells.edges[static_cast<std::size_t>(e)];
            const float* layer = cells.visible(edge.cell, foreground_, background_);
            cells.visible(edge.cell, x.F, x.B)[edge.place] = layer[edge.pixel * stride_];
        });
    }

    void clear() override {
        system_.for_all_runs([&](const Run& run) {
            std::fill_n(x.F + run.in_vector, run.end - run.begin, 0.0f);
            std::fill_n(x.B + run.in_vector, run.end - run.begin, 0.0f);
        });
        for_cells([&](std::int64_t k) { x.cells[k] = 0; });
    }

    Norms settle() override {
        spread(system_, {&x});
        product_of_cells(system_, {&x}, {&q});
        for_cells([&](std::int64_t k) { r.cells[k] = -q.cells[k]; });
        const double r2 = sum_of_rows([&](std::int64_t y) {
            double sum = 0;
            product(system_, y, {&x}, {&q});
            system_.for_runs(y, [&](const Run& run) {
                const float* I = colours.data() + system_.number[run.begin];
                for (std::int64_t i = 0; i < run.end - run.begin; ++i) {
                    const std::int64_t at = run.in_vector + i;
                    const float a = system_.alpha[run.begin + i];
                    r.F[at] = a * I[i] - q.F[at];
                    r.B[at] = (1 - a) * I[i] - q.B[at];
                    sum += squared(r.F[at]) + squared(r.B[at]);
                }
            });
            return sum;
        });
        // Any right-hand side counts as one of size 1.
        return {r2, 1, 1};
    }

    void set_noise() override {
        constexpr std::int64_t block = 4;
        system_.for_all_runs([&](const Run& run) {
            for (std::int64_t i = 0; i < run.end - run.begin; ++i) {
                const std::int64_t y = run.begin / system_.width, column = run.begin + i - y * system_.width;
                const auto noise = [&](std::int64_t layer) {
                    return of(layer, y / block, column / block) + 0.25f * of(layer + 2, y, column);
                };
                const std::int64_t at = run.in_vector + i;
                x.F[at] = x.B[at] = 0;
                r.F[at] = noise(0);
                r.B[at] = noise(1);
            }
        });
        for_cells([&](std::int64_t k) {
            x.cells[k] = 0;
            r.cells[k] = of(4, k, 0);
        });
    }

    double residual2() const override {
        return sum_of_rows([&](std::int64_t y) {
            double sum = 0;
            system_.for_runs(y, [&](const Run& run) {
                for (std::int64_t at = run.in_vector; at < run.in_vector + run.end - run.begin; ++at) {
                    sum += squared(r.F[at]) + squared(r.B[at]);
                }
            });
            return sum;
        });
    }

    Measures precondition(double alpha, double beta) override {
        std::vector<Step> step{{number_, alpha, beta, {}}};
        all_.precondition(step);
        return step[0].measures;
    }

    // Takes the step that `precondition` begins with, in a run of pixels and in the cells.
    void advance(const Run& run, const Step& step) { advance(run.in_vector, run.end - run.begin, step); }
    void advance_cells(const Step& step) {
        simd::kernels().advance_layer(x.cells.size(), static_cast<float>(step.alpha), static_cast<float>(step.beta),
                                      z.cells.data(), w.cells.data(), p.cells.data(), q.cells.data(), x.cells.data(),
                                      r.cells.data());
    }

    // Adds the measures of a row, and returns those of the cells. Nobody sees the cells, so that they
    // are not in `largest`.
    void measure(std::int64_t y, Measures& all) const {
        double sums[4] = {all.zr, all.zq, all.zw, all.largest};
        system_.for_runs(y, [&](const Run& run) {
            const std::int64_t at = run.in_vector, count = run.end - run.begin;
            const float* a = system_.alpha + run.begin;
            simd::kernels().measure_layer(count, z.F + at, r.F + at, q.F + at, w.F + at, a, true, sums);
            simd::kernels().measure_layer(count, z.B + at, r.B + at, q.B + at, w.B + at, a, false, sums);
        });
        all = {sums[0], sums[1], sums[2], sums[3]};
    }
    Measures measures_of_cells() const {
        Measures all{};
        for (std::int64_t k = 0; k < z.cells.size(); ++k) {
            const double here = z.cells[k];
            all.zr += here * r.cells[k];
            all.zq += here * q.cells[k];
            all.zw += here * w.cells[k];
        }
        return all;
    }

    void finish(double alpha, double beta) override {
        const auto step = static_cast<float>(alpha), keep = static_cast<float>(beta);
        const auto add = [&](std::int64_t count, const float* from, float* direction, float* to) {
            for (std::int64_t i = 0; i < count; ++i) {
                direction[i] = from[i] + keep * direction[i];
                to[i] += step * direction[i];
            }
        };
        add(x.cells.size(), z.cells.data(), p.cells.data(), x.cells.data());
        system_.for_all_runs([&](const Run& run) {
            const std::int64_t at = run.in_vector, count = run.end - run.begin;
            add(count, z.F + at, p.F + at, x.F + at);
            add(count, z.B + at, p.B + at, x.B + at);
        });
    }

    void get(double*) const override {
        system_.for_all_runs([&](const Run& run) {
            for (std::int64_t i = 0; i < run.end - run.begin; ++i) {
                foreground_[(run.begin + i) * stride_] = x.F[run.in_vector + i];
                background_[(run.begin + i) * stride_] = x.B[run.in_vector + i];
            }
        });
    }

    std::size_t bytes() const override { return all_.bytes(); }
    std::size_t own_bytes() const { return 6 * x.bytes() + colours.bytes(); }
    double operator_complexity() const override { return all_.operator_complexity(); }

    LayerVector x, r, z, p, q, w;
    Buffer<float> colours;  // the image, a number for each unknown pixel

private:
    // Returns a number of the noise in [-0.5, 0.5).
    static float of(std::int64_t stream, std::int64_t y, std::int64_t column) {
        return Random(static_cast<std::uint64_t>(stream), static_cast<std::uint64_t>(y),
                      static_cast<std::uint64_t>(column))
                   .uniform() -
               0.5f;
    }

    void advance(std::int64_t at, std::int64_t count, const Step& s) {
        const auto step = static_cast<float>(s.alpha), keep = static_cast<float>(s.beta);
        simd::kernels().advance_layer(count, step, keep, z.F + at, w.F + at, p.F + at, q.F + at, x.F + at, r.F + at);
        simd::kernels().advance_layer(count, step, keep, z.B + at, w.B + at, p.B + at, q.B + at, x.B + at, r.B + at);
    }

    template <typename Body>
    void for_cells(const Body& body) const {
        each(system_.cells.size(), system_.context, body);
    }

    // Returns the sum of body(y) over all rows, added band by band.
    template <typename Body>
    double sum_of_rows(const Body& body) const {
        std::vector<double> parts(static_cast<std::size_t>((system_.height + layer_band - 1) / layer_band));
        system_.for_bands([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                parts[static_cast<std::size_t>(begin / layer_band)] += body(y);
            }
        });
        double sum = 0;
        for (const double part : parts) {
            sum += part;
        }
        return sum;
    }

    Channels& all_;
    const LayerSystem& system_;
    std::size_t number_;
    float *foreground_, *background_;
    std::int64_t stride_;
};

Channels::Channels(const ImageView& image, const LayerSystem& system, float* foreground, float* background)
    : system_(system), coarse_(system, image.channels) {
    for (int c = 0; c < image.channels; ++c) {
        channels_.push_back(std::make_unique<Channel>(*this, static_cast<std::size_t>(c), foreground + c,
                                                      background + c, image.channels));
    }
    load_colours(image);
}

void Channels::load_colours(const ImageView& image) {
    const std::int64_t width = image.width;
    system_.for_bands([&](std::int64_t begin, std::int64_t end) {
        std::vector<float> row(static_cast<std::size_t>(image.channels * width));
        for (std::int64_t y = begin; y < end; ++y) {
            if (system_.first_run[static_cast<std::size_t>(y)] == system_.first_run[static_cast<std::size_t>(y + 1)]) {
                continue;
            }
            load_row(image, y, width, row.data());
            system_.for_runs(y, [&](const Run& run) {
                for (std::size_t c = 0; c < channels_.size(); ++c) {
                    const float* from = row.data() + static_cast<std::int64_t>(c) * width - y * width;
                    std::copy(from + run.begin, from + run.end,
                              channels_[c]->colours.data() + system_.number[run.begin]);
                }
            });
        }
    });
}

std::vector<Iterate*> Channels::iterates() const {
    std::vector<Iterate*> all;
    for (const auto& channel : channels_) {
        all.push_back(channel.get());
    }
    return all;
}

const LayerVector& Channels::noise() const { return channels_[0]->z; }

std::size_t Channels::bytes() const {
    return channels_.size() * channels_[0]->own_bytes() + system_.rows.bytes() + coarse_.bytes();
}

void Channels::precondition(std::vector<Step>& steps) {
    LayerVectors r, z, w;
    for (const Step& step : steps) {
        Channel& channel = *channels_[step.number];
        r.push_back(&channel.r);
        z.push_back(&channel.z);
        w.push_back(&channel.w);
        channel.advance_cells(step);
        std::fill(channel.z.cells.begin(), channel.z.cells.end(), 0.0f);
    }
    spread(system_, z);
    const auto advance = [&](std::int64_t y) {
        system_.for_runs(y, [&](const Run& run) {
            for (const Step& step : steps) {
                channels_[step.number]->advance(run, step);
            }
        });
    };
    relax(system_, r, 0, true, z, advance, [&](std::int64_t y) { coarse_.take_row(y, r, z); });
    coarse_.add(r, z, w);
    // The measures of each band and step.
    std::vector<Iterate::Measures> parts(steps.size() *
                                         static_cast<std::size_t>((system_.height + layer_band - 1) / layer_band));
    relax(system_, r, 1, false, z, {}, [&](std::int64_t y) {
        product(system_, y, z, w);
        for (std::size_t k = 0; k < steps.size(); ++k) {
            const std::size_t part = static_cast<std::size_t>(y / layer_band) * steps.size() + k;
            channels_[steps[k].number]->measure(y, parts[part]);
        }
    });
    product_of_cells(system_, z, w);
    for (std::size_t k = 0; k < steps.size(); ++k) {
        steps[k].measures = channels_[steps[k].number]->measures_of_cells();
        for (std::size_t part = k; part < parts.size(); part += steps.size()) {
            steps[k].measures.add(parts[part]);
        }
    }
}

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
    Channels channels(image, system, foreground, background);
    constexpr Caution caution{4};
    SolveOptions solve;
    solve.tolerance = options.tolerance;
    solve.max_iterations = options.iterations;
    monitor.phase("cg");
    const std::vector<Iterate*> iterates = channels.iterates();
    const Noise noise = solve_noise(*iterates[0], 2 * system.unknowns());
    LayersInfo info{true, 0, 0, channels.bytes()};
    for (const SolveInfo& of_channel : conjugate_gradients(
             iterates, [&](std::vector<Step>& steps) { channels.precondition(steps); }, noise, caution, solve,
             monitor)) {
        info.converged = info.converged && of_channel.converged;
        info.iterations = std::max(info.iterations, of_channel.iterations);
        info.error_estimate = std::max(info.error_estimate, of_channel.error_estimate);
    }
    return info;
}

}  // namespace

LayersInfo closed_form_layers(const ImageView& image, const float* alpha, const ClosedFormLayersOptions& options,
                              float* foreground, float* background, Monitor& monitor) {
    numbered_pixels(image);  // an unknown or a cell stands for one pixel at least, so that these have numbers too
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
