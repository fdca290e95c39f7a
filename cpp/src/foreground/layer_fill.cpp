#include "foreground/layer_fill.hpp"

#include <algorithm>
#include <vector>

namespace trimatte {
namespace {

constexpr int sweeps = 4;                      // on each level but the finest
constexpr int last_sweeps = 2;                 // on the finest level
constexpr std::int64_t parallel_from = 16384;  // levels with fewer cells run on one thread

struct Level {
    std::int64_t height, width;
    Buffer<float> value;
    Buffer<std::uint8_t> is_known;
};

class Pyramid {
public:
    Pyramid(const LayerSystem& system, float seen) : context_(system.context) {
        for (std::int64_t h = system.height, w = system.width;; h = (h + 1) / 2, w = (w + 1) / 2) {
            levels_.push_back({h, w, Buffer<float>(h * w), Buffer<std::uint8_t>(h * w)});
            if (h * w == 1) {
                break;
            }
        }
        // All pixels are known but the deep ones in which the layer is not seen.
        Level& finest = levels_.front();
        system.for_bands([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin * system.width; p < end * system.width; ++p) {
                finest.is_known[p] = system.alpha[p] == seen ? 1 : 0;
            }
            for (std::int64_t y = begin; y < end; ++y) {
                system.for_runs(y, [&](std::int64_t from, std::int64_t to) {
                    std::fill(finest.is_known.data() + from, finest.is_known.data() + to, std::uint8_t{1});
                });
            }
        });
        for (std::size_t l = 1; l < levels_.size(); ++l) {
            for_cells(l, [&](std::int64_t y, std::int64_t x, std::int64_t at) {
                std::uint8_t any = 0;
                for_children(l, y, x, [&](std::int64_t child) { any |= levels_[l - 1].is_known[child]; });
                levels_[l].is_known[at] = any;
            });
        }
    }

    // Whether a pixel has to be filled, and another one is known.
    bool is_needed() const {
        const Buffer<std::uint8_t>& known = levels_.front().is_known;
        return levels_.back().is_known[0] != 0 && std::find(known.begin(), known.end(), 0) != known.end();
    }

    // Fills the numbers first + stride * pixel of a layer.
    void fill(float* layer, std::int64_t stride) {
        for_cells(0, [&](std::int64_t, std::int64_t, std::int64_t at) { levels_[0].value[at] = layer[stride * at]; });
        for (std::size_t l = 1; l < levels_.size(); ++l) {
            const Level& fine = levels_[l - 1];
            for_cells(l, [&](std::int64_t y, std::int64_t x, std::int64_t at) {
                float sum = 0, count = 0;
                for_children(l, y, x, [&](std::int64_t child) {
                    sum += fine.is_known[child] != 0 ? fine.value[child] : 0.0f;
                    count += fine.is_known[child] != 0 ? 1.0f : 0.0f;
                });
                levels_[l].value[at] = count > 0 ? sum / count : 0.0f;
            });
        }
        for (std::size_t l = levels_.size() - 1; l-- > 0;) {
            const Level& coarse = levels_[l + 1];
            Level& level = levels_[l];
            for_cells(l, [&](std::int64_t y, std::int64_t x, std::int64_t at) {
                if (level.is_known[at] == 0) {
                    level.value[at] = coarse.value[y / 2 * coarse.width + x / 2];
                }
            });
            for (int i = 0; i < 2 * (l == 0 ? last_sweeps : sweeps); ++i) {
                relax(l, i % 2);
            }
        }
        for_cells(0, [&](std::int64_t, std::int64_t, std::int64_t at) { layer[stride * at] = levels_[0].value[at]; });
    }

private:
    // Runs body(y) for all rows of a level, in parallel.
    template <typename Body>
    void for_rows(std::size_t l, const Body& body) {
        const Level& level = levels_[l];
        const int threads = level.height * level.width < parallel_from ? 1 : context_.threads;
        parallel_for((level.height + layer_band - 1) / layer_band, threads, context_.monitor, [&](std::int64_t i) {
            for (std::int64_t y = i * layer_band; y < std::min(level.height, (i + 1) * layer_band); ++y) {
                body(y);
            }
        });
    }

    // Runs body(y, x, y * width + x) for all cells of a level, in parallel.
    template <typename Body>
    void for_cells(std::size_t l, const Body& body) {
        const std::int64_t width = levels_[l].width;
        for_rows(l, [&](std::int64_t y) {
            for (std::int64_t x = 0; x < width; ++x) {
                body(y, x, y * width + x);
            }
        });
    }

    // Runs body(child) for the up to four cells of the level below.
    template <typename Body>
    void for_children(std::size_t l, std::int64_t y, std::int64_t x, const Body& body) const {
        const Level& fine = levels_[l - 1];
        for (std::int64_t v = 2 * y; v < std::min(fine.height, 2 * y + 2); ++v) {
            for (std::int64_t u = 2 * x; u < std::min(fine.width, 2 * x + 2); ++u) {
                body(v * fine.width + u);
            }
        }
    }

    // Sets the unknown cells of one colour of the checkerboard to the means of their neighbours.
    void relax(std::size_t l, int colour) {
        Level& level = levels_[l];
        float* value = level.value.data();
        const std::int64_t width = level.width;
        for_rows(l, [&](std::int64_t y) {
            const std::int64_t up = y > 0 ? -width : 0, down = y + 1 < level.height ? width : 0;
            const float rows = (up != 0 ? 1.0f : 0.0f) + (down != 0 ? 1.0f : 0.0f);
            for (std::int64_t x = (y + colour) % 2; x < width; x += 2) {
                const std::int64_t at = y * width + x;
                if (level.is_known[at] != 0) {
                    continue;
                }
                const bool has_left = x > 0, has_right = x + 1 < width;
                const float count = rows + (has_left ? 1.0f : 0.0f) + (has_right ? 1.0f : 0.0f);
                const float sum = (up != 0 ? value[at + up] : 0.0f) + (down != 0 ? value[at + down] : 0.0f) +
                                  (has_left ? value[at - 1] : 0.0f) + (has_right ? value[at + 1] : 0.0f);
                value[at] = count == 4 ? 0.25f * sum : sum / count;
            }
        });
    }

    Context context_;
    std::vector<Level> levels_;
};

}  // namespace

void fill_deep(const LayerSystem& system, int channels, float* foreground, float* background) {
    for (const bool is_foreground : {true, false}) {
        Pyramid pyramid(system, is_foreground ? 1.0f : 0.0f);
        for (int c = 0; c < channels && pyramid.is_needed(); ++c) {
            pyramid.fill((is_foreground ? foreground : background) + c, channels);
        }
    }
}

}  // namespace trimatte
