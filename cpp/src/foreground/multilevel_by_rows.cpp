// Multi-level foreground estimation as PyMatting 1.1.16 does it, for trimatte.pymatting. multilevel.cpp
// has the energy of Germer et al., ICPR 2020, and its minimum at one pixel.
//
// The differences to multilevel.cpp were found by running PyMatting on small pictures:
//   - pixels are updated one after another, row by row;
//   - the neighbour of a pixel beyond the border is the pixel itself, with the colours that it has
//     before its update, so that a level of one pixel has neighbours, too;
//   - pixel i of a side of n pixels is pixel floor(i m / n) of a side of m pixels;
//   - the start colours are the means over all pixels whose alpha is above 0.9, or below 0.1, and 0
//     if there are none;
//   - opaque and transparent pixels are updated like all others, and keep what comes out.
#include <algorithm>
#include <cmath>
#include <vector>

#include "foreground/levels.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/foreground.hpp"

namespace trimatte {
namespace {

// Colours of the layers are interleaved; those of the image are planar within a row.
struct Level {
    std::int64_t height, width;
    Buffer<float> alpha, image;
    float* F;
    float* B;
};

// Returns the pixel of a side of `from` pixels that pixel i of a side of `to` pixels is taken from.
std::int64_t source(std::int64_t i, std::int64_t from, std::int64_t to) { return i * from / to; }

template <int channels>
class Estimation {
public:
    Estimation(const ImageView& image, const float* alpha, const MultilevelSteps& steps, Monitor& monitor)
        : image_(image), alpha_(alpha), steps_(steps), monitor_(monitor) {}

    void run(float* foreground, float* background) {
        const std::vector<LevelSize> sizes = level_sizes(image_.height, image_.width);
        Buffer<float> F(channels), B(channels);
        std::int64_t height = 1, width = 1;  // of F and B
        find_start_colours(F.data(), B.data());
        for (std::size_t l = 0; l < sizes.size(); ++l) {
            const bool last = l + 1 == sizes.size();
            Level level = sampled(sizes[l].height, sizes[l].width);
            const std::int64_t size = level.height * level.width * channels;
            Buffer<float> level_F(last ? 0 : size), level_B(last ? 0 : size);
            level.F = last ? foreground : level_F.data();
            level.B = last ? background : level_B.data();
            enlarge(F.data(), height, width, level, level.F);
            enlarge(B.data(), height, width, level, level.B);
            const bool small = std::max(level.height, level.width) <= steps_.small_size;
            for (int i = 0; i < (small ? steps_.small_iterations : steps_.big_iterations); ++i) {
                sweep(level);
            }
            F = std::move(level_F);
            B = std::move(level_B);
            height = level.height;
            width = level.width;
            monitor_.set_fraction(static_cast<double>(height * width) / static_cast<double>(image_.pixels()));
        }
    }

private:
    void find_start_colours(float* F, float* B) {
        std::vector<float> row(static_cast<std::size_t>(channels * image_.width));
        double sum_F[channels] = {}, sum_B[channels] = {};
        std::int64_t count_F = 0, count_B = 0;
        for (std::int64_t y = 0; y < image_.height; ++y) {
            load_row(image_, y, image_.width, row.data());
            for (std::int64_t x = 0; x < image_.width; ++x) {
                const float a = alpha_[y * image_.width + x];
                count_F += a > 0.9f ? 1 : 0;
                count_B += a < 0.1f ? 1 : 0;
                for (int c = 0; c < channels; ++c) {
                    const double I = row[static_cast<std::size_t>(c * image_.width + x)];
                    sum_F[c] += a > 0.9f ? I : 0;
                    sum_B[c] += a < 0.1f ? I : 0;
                }
            }
            monitor_.poll();
        }
        for (int c = 0; c < channels; ++c) {
            F[c] = count_F > 0 ? static_cast<float>(sum_F[c] / static_cast<double>(count_F)) : 0;
            B[c] = count_B > 0 ? static_cast<float>(sum_B[c] / static_cast<double>(count_B)) : 0;
        }
    }

    // Returns a level with its image and its alpha.
    Level sampled(std::int64_t height, std::int64_t width) {
        const std::int64_t pixels = height * width;
        Level level{height, width, Buffer<float>(pixels), Buffer<float>(channels * pixels), nullptr, nullptr};
        std::vector<std::int64_t> column(static_cast<std::size_t>(width));
        for (std::int64_t x = 0; x < width; ++x) {
            column[static_cast<std::size_t>(x)] = source(x, image_.width, width);
        }
        for (std::int64_t y = 0; y < height; ++y) {
            const std::int64_t from = source(y, image_.height, height);
            sample_row(image_, from, column.data(), width, width, level.image.data() + y * width * channels);
            for (std::int64_t x = 0; x < width; ++x) {
                level.alpha[y * width + x] = alpha_[from * image_.width + column[static_cast<std::size_t>(x)]];
            }
        }
        return level;
    }

    void enlarge(const float* layer, std::int64_t height, std::int64_t width, const Level& level, float* out) {
        for (std::int64_t y = 0; y < level.height; ++y) {
            const float* row = layer + source(y, height, level.height) * width * channels;
            for (std::int64_t x = 0; x < level.width; ++x, out += channels) {
                std::copy_n(row + source(x, width, level.width) * channels, channels, out);
            }
        }
    }

    void sweep(const Level& level) {
        for (std::int64_t y = 0; y < level.height; ++y) {
            for (std::int64_t x = 0; x < level.width; ++x) {
                update(level, y, x);
            }
            monitor_.poll();
        }
    }

    void update(const Level& level, std::int64_t y, std::int64_t x) {
        const std::int64_t width = level.width, p = y * width + x;
        const std::int64_t neighbour[] = {x > 0 ? p - 1 : p, x + 1 < width ? p + 1 : p, y > 0 ? p - width : p,
                                          y + 1 < level.height ? p + width : p};
        const float* alpha = level.alpha.data();
        const float a = alpha[p], b = 1 - a;
        float weight[4];
        float sum = 0;
        for (int k = 0; k < 4; ++k) {
            weight[k] = steps_.regularization + steps_.gradient_weight * std::abs(a - alpha[neighbour[k]]);
            sum += weight[k];
        }
        const float inverse_sum = 1 / sum, inverse_k = 1 / (a * a + b * b + sum);
        for (int c = 0; c < channels; ++c) {
            float f = 0, g = 0;
            for (int k = 0; k < 4; ++k) {
                f += weight[k] * level.F[neighbour[k] * channels + c];
                g += weight[k] * level.B[neighbour[k] * channels + c];
            }
            f *= inverse_sum;
            g *= inverse_sum;
            const float I = level.image[y * width * channels + c * width + x];
            const float r = (I - a * f - b * g) * inverse_k;
            level.F[p * channels + c] = std::clamp(f + a * r, 0.0f, 1.0f);
            level.B[p * channels + c] = std::clamp(g + b * r, 0.0f, 1.0f);
        }
    }

    const ImageView& image_;
    const float* alpha_;
    const MultilevelSteps& steps_;
    Monitor& monitor_;
};

}  // namespace

void multilevel_by_rows(const ImageView& image, const float* alpha, const MultilevelSteps& steps, float* foreground,
                        float* background, Monitor& monitor) {
    monitor.phase("foreground");
    if (image.channels == 1) {
        Estimation<1>(image, alpha, steps, monitor).run(foreground, background);
    } else {
        Estimation<3>(image, alpha, steps, monitor).run(foreground, background);
    }
    monitor.finish();
}

}  // namespace trimatte
