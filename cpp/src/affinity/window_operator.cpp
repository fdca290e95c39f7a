// The closed-form Laplacian of windows of any radius, never formed: He, Sun, Tang, "Fast Matting
// Using Large Kernel Matting Laplacian Matrices", CVPR 2010.
//
// In a window w of n pixels with mean colour m and covariance S, let
//     a_w = (S + epsilon / n Id)^-1 cov_w(I, p),   b_w = mean_w(p) - a_w . m
// which is the line through the colours that fits p best. Then
//     (L p)_i = sum over the windows w that hold i of (p_i - a_w . I_i - b_w)
// The sums over windows and over the windows of a pixel are box filters. The paper's Eq. 12 and 13
// name a_w and b_w alike.
#include "affinity/window_operator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "affinity/box_filter.hpp"
#include "affinity/window_cells.hpp"
#include "affinity/window_layout.hpp"

namespace trimatte {
namespace {

// The least diagonal entry, as a part of the number of windows. Box filters round the diagonal by
// up to 1e-8 of that number.
constexpr double least_diagonal = 1e-6;

// Work is handed to threads in tasks of about this number of places.
constexpr std::int64_t places_per_task = 8192;

// Calls body(tile, filter) for all tiles, in parallel.
template <class Part, class Body>
void for_all(const Tiles& tiles, std::int64_t side, const Context& context, const Body& body) {
    std::vector<std::size_t> start{0};
    for (std::size_t t = 0, places = 0; t < tiles.tiles.size(); ++t) {
        const Tile& tile = tiles.tiles[t];
        places += static_cast<std::size_t>(tile.columns * tile.rows);
        if (places >= places_per_task || t + 1 == tiles.tiles.size()) {
            start.push_back(t + 1);
            places = 0;
        }
    }
    const auto count = static_cast<std::int64_t>(start.size()) - 1;
    parallel_for(count, context.threads, context.monitor, [&](std::int64_t task) {
        BoxFilter<Part> filter(side, tiles.widest);
        for (std::size_t t = start[static_cast<std::size_t>(task)]; t < start[static_cast<std::size_t>(task) + 1];
             ++t) {
            body(tiles.tiles[t], filter);
        }
    });
}

template <int C>
class WindowOperator : public Operator {
public:
    WindowOperator(const Wanted& wanted, double epsilon, int radius, const Context& context)
        : image_(wanted.image),
          layout_(wanted, radius, context),
          windows_(layout_, epsilon, image_, context),
          colour_(C * layout_.rows()),
          count_(layout_.rows()),
          coefficient_(K * layout_.windows().places) {
        load_colours(context);
        count_windows(context);
    }

    std::int64_t rows() const override { return layout_.rows(); }

    void multiply(const double* x, double* y, const Context& context) const override {
        fit(context, [&](std::int64_t v, std::int64_t begin, std::int64_t end, double* planes, std::int64_t stride) {
            layout_.for_runs(v, begin, end, [&](const WantedRun& run) {
                double* __restrict to = planes + run.x_begin - begin;
                const std::int64_t size = run.x_end - run.x_begin;
                const double* __restrict p = x + run.first;
                std::copy_n(p, size, to);
                for (int c = 0; c < C; ++c) {
                    const double* __restrict colour = colour_.data() + c * rows() + run.first;
                    double* __restrict product = to + (c + 1) * stride;
                    for (std::int64_t i = 0; i < size; ++i) {
                        product[i] = colour[i] * p[i];
                    }
                }
            });
        });
        subtract_fits([&](std::int64_t, std::int64_t row) { return x[row]; }, y, context);
    }

    void diagonal(double* d, const Context& context) const override;

