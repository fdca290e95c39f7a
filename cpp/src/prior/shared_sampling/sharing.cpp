// The sharing of samples (section 4.2 of the paper): every unknown pixel compares the tuples of all
// pixels around it by the distortion M that they have at its own colour, and takes the mean of the
// three best. If tuples explain the colour equally well, those of nearer pixels count.
#include <array>

#include "prior/shared_sampling/tile.hpp"

namespace trimatte::sharing {
namespace {

constexpr std::int64_t width = Tile::width;
constexpr float far = 1e9f;       // a colour far from all colours
constexpr float too_far = 1e12f;  // a squared distortion that only such colours have

// The three best tuples of each pixel of a row: their squared distortions, and the places of their
// pixels in the tile, counted from the pixel's own.
struct Best {
    std::array<float, 3 * width> distortion2, offset;
};

// B, F - B and 1 / |F - B|^2 of the tuples in a tile and its border, and the pixels' numbers.
class TupleTile {
public:
    TupleTile(const Buffer<Tuple>& tuples, Tile& tile, std::int64_t y, std::int64_t x)
        : tuples_(tuples), tile_(tile), number_(static_cast<std::size_t>(tile.plane()), -1) {
        tile.move_to(y, x, far);
    }
    static constexpr std::int64_t planes = 7;

    void load(const Picture& picture) {
        tile_.for_all_rows([&](std::int64_t y, std::int64_t begin, std::int64_t end) {
            picture.for_unknown(y, begin, end, [&](std::int64_t i, std::int64_t x) {
                const Tuple& t = tuples_[i];
                const std::int64_t at = tile_.at(y, x);
                for (std::size_t c = 0; c < 3; ++c) {
                    tile_.put(static_cast<std::int64_t>(c), at, t.B[c]);
                    tile_.put(3 + static_cast<std::int64_t>(c), at, t.F[c] - t.B[c]);
                }
                tile_.put(6, at, 1 / std::max(distance2(t.F, t.B), 1e-8f));
                number_[static_cast<std::size_t>(at)] = i;
            });
        });
    }

    // C: planes of the colours of a row of the tile.
    void find_best(std::int64_t y, std::int64_t first, std::int64_t count, const std::vector<Offset>& window,
                   const float* C, Best& best) {
        best.distortion2.fill(1e30f);
        const std::int64_t at = tile_.at(y, first), lane = tile_.lane(first);
        for (const Offset& o : window) {
            const std::int64_t offset = tile_.offset(o.y, o.x);
            simd::kernels().keep_lowest(count, C + lane, tile_.data(at + offset), tile_.plane(),
                                        static_cast<float>(offset), best.distortion2.data() + lane,
                                        best.offset.data() + lane);
        }
    }

    // The mean of the best tuples. There is at least the pixel's own.
    Tuple mean_of(const Best& best, std::int64_t y, std::int64_t x) const {
        Tuple mean{};
        float count = 0;
        for (std::int64_t k = 0; k < 3; ++k) {
            const auto at = static_cast<std::size_t>(k * width + tile_.lane(x));
            if (best.distortion2[at] > too_far) {
                continue;
            }
            const std::int64_t from = tile_.at(y, x) + static_cast<std::int64_t>(best.offset[at]);
            const Tuple& t = tuples_[number_[static_cast<std::size_t>(from)]];
            for (std::size_t c = 0; c < 3; ++c) {
                mean.F[c] += t.F[c];
                mean.B[c] += t.B[c];
            }
            mean.F_variance += t.F_variance;
            mean.B_variance += t.B_variance;
            ++count;
        }
        for (std::size_t c = 0; c < 3; ++c) {
            mean.F[c] /= count;
            mean.B[c] /= count;
        }
        mean.F_variance /= count;
        mean.B_variance /= count;
        return mean;
    }

private:
    const Buffer<Tuple>& tuples_;
    Tile& tile_;
    std::vector<std::int64_t> number_;
};

Refined refine(const Colour& C, const Tuple& mean, bool own_colours) {
    constexpr float least = 1e-8f;
    Refined result{mean.F, mean.B, 0, least};
    if (mean.F != mean.B) {  // Eq. 12
        result.confidence = std::max(least, confidence_of(mixture_of(C, mean.F, mean.B).distortion));
    }
    if (own_colours && distance2(C, mean.F) <= mean.F_variance) {  // Eq. 10
        result.F = C;
    }
    if (own_colours && distance2(C, mean.B) <= mean.B_variance) {
        result.B = C;
    }
    result.alpha = mixture_of(C, result.F, result.B).alpha;  // Eq. 11
    return result;
}

}  // namespace

Buffer<Refined> share(const Picture& picture, const Buffer<Tuple>& tuples, std::int64_t radius, bool own_colours,
                      Context context) {
    Buffer<Refined> refined(picture.count());
    const std::vector<Offset> window = offsets_by_length(radius);
    with_colours(picture.image, [&](const auto& colours) {
        const auto body = [&](std::int64_t y0, std::int64_t x0, Tile& tile) {
            TupleTile local(tuples, tile, y0, x0);
            local.load(picture);
            std::array<float, 3 * width> C{};
            Best best;
            tile.for_rows([&](std::int64_t y, std::int64_t first, std::int64_t count) {
                tile.for_unknown(y, [&](std::int64_t, std::int64_t x) {
                    const Colour here = colours(picture.pixel(y, x));
                    for (std::size_t c = 0; c < 3; ++c) {
                        C[c * width + static_cast<std::size_t>(tile.lane(x))] = here[c];
                    }
                });
                local.find_best(y, first, count, window, C.data(), best);
                tile.for_unknown(y, [&](std::int64_t i, std::int64_t x) {
                    refined[i] = refine(colours(picture.pixel(y, x)), local.mean_of(best, y, x), own_colours);
                });
                context.monitor.poll();
            });
        };
        for_tiles(picture, TupleTile::planes, radius, context, body);
    });
    return refined;
}

}  // namespace trimatte::sharing
