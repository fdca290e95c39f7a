// Global sampling finds, for every unknown pixel, the pair of a known foreground and a known
// background colour that explains it best, among all pairs from the border of the unknown region.
// The method and its letters are those of He, Rhemann, Rother, Tang, Sun, "A Global Sampling Method
// for Alpha Matting", CVPR 2011. The search is their SampleMatch: pairs propagate between
// neighbours, and random pairs are tried around the best, in a plane whose axes are the colours in
// order of brightness.
//
// Their cost (Eq. 6) is the sum of the colour's residual in 8-bit units (Eq. 3) and the distances
// to the two samples, in units of the distance to the nearest known pixel of the kind (Eq. 4, 5). A
// sweep reads the pairs of the sweep before, so that the result does not depend on the order of the
// pixels.
#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "base/random.hpp"
#include "prior/known_colours.hpp"
#include "simd/kernels.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/prior.hpp"

namespace trimatte {
namespace {

struct Samples {
    std::int64_t count;
    std::vector<float> planes;  // three colours, y, x
};

// Returns the samples in ascending order of brightness.
Samples samples_at(const ImageView& image, const std::vector<Place>& places, int threads, Monitor& monitor) {
    const std::vector<float> colours = colours_at(image, places, threads, monitor);
    const auto channels = static_cast<std::size_t>(image.channels);
    const auto brightness = [&](std::size_t i) {
        return std::accumulate(colours.begin() + i * channels, colours.begin() + (i + 1) * channels, 0.0f);
    };
    std::vector<std::size_t> order(places.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t i, std::size_t j) { return brightness(i) < brightness(j); });
    Samples samples{static_cast<std::int64_t>(places.size()), std::vector<float>(5 * places.size())};
    for (std::size_t k = 0; k < places.size(); ++k) {
        const std::size_t i = order[k];
        for (std::size_t c = 0; c < 3; ++c) {
            samples.planes[c * places.size() + k] = colours[i * channels + std::min(c, channels - 1)];
        }
        samples.planes[3 * places.size() + k] = static_cast<float>(places[i].y);
        samples.planes[4 * places.size() + k] = static_cast<float>(places[i].x);
    }
    return samples;
}

// The best pairs found so far, one for each unknown pixel.
struct Pairs {
    std::vector<std::int32_t> F, B;
    std::vector<float> alpha, cost;

    explicit Pairs(std::size_t count)
        : F(count), B(count), alpha(count), cost(count, std::numeric_limits<float>::infinity()) {}
};

// The search works on blocks of pixels. The pairs tried for a pixel do not depend on its block.
class Search {
public:
    Search(const ImageView& image, const Label* labels, const SamplingOptions& options, Monitor& monitor)
        : image_(image),
          options_(options),
          monitor_(monitor),
          unknown_(places_of(image, labels, Label::unknown, options.threads, monitor)),
          index_(static_cast<std::size_t>(image.pixels()), -1),
          best_(unknown_.size()),
          next_(unknown_.size()) {
        // The samples are the known pixels that touch the unknown region.
        const KnownPlaces known = known_near_unknown(image, labels, 1, options.threads, monitor);
        F_ = samples_at(image, known.foreground, options.threads, monitor);
        B_ = samples_at(image, known.background, options.threads, monitor);
        const std::size_t n = unknown_.size();
        const std::vector<float> colours = colours_at(image, unknown_, options.threads, monitor);
        const std::vector<float> to_F = distance_to(image, labels, Label::foreground, options.threads, monitor);
        const std::vector<float> to_B = distance_to(image, labels, Label::background, options.threads, monitor);
        const auto channels = static_cast<std::size_t>(image.channels);
        pixels_.resize(7 * n);
        parallel_ranges(static_cast<std::int64_t>(n), options.threads, monitor,
                        [&](std::int64_t begin, std::int64_t end) {
                            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                                const auto at = static_cast<std::size_t>(unknown_[i].y * image.width + unknown_[i].x);
                                index_[at] = static_cast<std::int32_t>(i);
                                for (std::size_t c = 0; c < 3; ++c) {
                                    pixels_[c * n + i] = colours[i * channels + std::min(c, channels - 1)];
                                }
                                pixels_[3 * n + i] = static_cast<float>(unknown_[i].y);
                                pixels_[4 * n + i] = static_cast<float>(unknown_[i].x);
                                pixels_[5 * n + i] = 1 / to_F[at];
                                pixels_[6 * n + i] = 1 / to_B[at];
                            }
                        });
    }

    void run(float* alpha, float* cost) {
        for_blocks([&](Block& block) {
            block.each([&](std::int64_t i, std::int32_t& f, std::int32_t& b) {
                Random random(options_.seed, 0, static_cast<std::uint64_t>(i));
                f = static_cast<std::int32_t>(random.below(F_.count));
                b = static_cast<std::int32_t>(random.below(B_.count));
            });
            attempt(block, best_);
        });
        for (std::int64_t sweep = 0; sweep < options_.sweeps; ++sweep) {
            for_blocks([&](Block& block) {
                block.copy(best_, next_);
                propagate(block);
                try_around(block, sweep);
            });
            std::swap(best_, next_);
            monitor_.set_fraction(static_cast<double>(sweep + 1) / static_cast<double>(options_.sweeps));
        }
        for_blocks([&](const Block& block) {
            for (auto i = static_cast<std::size_t>(block.begin); i < static_cast<std::size_t>(block.end); ++i) {
                const std::int64_t at = unknown_[i].y * image_.width + unknown_[i].x;
                alpha[at] = best_.alpha[i];
                cost[at] = best_.cost[i];
            }
        });
    }

private:
    static constexpr std::int64_t block_size = 512;

