// Multi-level foreground estimation, Germer, Uelwer, Conrad, Harmeling, ICPR 2020.
//
// At every pixel i and for each channel the energy (their Eq. 3)
//     (a F_i + b B_i - I)^2 + sum_j w_j ((F_i - F_j)^2 + (B_i - B_j)^2),   a = alpha_i, b = 1 - a,
//     w_j = regularization + gradient_weight |alpha_i - alpha_j|,   j: the up to four neighbours,
// is minimal for given neighbours at
//     F_i = f + a r / k,   B_i = g + b r / k,   r = I - a f - b g,   k = a^2 + b^2 + sum_j w_j,
// where f and g are the means of the neighbours' F and B, weighted by w_j. This is the solution of
// their 2 x 2 system, written without its determinant. The levels go from coarse to fine, and each
// starts from the colours of the level before.
//
// The paper sweeps pixel after pixel. Here the pixels lie on a checkerboard: those of one colour
// are updated first, then those of the other. Neighbours always have the other colour, so pixels
// may run on any thread and in vector lanes with the same result.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>
#include <vector>

#include "foreground/levels.hpp"
#include "simd/kernels.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/foreground.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t parallel_from = 16384;  // levels with fewer pixels run on one thread
constexpr std::int64_t band = 32;              // rows in a band, which is one piece of work
constexpr std::int64_t sample_side = 256;      // side of the sample for start colours, pixels

// Colours of a level are stored row by row and channel by channel. Even columns come first in a row
// of a channel, then odd ones, so that pixels of one colour of the checkerboard lie side by side.
struct Level {
    std::int64_t height;
    std::int64_t width;
    int channels;
    const float* alpha;  // height x width, plain
    const float* image;
    float* F;
    float* B;

    std::int64_t row_size() const { return channels * width; }
    std::int64_t evens() const { return (width + 1) / 2; }
    // Returns the place of column x within its plane.
    std::int64_t place(std::int64_t x) const { return x / 2 + (x % 2) * evens(); }
};

// Returns the pixel of a side of `from` pixels that is nearest to pixel i of a side of `to` pixels.
std::int64_t nearest(std::int64_t i, std::int64_t from, std::int64_t to) { return (2 * i + 1) * from / (2 * to); }

std::vector<std::int64_t> nearest_all(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> place(static_cast<std::size_t>(to));
    for (std::int64_t i = 0; i < to; ++i) {
        place[static_cast<std::size_t>(i)] = nearest(i, from, to);
    }
    return place;
}

// The four weights of every second pixel of a row from a[0] on, scaled to sum 1, and 1 / k. `above`
// and `below` may be null. has_left and has_right say whether the first and the last of these
// pixels have a neighbour beside them.
struct Weights {
    std::vector<float> left, right, up, down, inverse_k;

    explicit Weights(std::int64_t width) {
        for (auto* w : {&left, &right, &up, &down, &inverse_k}) {
            w->resize(static_cast<std::size_t>(width));
        }
    }

    void find(const float* a, const float* above, const float* below, std::int64_t count, bool has_left, bool has_right,
              const MultilevelOptions& options) {
        const simd::Kernels& kernels = simd::kernels();
        const auto towards = [&](const float* from, const float* neighbour, std::int64_t n, float* weight) {
            kernels.weigh(from, neighbour, n, options.regularization, options.gradient_weight, weight);
        };
        left[0] = right[static_cast<std::size_t>(count - 1)] = 0;
        const std::int64_t skip = has_left ? 0 : 1;
        towards(a + 2 * skip, a + 2 * skip - 1, count - skip, left.data() + skip);
        towards(a, a + 1, has_right ? count : count - 1, right.data());
        for (auto [neighbour, weight] : {std::pair(above, &up), std::pair(below, &down)}) {
            if (neighbour != nullptr) {
                towards(a, neighbour, count, weight->data());
            } else {
                std::fill(weight->begin(), weight->end(), 0.0f);
            }
        }
        kernels.normalise(a, count, left.data(), right.data(), up.data(), down.data(), inverse_k.data());
    }
};

void interleave(const float* __restrict planes, std::int64_t width, int channels, float* __restrict out) {
    if (channels == 1) {
        std::copy(planes, planes + width, out);
        return;
    }
    for (std::int64_t x = 0; x < width; ++x) {
        out[3 * x] = planes[x];
        out[3 * x + 1] = planes[width + x];
        out[3 * x + 2] = planes[2 * width + x];
    }
}