    void sum_entries(const Label* labels, Label which, double* sums, const Context& context) const override {
        const std::int64_t width = image_.width;
        fit(context, [&](std::int64_t v, std::int64_t begin, std::int64_t end, double* planes, std::int64_t stride) {
            load_columns(image_, v, begin, end, stride, planes + stride);
            for (std::int64_t u = begin; u < end; ++u) {
                const double p = labels[v * width + u] == which ? 1 : 0;
                planes[u - begin] = p;
                for (int c = 0; c < C; ++c) {
                    planes[(c + 1) * stride + u - begin] *= p;
                }
            }
        });
        subtract_fits([&](std::int64_t pixel, std::int64_t) { return labels[pixel] == which ? 1.0 : 0.0; }, sums,
                      context);
    }

    std::optional<CellMatrix> on_cells(std::int64_t cells_at_most, const Context& context) const override {
        return cells_of_windows<C>(layout_, windows_, colour_.data(), count_.data(), cells_at_most, context);
    }

    std::size_t bytes() const override {
        return layout_.bytes() + windows_.bytes() + colour_.bytes() + count_.bytes() + coefficient_.bytes();
    }

private:
    static constexpr int K = C + 1;

    void load_colours(const Context& context) {
        parallel_for(image_.height, context.threads, context.monitor, [&](std::int64_t y) {
            layout_.for_runs(y, 0, image_.width, [&](const WantedRun& run) {
                load_columns(image_, y, run.x_begin, run.x_end, rows(), colour_.data() + run.first);
            });
        });
    }

    void count_windows(const Context& context) {
        spread<1>(
            context,
            [&](const Tile& tile, std::int64_t v, std::int64_t u, std::int64_t size, double* planes, std::int64_t) {
                for (std::int64_t i = 0; i < size; ++i) {
                    planes[i] = layout_.is_built(tile.place(v, u + i));
                }
            },
            [&](const WantedRun& run, std::int64_t, const double* sums, std::int64_t) {
                std::copy_n(sums, run.x_end - run.x_begin, count_.data() + run.first);
            });
    }

    // Computes a_w and b_w of all windows. load(v, begin, end, planes, stride) fills the planes p
    // and I p for columns [begin, end) of picture row v; they hold zeros before.
    template <class Load>
    void fit(const Context& context, const Load& load) const {
        for_all<Sums<K>>(layout_.windows(), layout_.side(), context, [&](const Tile& tile, auto& filter) {
            const std::int64_t stride = filter.stride();
            const std::int64_t end = tile.x + tile.columns + layout_.side() - 1;
            const auto load_row = [&](std::int64_t k, double* planes) {
                for (int c = 0; c < K; ++c) {
                    std::fill_n(planes + c * stride, end - tile.x, 0.0);
                }
                load(tile.y + k, tile.x, end, planes, stride);
            };
            filter.run(tile.rows, tile.columns, load_row, [&](std::int64_t o, const double* sums) {
                const std::int64_t place = tile.at + o * tile.columns;
                windows_.fit(place, tile.columns, sums, stride, coefficient_.data() + K * place);
            });
        });
    }

    // Sums planes of windows over the windows that hold a pixel. load(tile, v, u, size, planes,
    // stride) fills P planes for `size` windows of row v, from column u on, which lie in the tile.
    // take(run, v, sums, stride) gets the sums for a run of wanted pixels of picture row v.
    template <int P, class Load, class Take>
    void spread(const Context& context, const Load& load, const Take& take) const {
        const std::int64_t reach = layout_.side() - 1;
        for_all<Sums<P>>(layout_.pixels(), layout_.side(), context, [&](const Tile& tile, auto& filter) {
            const std::int64_t stride = filter.stride();
            const std::int64_t begin = tile.x - reach, end = tile.x + tile.columns;
            const auto load_row = [&](std::int64_t k, double* planes) {
                for (int c = 0; c < P; ++c) {
                    std::fill_n(planes + c * stride, end - begin, 0.0);
                }
                const std::int64_t v = tile.y - reach + k;
                if (v < 0 || v >= image_.height - reach) {
                    return;
                }
                layout_.windows().for_tiles(v / layout_.side(), begin, end, [&](const Tile& of) {
                    const std::int64_t from = std::max(begin, of.x), to = std::min(end, of.x + of.columns);
                    load(of, v, from, to - from, planes + from - begin, stride);
                });
            };
            filter.run(tile.rows, tile.columns, load_row, [&](std::int64_t o, const double* sums) {
                layout_.for_runs(tile.y + o, tile.x, end, [&](const WantedRun& run) {
                    take(run, tile.y + o, sums + run.x_begin - tile.x, stride);
                });
            });
        });
    }

