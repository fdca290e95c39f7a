// The smoothing (section 4.3 of the paper): the colours of each unknown pixel are averaged over the
// pixels around it, and where the result does not explain the pixel's own colour, alpha is drawn
// towards the mean around it.
#include <array>
#include <cmath>

#include "prior/shared_sampling/tile.hpp"

namespace trimatte::sharing {
namespace {

constexpr std::int64_t width = Tile::width;
constexpr std::size_t sums = 12;
constexpr float least = 1e-12f;  // smaller sums of weights have rounded to nothing

// Puts F, B, alpha, the confidence, |F - B|, and whether the pixel is known into the tile.
template <class Colours>
void load(const Picture& picture, const Colours& colours, const Buffer<Refined>& refined, Tile& tile) {
    const auto put = [&](std::int64_t at, const Refined& pixel, float distance, float known) {
        for (std::size_t c = 0; c < 3; ++c) {
            tile.put(static_cast<std::int64_t>(c), at, pixel.F[c]);
            tile.put(3 + static_cast<std::int64_t>(c), at, pixel.B[c]);
        }
        tile.put(6, at, pixel.alpha);
        tile.put(7, at, pixel.confidence);
        tile.put(8, at, distance);
        tile.put(9, at, known);
    };
    tile.for_all_rows([&](std::int64_t y, std::int64_t begin, std::int64_t end) {
        for (std::int64_t x = begin; x < end; ++x) {
            const Label label = picture.label(y, x);
            if (label != Label::unknown) {
                const Colour C = colours(picture.pixel(y, x));
                put(tile.at(y, x), {C, C, label == Label::foreground ? 1.0f : 0.0f, 1}, 0, 1);
            }
        }
        picture.for_unknown(y, begin, end, [&](std::int64_t i, std::int64_t x) {
            put(tile.at(y, x), refined[i], std::sqrt(distance2(refined[i].F, refined[i].B)), 0);
        });
    });
}

// What the sums say of a pixel with the colour C. sum(k) is its k-th sum; kernels.hpp lists them.
template <class Sum>
Refined smoothed(const Colour& C, const Refined& before, const Sum& sum) {
    Refined result = before;
    for (std::size_t c = 0; c < 3; ++c) {  // Eq. 15, 16
        result.F[c] = sum(0) > least ? sum(1 + c) / sum(0) : before.F[c];
        result.B[c] = sum(4) > least ? sum(5 + c) / sum(4) : before.B[c];
    }
    const Mixture mixture = mixture_of(C, result.F, result.B);
    result.confidence = confidence_of(mixture.distortion);
    if (sum(8) > least) {  // Eq. 17 to 19: the colours are more alike than those around them
        const float usual = std::max(sum(9) / sum(8), least);
        result.confidence *= std::min(1.0f, std::sqrt(distance2(result.F, result.B)) / usual);
    }
    const float mean = sum(10) > least ? sum(11) / sum(10) : mixture.alpha;  // Eq. 20, 21
    const float alpha = result.confidence * mixture.alpha + (1 - result.confidence) * mean;
    result.alpha = std::clamp(alpha, 0.0f, 1.0f);
    return result;
}

void write(const Refined& result, std::int64_t pixel, std::int64_t channels, const SharedSamples& out) {
    out.alpha[pixel] = result.alpha;
    out.confidence[pixel] = result.confidence;
    for (std::int64_t c = 0; out.foreground != nullptr && c < channels; ++c) {
        out.foreground[pixel * channels + c] = result.F[static_cast<std::size_t>(c)];
        out.background[pixel * channels + c] = result.B[static_cast<std::size_t>(c)];
    }
}

}  // namespace

void smooth(const Picture& picture, const Buffer<Refined>& refined, std::int64_t radius, const SharedSamples& out,
            Context context) {
    // The paper's variance of the Gauss function, for a window of this area.
    const auto side = static_cast<double>(2 * radius + 1);
    const double variance = side * side / (9 * 3.14159265358979323846);
    const auto gauss = [&](std::int64_t dy, std::int64_t dx) {
        return static_cast<float>(std::exp(-static_cast<double>(dy * dy + dx * dx) / (2 * variance)));
    };
    with_colours(picture.image, [&](const auto& colours) {
        const auto body = [&](std::int64_t y0, std::int64_t x0, Tile& tile) {
            tile.move_to(y0, x0, 0);
            load(picture, colours, refined, tile);
            std::array<float, sums * width> sum;
            std::array<float, width> alpha{};
            tile.for_rows([&](std::int64_t y, std::int64_t first, std::int64_t count) {
                tile.for_unknown(y, [&](std::int64_t i, std::int64_t x) {
                    alpha[static_cast<std::size_t>(tile.lane(x))] = refined[i].alpha;
                });
                sum.fill(0);
                const std::int64_t at = tile.at(y, first), lane = tile.lane(first);
                for (std::int64_t dy = -radius; dy <= radius; ++dy) {
                    for (std::int64_t dx = -radius; dx <= radius; ++dx) {
                        simd::kernels().add_smoothed(
                            count, alpha.data() + lane, gauss(dy, dx), dy == 0 && dx == 0 ? 1.0f : 0.0f,
                            tile.data(at + tile.offset(dy, dx)), tile.plane(), sum.data() + lane);
                    }
                }
                tile.for_unknown(y, [&](std::int64_t i, std::int64_t x) {
                    const std::int64_t pixel = picture.pixel(y, x);
                    const auto sum_of = [&](std::size_t k) {
                        return sum[k * width + static_cast<std::size_t>(tile.lane(x))];
                    };
                    write(smoothed(colours(pixel), refined[i], sum_of), pixel, picture.image.channels, out);
                });
                context.monitor.poll();
            });
        };
        for_tiles(picture, 10, radius, context, body);
    });
}

}  // namespace trimatte::sharing