// Updates the pixels of one checkerboard colour in a row. Each band of rows has an object of its
// own.
class RowUpdate {
public:
    RowUpdate(const Level& level, const MultilevelOptions& options)
        : level_(level), options_(options), weights_(level.evens()), alpha_(static_cast<std::size_t>(level.evens())) {}

    // Updates the columns of the given parity, 0 or 1.
    void operator()(std::int64_t y, int parity) {
        const std::int64_t width = level_.width;
        const std::int64_t count = parity == 0 ? level_.evens() : width - level_.evens();
        if (count == 0) {
            return;
        }
        const bool has_left = parity == 1;
        const bool has_right = 2 * (count - 1) + parity + 1 < width;
        const bool has_up = y > 0;
        const bool has_down = y + 1 < level_.height;
        const float* a = level_.alpha + y * width + parity;
        weights_.find(a, has_up ? a - width : nullptr, has_down ? a + width : nullptr, count, has_left, has_right,
                      options_);
        for (std::int64_t k = 0; k < count; ++k) {
            alpha_[static_cast<std::size_t>(k)] = a[2 * k];
        }

        for (int c = 0; c < level_.channels; ++c) {
            const std::int64_t plane = y * level_.row_size() + c * width;
            const std::int64_t own = plane + parity * level_.evens();
            const std::int64_t other = plane + (1 - parity) * level_.evens();
            const Neighbours n{other - 1 + parity, other + parity, has_up ? own - level_.row_size() : own,
                               has_down ? own + level_.row_size() : own};
            // A missing neighbour of the outermost pixels has weight 0; another pixel is read in
            // its place.
            const std::int64_t first = has_left ? 0 : 1;
            const std::int64_t last = has_right ? count : count - 1;
            if (!has_left) {
                const std::int64_t right = has_right || count > 1 ? n.right : own;
                update(0, 1, own, {right, right, n.up, n.down});
            }
            update(first, last, own, n);
            if (!has_right && last >= first) {
                update(last, last + 1, own, {n.left, n.left, n.up, n.down});
            }
        }
    }

private:
    // Indices in F and B of the neighbours of the row's first pixel.
    struct Neighbours {
        std::int64_t left, right, up, down;
    };

    void update(std::int64_t begin, std::int64_t end, std::int64_t own, const Neighbours& n) {
        const float* F = level_.F + begin;
        const float* B = level_.B + begin;
        const float* const weights[] = {weights_.left.data() + begin, weights_.right.data() + begin,
                                        weights_.up.data() + begin, weights_.down.data() + begin};
        const float* const F_at[] = {F + n.left, F + n.right, F + n.up, F + n.down};
        const float* const B_at[] = {B + n.left, B + n.right, B + n.up, B + n.down};
        simd::kernels().update(end - begin, alpha_.data() + begin, level_.image + own + begin, weights,
                               weights_.inverse_k.data() + begin, F_at, B_at, {options_.low, options_.high},
                               level_.F + own + begin, level_.B + own + begin);
    }

    const Level& level_;
    const MultilevelOptions& options_;
    Weights weights_;
    std::vector<float> alpha_;
};

class Estimation {
public:
    Estimation(const ImageView& image, const float* alpha, const MultilevelOptions& options, Monitor& monitor)
        : image_(image), alpha_(alpha), options_(options), monitor_(monitor) {}

    void run(float* foreground, float* background) {
        find_start_colours();
        const std::vector<LevelSize> sizes = level_sizes(image_.height, image_.width);
        Buffer<float> F, B;
        Level before{};
        for (std::size_t l = 0; l < sizes.size(); ++l) {
            const bool last = l + 1 == sizes.size();
            Level level{sizes[l].height, sizes[l].width, image_.channels, alpha_, nullptr, foreground, background};
            const std::int64_t size = level.height * level.row_size();
            Buffer<float> level_F, level_B, level_alpha, level_image(size);
            level.image = level_image.data();
            if (!last) {
                level_F = Buffer<float>(size);
                level_B = Buffer<float>(size);
                level_alpha = Buffer<float>(level.height * level.width);
                level.F = level_F.data();
                level.B = level_B.data();
                level.alpha = level_alpha.data();
            }
            prepare(level, level_image.data(), level_alpha.data(), l == 0 ? nullptr : &before);
            iterate(level);
            if (last) {
                finish(level);
            }
            F = std::move(level_F);
            B = std::move(level_B);
            before = level;
            monitor_.set_fraction(static_cast<double>(level.height * level.width) /
                                  static_cast<double>(image_.pixels()));
        }
    }

private:
    // Runs body(first, last) for bands of rows of a level.
    template <typename Body>
    void for_bands(const Level& level, const Body& body) {
        const int threads = level.height * level.width < parallel_from ? 1 : options_.threads;
        parallel_for((level.height + band - 1) / band, threads, monitor_,
                     [&](std::int64_t i) { body(i * band, std::min(level.height, (i + 1) * band) - 1); });
    }