    // Computes y_i = p_i times the number of windows that hold i, minus the sum of a_w . I_i + b_w.
    // value(pixel, row) is p_i.
    template <class Value>
    void subtract_fits(const Value& value, double* y, const Context& context) const {
        spread<K>(
            context,
            [&](const Tile& tile, std::int64_t v, std::int64_t u, std::int64_t size, double* planes,
                std::int64_t stride) {
                const double* from = coefficient_.data() + K * tile.place(v, tile.x) + u - tile.x;
                for (int c = 0; c < K; ++c) {
                    std::copy_n(from + c * tile.columns, size, planes + c * stride);
                }
            },
            [&](const WantedRun& run, std::int64_t v, const double* sums, std::int64_t stride) {
                for (std::int64_t x = run.x_begin; x < run.x_end; ++x) {
                    const std::int64_t i = run.first + x - run.x_begin, at = x - run.x_begin;
                    double line = sums[at];
                    for (int c = 0; c < C; ++c) {
                        line += sums[(c + 1) * stride + at] * colour_[c * rows() + i];
                    }
                    y[i] = count_[i] * value(v * image_.width + x, i) - line;
                }
            });
    }

    ImageView image_;
    WindowLayout layout_;
    Windows<C> windows_;
    Buffer<double> colour_;  // C planes
    Buffer<double> count_;   // the number of windows that hold a pixel
    // b_w and a_w of the last product, in planes for each row of a tile.
    mutable Buffer<double> coefficient_;
};

// The entry L_ii is the sum over the windows that hold i of
//     1 - (1 + (I_i - m)^T M (I_i - m)) / n,   M = (S + epsilon / n Id)^-1
// The sum is taken for the coefficients of the polynomial in I_i.
template <int C>
void WindowOperator<C>::diagonal(double* d, const Context& context) const {
    constexpr int P = 1 + C + C * (C + 1) / 2;
    spread<P>(
        context,
        [&](const Tile& tile, std::int64_t v, std::int64_t u, std::int64_t size, double* planes, std::int64_t stride) {
            for (std::int64_t i = 0; i < size; ++i) {
                double out[P];
                windows_.polynomial(tile, v, u + i, out);
                for (int k = 0; k < P; ++k) {
                    planes[k * stride + i] = out[k];
                }
            }
        },
        [&](const WantedRun& run, std::int64_t, const double* sums, std::int64_t stride) {
            for (std::int64_t at = 0; at < run.x_end - run.x_begin; ++at) {
                const std::int64_t i = run.first + at;
                double sum = sums[at];
                for (int c = 0, k = 1 + C; c < C; ++c) {
                    const double of_c = colour_[c * rows() + i];
                    sum += sums[(1 + c) * stride + at] * of_c;
                    for (int e = 0; e <= c; ++e, ++k) {
                        sum += sums[k * stride + at] * of_c * colour_[e * rows() + i];
                    }
                }
                // A pixel that lies in no window gets a one.
                d[i] = count_[i] > 0 ? std::max(count_[i] - sum, least_diagonal * count_[i]) : 1.0;
            }
        });
}

}  // namespace

std::unique_ptr<Operator> make_window_operator(const Wanted& wanted, double epsilon, int radius,
                                               const Context& context) {
    if (wanted.image.channels == 1) {
        return std::make_unique<WindowOperator<1>>(wanted, epsilon, radius, context);
    }
    return std::make_unique<WindowOperator<3>>(wanted, epsilon, radius, context);
}

}  // namespace trimatte
