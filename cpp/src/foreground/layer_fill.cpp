#include "foreground/layer_fill.hpp"

#include <algorithm>
#include <vector>

namespace trimatte {
namespace {

constexpr int sweeps = 4;                      // on each level but the finest
constexpr int last_sweeps = 2;                 // on the finest level
constexpr std::int64_t parallel_from = 16384;  // levels with fewer cells run on one thread

// Colours of all channels lie side by side, as in the layers. The finest level has no values of its
// own: it works on the layer.
struct Level {
    std::int64_t height, width;
    Buffer<float> own;
    Buffer<std::uint8_t> is_known;
    float* value = nullptr;
};

template <int channels>
class Pyramid {
public:
    Pyramid(const LayerSystem& system, float seen) : context_(system.context) {
        for (std::int64_t h = system.height, w = system.width;; h = (h + 1) / 2, w = (w + 1) / 2) {
            levels_.push_back(
                {h, w, Buffer<float>(levels_.empty() ? 0 : channels * h * w), Buffer<std::uint8_t>(h * w)});
            levels_.back().value = levels_.back().own.data();
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
                system.for_runs(y, [&](const LayerSystem::Run& run) {
                    std::fill(finest.is_known.data() + run.begin, finest.is_known.data() + run.end, std::uint8_t{1});
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

    void fill(float* layer) {
        levels_[0].value = layer;
        for (std::size_t l = 1; l < levels_.size(); ++l) {
            average(l);
        }
        for (std::size_t l = levels_.size() - 1; l-- > 0;) {
            const Level& coarse = levels_[l + 1];
            Level& level = levels_[l];
            for_cells(l, [&](std::int64_t y, std::int64_t x, std::int64_t at) {
                if (level.is_known[at] == 0) {
                    const float* from = coarse.value + channels * (y / 2 * coarse.width + x / 2);
                    std::copy_n(from, channels, level.value + channels * at);
                }
            });
            for (int i = 0; i < 2 * (l == 0 ? last_sweeps : sweeps); ++i) {
                relax(l, i % 2);
            }
        }
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

    // Sets the cells of a level to the means of their known children.
    void average(std::size_t l) {
        const Level& fine = levels_[l - 1];
        for_cells(l, [&](std::int64_t y, std::int64_t x, std::int64_t at) {
            float sum[channels] = {}, count = 0;
            for_children(l, y, x, [&](std::int64_t child) {
                if (fine.is_known[child] != 0) {
                    for (int c = 0; c < channels; ++c) {
                        sum[c] += fine.value[channels * child + c];
                    }
                    ++count;
                }
            });
            for (int c = 0; c < channels; ++c) {
                levels_[l].value[channels * at + c] = count > 0 ? sum[c] / count : 0.0f;
            }
        });
    }

    // Sets a cell to the mean of its four neighbours; rows lie `row` numbers apart.
    static void set_to_mean_inside(float* own, std::int64_t row) {
        for (int c = 0; c < channels; ++c) {
            own[c] = 0.25f * (own[c - row] + own[c + row] + own[c - channels] + own[c + channels]);
        }
    }
    // Sets a cell at the border to the mean of the neighbours that it has.
    static void set_to_mean(const Level& level, std::int64_t y, std::int64_t x) {
        float* own = level.value + channels * (y * level.width + x);
        float sum[channels] = {}, count = 0;
        const auto add = [&](bool is_there, std::int64_t cells) {
            for (int c = 0; c < channels && is_there; ++c) {
                sum[c] += own[channels * cells + c];
            }
            count += is_there ? 1.0f : 0.0f;
        };
        add(y > 0, -level.width);
        add(y + 1 < level.height, level.width);
        add(x > 0, -1);
        add(x + 1 < level.width, 1);
        for (int c = 0; c < channels; ++c) {
            own[c] = sum[c] / count;
        }
    }

    // Sets the unknown cells of one colour of the checkerboard to the means of their neighbours.
    void relax(std::size_t l, int colour) {
        const Level& level = levels_[l];
        const std::int64_t width = level.width;
        for_rows(l, [&](std::int64_t y) {
            for (std::int64_t x = (y + colour) % 2; x < width; x += 2) {
                const std::int64_t at = y * width + x;
                if (level.is_known[at] == 0) {
                    const bool is_inside = y > 0 && y + 1 < level.height && x > 0 && x + 1 < width;
                    if (is_inside) {
                        set_to_mean_inside(level.value + channels * at, channels * width);
                    } else {
                        set_to_mean(level, y, x);
                    }
                }
            }
        });
    }

    Context context_;
    std::vector<Level> levels_;
};

template <int channels>
void fill_layer(const LayerSystem& system, float seen, float* layer) {
    Pyramid<channels> pyramid(system, seen);
    if (pyramid.is_needed()) {
        pyramid.fill(layer);
    }
}

}  // namespace

void fill_deep(const LayerSystem& system, int channels, float* foreground, float* background) {
    const auto fill = channels == 1 ? fill_layer<1> : fill_layer<3>;
    fill(system, 1, foreground);
    fill(system, 0, background);
}

}  // namespace trimatte