    // Runs body(y) for the rows of a level. make_body() makes the body of each band.
    template <typename MakeBody>
    void for_rows(const Level& level, const MakeBody& make_body) {
        for_bands(level, [&](std::int64_t first, std::int64_t last) {
            auto body = make_body();
            for (std::int64_t y = first; y <= last; ++y) {
                body(y);
            }
        });
    }

    // Finds the mean colours of surely foreground and surely background pixels, over a sample of
    // the picture. They only start the coarsest level.
    void find_start_colours() {
        const std::int64_t height = std::min(image_.height, sample_side);
        const std::int64_t width = std::min(image_.width, sample_side);
        const auto column = nearest_all(image_.width, width);
        std::vector<float> row(static_cast<std::size_t>(image_.channels * width));
        constexpr int none = 0, in_foreground = 1, in_background = 2;
        double sum[3][4] = {};  // colour, and the number of pixels
        for (std::int64_t v = 0; v < height; ++v) {
            const std::int64_t y = nearest(v, image_.height, height);
            sample_row(image_, y, column.data(), width, width, row.data());
            for (std::int64_t x = 0; x < width; ++x) {
                const float a = alpha_[y * image_.width + column[static_cast<std::size_t>(x)]];
                double* to = sum[a > 0.9f ? in_foreground : a < 0.1f ? in_background : none];
                for (int c = 0; c < image_.channels; ++c) {
                    to[c] += row[static_cast<std::size_t>(c * width + x)];
                }
                to[3] += 1;
            }
        }
        const double all = static_cast<double>(height * width);
        for (int c = 0; c < image_.channels; ++c) {
            const double mean = (sum[0][c] + sum[1][c] + sum[2][c]) / all;
            const auto start = [&](int which) {
                return static_cast<float>(sum[which][3] > 0 ? sum[which][c] / sum[which][3] : mean);
            };
            start_F_[c] = start(in_foreground);
            start_B_[c] = start(in_background);
        }
    }

