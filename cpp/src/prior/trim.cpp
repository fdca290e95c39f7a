// Trimming of trimaps: from the border of the known pixels (Shahrian, Rajan, Price, Cohen, CVPR
// 2013) and by patches (Aksoy, Aydin, Pollefeys, CVPR 2017).
#include "trimatte/trim.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/pixel_numbers.hpp"
#include "neighbours/nearest.hpp"
#include "prior/padded_image.hpp"

namespace trimatte {
namespace {

// A colour variance that is added to those of patches: that of a rounding to 8 bits, so that flat
// patches can be compared.
constexpr double rounding_variance = 1e-5;

constexpr std::int64_t batch = 1 << 16;  // unknown pixels in one search

std::vector<std::int32_t> pixels_of(const Label* labels, std::int64_t pixels, Label label) {
    std::vector<std::int32_t> result;
    result.reserve(static_cast<std::size_t>(std::count(labels, labels + pixels, label)));
    for (std::int64_t p = 0; p < pixels; ++p) {
        if (labels[p] == label) {
            result.push_back(static_cast<std::int32_t>(p));
        }
    }
    return result;
}

// Trims from the border: all pixels decide at once, and one that both kinds claim stays unknown.
void trim_edges(const ImageView& image, const Label* labels, double edge, Label* trimmed, const Context& context) {
    const int reach = static_cast<int>(std::floor(edge));
    constexpr std::int64_t band = 8;
    const int channels = image.channels;
    parallel_for((image.height + band - 1) / band, context.threads, context.monitor, [&](std::int64_t i) {
        const std::int64_t y_begin = i * band, y_end = std::min(image.height, y_begin + band);
        PaddedRows<float> colours(image, reach, y_begin, y_end);
        colours.load();
        const auto colour = [&](std::int64_t y, std::int64_t x) { return colours.row(y) + (x + reach) * channels; };
        const auto is_near = [&](std::int64_t y, std::int64_t x, std::int64_t v, std::int64_t u) {
            const double distance = std::hypot(static_cast<double>(v - y), static_cast<double>(u - x));
            double squared = 0;
            for (int c = 0; c < channels; ++c) {
                const double d = 255.0 * (static_cast<double>(colour(y, x)[c]) - static_cast<double>(colour(v, u)[c]));
                squared += channels == 1 ? 3 * d * d : d * d;
            }
            return distance <= edge && std::sqrt(squared) <= edge - distance;
        };
        for (std::int64_t y = y_begin; y < y_end; ++y) {
            for (std::int64_t x = 0; x < image.width; ++x) {
                const std::int64_t p = y * image.width + x;
                trimmed[p] = labels[p];
                bool claimed[2] = {};
                for (std::int64_t v = std::max<std::int64_t>(0, y - reach);
                     labels[p] == Label::unknown && v <= std::min(image.height - 1, y + reach); ++v) {
                    for (std::int64_t u = std::max<std::int64_t>(0, x - reach);
                         u <= std::min(image.width - 1, x + reach); ++u) {
                        const Label label = labels[v * image.width + u];
                        if (label != Label::unknown && !claimed[static_cast<int>(label)]) {
                            claimed[static_cast<int>(label)] = is_near(y, x, v, u);
                        }
                    }
                }
                if (claimed[0] != claimed[1]) {
                    trimmed[p] = claimed[1] ? Label::foreground : Label::background;
                }
            }
        }
    });
}

// The mean of a patch of 3 x 3 pixels and the lower triangle of its covariance, with its
// determinant.
struct Patch {
    double mean[3];
    double covariance[6];
    double determinant;
};

double determinant(const double* s) {
    return s[0] * (s[2] * s[5] - s[4] * s[4]) - s[1] * (s[1] * s[5] - s[4] * s[3]) + s[3] * (s[1] * s[4] - s[2] * s[3]);
}

Patch patch_of(const PaddedRows<float>& colours, int channels, std::int64_t y, std::int64_t x) {
    Patch patch{};
    double colour[9][3];
    for (int k = 0; k < 9; ++k) {
        const float* at = colours.row(y + k / 3 - 1) + (x + k % 3) * channels;
        for (int c = 0; c < 3; ++c) {
            colour[k][c] = static_cast<double>(at[std::min(c, channels - 1)]);
            patch.mean[c] += colour[k][c] / 9;
        }
    }
    for (const auto& of : colour) {
        double d[3];
        for (int c = 0; c < 3; ++c) {
            d[c] = of[c] - patch.mean[c];
        }
        for (int a = 0, at = 0; a < 3; ++a) {
            for (int b = 0; b <= a; ++b) {
                patch.covariance[at++] += d[a] * d[b] / 9;
            }
        }
    }
    for (const int at : {0, 2, 5}) {
        patch.covariance[at] += rounding_variance;
    }
    patch.determinant = determinant(patch.covariance);
    return patch;
}

// (m - n)' S^-1 (m - n) / 8 + log(det S / sqrt(det S_m det S_n)) / 2 with S the mean of both
// covariances, S_m and S_n.
double bhattacharyya(const Patch& m, const Patch& n) {
    double s[6], d[3];
    for (int i = 0; i < 6; ++i) {
        s[i] = (m.covariance[i] + n.covariance[i]) / 2;
    }
    for (int c = 0; c < 3; ++c) {
        d[c] = m.mean[c] - n.mean[c];
    }
    const double k10 = s[1] / s[0], k20 = s[3] / s[0];
    const double d1 = s[2] - k10 * s[1];
    const double t21 = s[4] - k20 * s[1];
    const double k21 = t21 / d1;
    const double d2 = s[5] - k20 * s[3] - k21 * t21;
    const double e1 = d[1] - k10 * d[0];
    const double e2 = d[2] - k20 * d[0] - k21 * e1;
    const double squared = d[0] * d[0] / s[0] + e1 * e1 / d1 + e2 * e2 / d2;
    return squared / 8 + std::log(s[0] * d1 * d2 / std::sqrt(m.determinant * n.determinant)) / 2;
}

// The means of the patches of some pixels, as points.
Buffer<float> means_of(const PaddedRows<float>& colours, const ImageView& image, const std::int32_t* pixel,
                       std::int64_t count, const Context& context) {
    Buffer<float> means(3 * count);
    parallel_ranges(count, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const Patch patch = patch_of(colours, image.channels, pixel[i] / image.width, pixel[i] % image.width);
            std::copy_n(patch.mean, 3, means.data() + 3 * i);
        }
    });
    return means;
}