    // The unknown pixels [begin, end), and a pair to try for each.
    struct Block {
        std::int64_t begin, end;
        std::array<std::int32_t, block_size> f, b;
        std::array<float, block_size> alpha, cost;

        template <class Choose>
        void each(const Choose& choose) {
            for (std::int64_t i = begin; i < end; ++i) {
                choose(i, f[static_cast<std::size_t>(i - begin)], b[static_cast<std::size_t>(i - begin)]);
            }
        }
        void copy(const Pairs& from, Pairs& to) const {
            std::copy(from.F.begin() + begin, from.F.begin() + end, to.F.begin() + begin);
            std::copy(from.B.begin() + begin, from.B.begin() + end, to.B.begin() + begin);
            std::copy(from.alpha.begin() + begin, from.alpha.begin() + end, to.alpha.begin() + begin);
            std::copy(from.cost.begin() + begin, from.cost.begin() + end, to.cost.begin() + begin);
        }
    };

    template <class Body>
    void for_blocks(const Body& body) {
        const auto count = static_cast<std::int64_t>(unknown_.size());
        parallel_for((count + block_size - 1) / block_size, options_.threads, monitor_, [&](std::int64_t i) {
            Block block;
            block.begin = i * block_size;
            block.end = std::min(count, block.begin + block_size);
            body(block);
        });
    }

    // Replaces pairs by the block's where these cost less.
    void attempt(Block& block, Pairs& pairs) const {
        const auto n = static_cast<std::int64_t>(unknown_.size());
        simd::kernels().pair_costs(block.end - block.begin, pixels_.data() + block.begin, n, F_.planes.data(), F_.count,
                                   block.f.data(), B_.planes.data(), B_.count, block.b.data(), block.alpha.data(),
                                   block.cost.data());
        simd::kernels().take_cheaper(block.end - block.begin, block.f.data(), block.b.data(), block.alpha.data(),
                                     block.cost.data(), pairs.F.data() + block.begin, pairs.B.data() + block.begin,
                                     pairs.alpha.data() + block.begin, pairs.cost.data() + block.begin);
    }

    // Tries the pairs of the eight neighbours.
    void propagate(Block& block) {
        for (std::int64_t dy = -1; dy <= 1; ++dy) {
            for (std::int64_t dx = -1; dx <= 1; ++dx) {
                if (dy == 0 && dx == 0) {
                    continue;
                }
                block.each([&](std::int64_t i, std::int32_t& f, std::int32_t& b) {
                    const Place& p = unknown_[static_cast<std::size_t>(i)];
                    const std::int64_t y = p.y + dy, x = p.x + dx;
                    const bool inside = y >= 0 && y < image_.height && x >= 0 && x < image_.width;
                    const std::int32_t j = inside ? index_[static_cast<std::size_t>(y * image_.width + x)] : -1;
                    const auto from = static_cast<std::size_t>(j >= 0 ? j : i);
                    f = best_.F[from];
                    b = best_.B[from];
                });
                attempt(block, next_);
            }
        }
    }

    // Tries random pairs around the best, in windows of half the size each time.
    void try_around(Block& block, std::int64_t sweep) {
        std::array<std::uint32_t, block_size> random;
        for (std::int64_t i = block.begin; i < block.end; ++i) {
            Random start(options_.seed, static_cast<std::uint64_t>(sweep) + 1, static_cast<std::uint64_t>(i));
            random[static_cast<std::size_t>(i - block.begin)] = static_cast<std::uint32_t>(start.next()) | 1;
        }
        const auto draw = [&](const std::vector<std::int32_t>& best, std::int64_t reach, std::int64_t size,
                              std::array<std::int32_t, block_size>& drawn) {
            simd::kernels().draw_around(block.end - block.begin, random.data(), best.data() + block.begin,
                                        static_cast<std::int32_t>(reach), static_cast<std::int32_t>(size),
                                        drawn.data());
        };
        std::int64_t F_reach = F_.count, B_reach = B_.count;
        for (; F_reach > 1 || B_reach > 1; F_reach = (F_reach + 1) / 2, B_reach = (B_reach + 1) / 2) {
            draw(next_.F, F_reach, F_.count, block.f);
            draw(next_.B, B_reach, B_.count, block.b);
            attempt(block, next_);
        }
    }

    const ImageView& image_;
    const SamplingOptions& options_;
    Monitor& monitor_;
    Samples F_, B_;
    std::vector<Place> unknown_;
    std::vector<std::int32_t> index_;  // for each pixel its number among the unknown ones, or -1
    std::vector<float> pixels_;        // planes; see pair_costs in simd/kernels.hpp
    Pairs best_, next_;
};

}  // namespace

void global_sampling(const ImageView& image, const Label* labels, const SamplingOptions& options, float* alpha,
                     float* cost, Monitor& monitor) {
    monitor.phase("sampling");
    Search(image, labels, options, monitor).run(alpha, cost);
    monitor.finish();
}

}  // namespace trimatte