    // Makes the image and the alpha of a level, and its first colours from the level before. All of
    // it is done in one parallel loop, since a busy machine makes the end of every loop costly.
    // alpha: null on the finest level. before: null on the coarsest.
    void prepare(const Level& level, float* image, float* alpha, const Level* before) {
        const auto column = nearest_all(image_.width, level.width);
        std::vector<std::int64_t> column_of_place(static_cast<std::size_t>(level.width)), from(column_of_place.size());
        for (std::int64_t x = 0; x < level.width; ++x) {
            const auto place = static_cast<std::size_t>(level.place(x));
            column_of_place[place] = column[static_cast<std::size_t>(x)];
            from[place] = before == nullptr ? 0 : before->place(nearest(x, before->width, level.width));
        }
        for_bands(level, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t y = first; y <= last; ++y) {
                const std::int64_t source = nearest(y, image_.height, level.height);
                sample_row(image_, source, column_of_place.data(), level.width, level.width,
                           image + y * level.row_size());
                for (std::int64_t x = 0; alpha != nullptr && x < level.width; ++x) {
                    alpha[y * level.width + x] = alpha_[source * image_.width + column[static_cast<std::size_t>(x)]];
                }
                if (before != nullptr) {
                    enlarge_row(*before, level, from, y, y == first);
                } else {
                    start_row(level, y);
                }
            }
        });
    }

    void start_row(const Level& level, std::int64_t y) {
        for (std::int64_t k = 0; k < level.row_size(); ++k) {
            level.F[y * level.row_size() + k] = start_F_[k / level.width];
            level.B[y * level.row_size() + k] = start_B_[k / level.width];
        }
    }

    // is_first: the row above may not be copied.
    void enlarge_row(const Level& before, const Level& level, const std::vector<std::int64_t>& from, std::int64_t y,
                     bool is_first) {
        const auto source = [&](std::int64_t row) { return nearest(row, before.height, level.height); };
        for (auto [old_layer, new_layer] : {std::pair(before.F, level.F), std::pair(before.B, level.B)}) {
            float* row = new_layer + y * level.row_size();
            if (!is_first && source(y) == source(y - 1)) {
                std::copy(row - level.row_size(), row, row);
                continue;
            }
            for (int c = 0; c < level.channels; ++c) {
                const float* old_row = old_layer + source(y) * before.row_size() + c * before.width;
                for (std::int64_t k = 0; k < level.width; ++k) {
                    row[c * level.width + k] = old_row[from[static_cast<std::size_t>(k)]];
                }
            }
        }
    }

    void iterate(const Level& level) {
        if (level.height * level.width == 1) {
            return;  // no neighbours: the start colours stay
        }
        const bool small = std::max(level.height, level.width) <= options_.small_size;
        const int iterations = small ? options_.small_iterations : options_.big_iterations;
        for (int i = 0; i < iterations; ++i) {
            sweep(level);
        }
    }

    // Updates both colours of the checkerboard. One pass over a band updates both, while the rows
    // are in the cache. The second colour follows one row behind the first, since it needs the first
    // on both rows beside it. Where two bands meet, the second colour of both rows waits until both
    // bands are done, and is updated with the later one.
    void sweep(const Level& level) {
        const auto bands = static_cast<std::size_t>((level.height + band - 1) / band);
        // waiting[k]: how many of the bands k - 1 and k are not done
        std::vector<std::atomic<int>> waiting(bands + 1);
        for (std::size_t k = 0; k <= bands; ++k) {
            waiting[k] = k == 0 || k == bands ? 1 : 2;
        }
        for_bands(level, [&](std::int64_t first, std::int64_t last) {
            RowUpdate update(level, options_);
            const auto second = [&](std::int64_t y) { update(y, static_cast<int>((y + 1) % 2)); };
            for (std::int64_t y = first; y <= last; ++y) {
                update(y, static_cast<int>(y % 2));
                if (y - 1 > first) {
                    second(y - 1);
                }
            }
            const auto k = static_cast<std::size_t>(first / band);
            for (const std::size_t border : {k, k + 1}) {
                if (--waiting[border] > 0) {
                    continue;
                }
                const std::int64_t below = static_cast<std::int64_t>(border) * band;
                if (border == bands) {
                    if (last > first) {  // otherwise the row belongs to the border above
                        second(last);
                    }
                    continue;
                }
                if (border > 0) {
                    second(below - 1);
                }
                second(below);
            }
        });
    }

    // Does what the options ask for. Rows become interleaved, in place.
    void finish(const Level& level) {
        for_rows(level, [&] {
            return [&, alpha = std::vector<float>(static_cast<std::size_t>(level.width)),
                    row = std::vector<float>(static_cast<std::size_t>(level.row_size()))](std::int64_t y) mutable {
                for (std::int64_t x = 0; x < level.width; ++x) {
                    alpha[static_cast<std::size_t>(level.place(x))] = level.alpha[y * level.width + x];
                }
                for (int c = 0; c < level.channels; ++c) {
                    const std::int64_t plane = y * level.row_size() + c * level.width;
                    if (options_.exact_composite) {
                        simd::kernels().make_exact(alpha.data(), level.image + plane, level.width,
                                                   {options_.low, options_.high}, level.F + plane, level.B + plane);
                    }
                    if (options_.keep_solid) {
                        keep_solid(alpha.data(), level.image + plane, level.width, level.F + plane, level.B + plane);
                    }
                }
                for (float* layer : {level.F + y * level.row_size(), level.B + y * level.row_size()}) {
                    for (int c = 0; c < level.channels; ++c) {
                        merge(level, layer + c * level.width, row.data() + c * level.width);
                    }
                    interleave(row.data(), level.width, level.channels, layer);
                }
            };
        });
    }

    // Puts the columns into their order.
    static void merge(const Level& level, const float* __restrict split, float* __restrict out) {
        const float* odd = split + level.evens();
        for (std::int64_t k = 0; k < level.width / 2; ++k) {
            out[2 * k] = split[k];
            out[2 * k + 1] = odd[k];
        }
        if (level.width % 2 == 1) {
            out[level.width - 1] = split[level.evens() - 1];
        }
    }

    static void keep_solid(const float* __restrict a, const float* __restrict I, std::int64_t count,
                           float* __restrict F, float* __restrict B) {
        for (std::int64_t x = 0; x < count; ++x) {
            const float i = I[x];
            const float f = F[x];
            const float b = B[x];
            F[x] = a[x] >= 1 ? i : f;
            B[x] = a[x] <= 0 ? i : b;
        }
    }

    const ImageView& image_;
    const float* alpha_;
    const MultilevelOptions& options_;
    Monitor& monitor_;
    float start_F_[3] = {};
    float start_B_[3] = {};
};

}  // namespace

void multilevel(const ImageView& image, const float* alpha, const MultilevelOptions& options, float* foreground,
                float* background, Monitor& monitor) {
    monitor.phase("foreground");
    Estimation(image, alpha, options, monitor).run(foreground, background);
    monitor.finish();
}

}  // namespace trimatte