// The least distance of the patch of each pixel to the patches of known pixels whose mean colours
// are the nearest.
Buffer<double> least_distances(const PaddedRows<float>& colours, const ImageView& image,
                               const std::vector<std::int32_t>& unknown, const std::vector<std::int32_t>& known,
                               int neighbours, const Context& context) {
    const auto known_count = static_cast<std::int64_t>(known.size());
    const Nearest points(means_of(colours, image, known.data(), known_count, context).data(), known_count, 3, context);
    const auto unknowns = static_cast<std::int64_t>(unknown.size());
    Buffer<double> least(unknowns);
    for (std::int64_t first = 0; first < unknowns; first += batch) {
        const std::int64_t count = std::min(batch, unknowns - first);
        const Buffer<float> queries = means_of(colours, image, unknown.data() + first, count, context);
        Buffer<std::int32_t> found(count * neighbours);
        Buffer<float> distance(count * neighbours);
        points.find(queries.data(), count, neighbours, nullptr, found.data(), distance.data(), context);
        parallel_ranges(count, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
            const auto patch = [&](std::int32_t p) {
                return patch_of(colours, image.channels, p / image.width, p % image.width);
            };
            for (std::int64_t i = begin; i < end; ++i) {
                const Patch own = patch(unknown[static_cast<std::size_t>(first + i)]);
                least[first + i] = std::numeric_limits<double>::infinity();
                for (std::int64_t k = i * neighbours; k < (i + 1) * neighbours && found[k] >= 0; ++k) {
                    const Patch other = patch(known[static_cast<std::size_t>(found[k])]);
                    least[first + i] = std::min(least[first + i], bhattacharyya(own, other));
                }
            }
        });
    }
    return least;
}

void trim_patches(const ImageView& image, const TrimOptions& options, Label* trimmed, const Context& context) {
    const std::int64_t pixels = numbered_pixels(image);
    const std::vector<std::int32_t> unknown = pixels_of(trimmed, pixels, Label::unknown);
    const std::vector<std::int32_t> known[2] = {pixels_of(trimmed, pixels, Label::background),
                                                pixels_of(trimmed, pixels, Label::foreground)};
    if (known[0].empty() || known[1].empty()) {
        return;  // nobody would contradict
    }
    PaddedRows<float> colours(image, 1, 0, image.height);
    constexpr std::int64_t band = 32;
    parallel_for((colours.end() - colours.first() + band - 1) / band, context.threads, context.monitor,
                 [&](std::int64_t i) {
                     const std::int64_t begin = colours.first() + i * band;
                     colours.load(begin, std::min(colours.end(), begin + band));
                 });
    const auto to = [&](int kind) {
        return least_distances(colours, image, unknown, known[kind], options.neighbours, context);
    };
    const Buffer<double> to_background = to(0), to_foreground = to(1);
    for (std::size_t i = 0; i < unknown.size(); ++i) {
        const double b = to_background[static_cast<std::int64_t>(i)], f = to_foreground[static_cast<std::int64_t>(i)];
        if (f < options.alike && b > options.unlike) {
            trimmed[unknown[i]] = Label::foreground;
        } else if (b < options.alike && f > options.unlike) {
            trimmed[unknown[i]] = Label::background;
        }
    }
}

}  // namespace

void trim(const ImageView& image, const Label* labels, const TrimOptions& options, Label* trimmed,
          const Context& context) {
    context.monitor.phase("trim");
    if (options.edge > 0) {
        trim_edges(image, labels, options.edge, trimmed, context);
    } else {
        std::copy_n(labels, image.pixels(), trimmed);
    }
    if (options.alike > 0) {
        trim_patches(image, options, trimmed, context);
    }
    context.monitor.finish();
}

}  // namespace trimatte
