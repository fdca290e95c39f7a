#include "foreground/layer_system.hpp"

#include <algorithm>
#include <utility>

#include "base/zeros.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t room = 16;  // floats before and behind a plane

constexpr std::int64_t shortest_gap = 16;  // known pixels between two runs

// Finds the runs of pixels of row y that are not deep. Runs with a short gap between them are one.
std::vector<LayerSystem::Run> runs_of_row(const LayerSystem& system, std::int64_t y) {
    std::vector<LayerSystem::Run> runs;
    const std::int64_t first = y * system.width;
    for (std::int64_t x = 0; x < system.width; ++x) {
        if (system.is_deep(y, x)) {
            continue;
        }
        if (!runs.empty() && first + x - runs.back().end < shortest_gap) {
            runs.back().end = first + x + 1;
        } else {
            runs.push_back({first + x, first + x + 1});
        }
    }
    return runs;
}

// Finds the pixels of row y that are in a run or have a neighbour in one. Places are set later.
std::vector<LayerSystem::Stored> stored_of_row(const LayerSystem& system, std::int64_t y) {
    const std::int64_t first = y * system.width, last = first + system.width;
    std::vector<LayerSystem::Stored> parts;
    for (std::int64_t v = std::max<std::int64_t>(y - 1, 0); v < std::min(y + 2, system.height); ++v) {
        const std::int64_t shift = first - v * system.width, beside = v == y ? 1 : 0;
        system.for_runs(v, [&](const LayerSystem::Run& run) {
            parts.push_back({std::max(first, run.begin + shift - beside), std::min(last, run.end + shift + beside), 0});
        });
    }
    std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    std::vector<LayerSystem::Stored> joined;
    for (const LayerSystem::Stored& part : parts) {
        if (!joined.empty() && part.begin <= joined.back().end) {
            joined.back().end = std::max(joined.back().end, part.end);
        } else {
            joined.push_back(part);
        }
    }
    return joined;
}

}  // namespace

LayerSystem::LayerSystem(const float* opacity, std::int64_t height_, std::int64_t width_, float regularization_,
                         float gradient_weight_, const Context& context_)
    : alpha(opacity),
      height(height_),
      width(width_),
      regularization(regularization_),
      gradient_weight(gradient_weight_),
      context(context_),
      first_run(static_cast<std::size_t>(height_ + 1), 0) {
    std::vector<std::vector<Run>> of_row(static_cast<std::size_t>(height));
    for_bands([&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            of_row[static_cast<std::size_t>(y)] = runs_of_row(*this, y);
        }
    });
    for (std::size_t y = 0; y < of_row.size(); ++y) {
        runs.insert(runs.end(), of_row[y].begin(), of_row[y].end());
        first_run[y + 1] = static_cast<std::int64_t>(runs.size());
    }
    number = Buffer<std::int32_t>(pixels());
    for_bands([&](std::int64_t begin, std::int64_t end) {
        std::fill(number.data() + begin * width, number.data() + end * width, -1);
    });
    std::int32_t count = 0;
    std::int64_t before = 0;
    for (Run& run : runs) {
        run.place = count + ++before;
        for (std::int64_t p = run.begin; p < run.end; ++p) {
            number[p] = count++;
        }
    }
    find_stored();
    cells = find_cells(*this);
    find_rows();
}

// Above and below a run, all its pixels are stored, so that the distance to them is the same for the
// whole run. The pixels at its two ends are stored too.
void LayerSystem::find_stored() {
    std::vector<std::vector<Stored>> of_row(static_cast<std::size_t>(height));
    for_bands([&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            of_row[static_cast<std::size_t>(y)] = stored_of_row(*this, y);
        }
    });
    std::int64_t place = 0;
    first_stored.assign(1, 0);
    for (const std::vector<Stored>& row : of_row) {
        for (const Stored& part : row) {
            stored.push_back({part.begin, part.end, place});
            place += part.end - part.begin;
        }
        first_stored.push_back(static_cast<std::int64_t>(stored.size()));
    }
    for_bands([&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = first_run[static_cast<std::size_t>(begin)]; k < first_run[static_cast<std::size_t>(end)];
             ++k) {
            Run& run = runs[static_cast<std::size_t>(k)];
            run.in_vector = place_of(run.begin);
            run.up = run.begin >= width ? run.in_vector - place_of(run.begin - width) : 0;
            run.down = run.begin + width < pixels() ? place_of(run.begin + width) - run.in_vector : 0;
        }
    });
}

std::int64_t LayerSystem::place_of(std::int64_t p) const {
    const auto y = static_cast<std::size_t>(p / width);
    const auto behind = std::upper_bound(stored.begin() + first_stored[y], stored.begin() + first_stored[y + 1], p,
                                         [](std::int64_t pixel, const Stored& part) { return pixel < part.begin; });
    const Stored& part = *(behind - 1);
    return part.place + p - part.begin;
}

void LayerSystem::find_rows() {
    const std::int64_t size = unknowns() + static_cast<std::int64_t>(runs.size()) + 1;
    for (Buffer<float>* array : {&rows.beside, &rows.above, &rows.below, &rows.FF, &rows.FB, &rows.BB}) {
        *array = Buffer<float>(size);
    }
    for_bands([&](std::int64_t first, std::int64_t end) {
        for (std::int64_t y = first; y < end; ++y) {
            for (std::int64_t k = first_run[static_cast<std::size_t>(y)];
                 k < first_run[static_cast<std::size_t>(y + 1)]; ++k) {
                find_run(y, runs[static_cast<std::size_t>(k)]);
            }
        }
    });
}

// The determinant of the block [a^2 + s, a b; a b, b^2 + s] is s (a^2 + b^2) + s^2: the rest of it
// cancels.
void LayerSystem::find_run(std::int64_t y, const Run& run) {
    const std::int64_t x = run.begin - y * width;
    const float* a = alpha + run.begin;
    float* beside = rows.beside.data() + run.place;
    beside[-1] = x > 0 ? weight(a[0], a[-1]) : 0.0f;
    for (std::int64_t i = 0; i < run.end - run.begin; ++i) {
        const float above = y > 0 ? weight(a[i], a[i - width]) : 0.0f;
        const float below = y + 1 < height ? weight(a[i], a[i + width]) : 0.0f;
        beside[i] = x + i + 1 < width ? weight(a[i], a[i + 1]) : 0.0f;
        const float s = beside[i - 1] + beside[i] + above + below;
        const float b = 1 - a[i];
        const float inverse = 1 / (s * (a[i] * a[i] + b * b + s));
        rows.above[run.place + i] = above;
        rows.below[run.place + i] = below;
        rows.FF[run.place + i] = (b * b + s) * inverse;
        rows.FB[run.place + i] = a[i] * b * inverse;
        rows.BB[run.place + i] = (a[i] * a[i] + s) * inverse;
    }
}

bool LayerSystem::is_deep(std::int64_t y, std::int64_t x) const {
    const float* a = alpha + y * width + x;
    return (a[0] == 0 || a[0] == 1) && (x == 0 || a[-1] == a[0]) && (x + 1 == width || a[1] == a[0]) &&
           (y == 0 || a[-width] == a[0]) && (y + 1 == height || a[width] == a[0]);
}

std::int64_t LayerSystem::unknowns() const {
    std::int64_t count = 0;
    for (const Run& run : runs) {
        count += run.end - run.begin;
    }
    return count;
}

LayerVector::LayerVector(const LayerSystem& system)
    : data(zeros<float>(2 * (system.stored_pixels() + 2 * room), system.context)),
      F(data.data() + room),
      B(data.data() + system.stored_pixels() + 3 * room),
      cells(zeros<float>(system.cells.size(), system.context)) {}

void product(const LayerSystem& system, std::int64_t y, const LayerVectors& x, const LayerVectors& out) {
    system.for_layer_runs(y, [&](const LayerSystem::Run& run, const simd::LayerRun& row) {
        const std::int64_t p = run.in_vector;
        for (std::size_t c = 0; c < x.size(); ++c) {
            simd::kernels().multiply_layers(row, x[c]->F + p, x[c]->B + p, out[c]->F + p, out[c]->B + p);
        }
    });
}

// One pass over a band updates both colours, while the rows are in the cache. The second colour
// follows one row behind the first, and `use` another row behind. The outer rows of a band wait for
// two more passes, when the neighbouring bands are done.
void relax(const LayerSystem& system, const LayerVectors& rhs, int first, bool from_zero, const LayerVectors& x,
           const std::function<void(std::int64_t)>& prepare, const std::function<void(std::int64_t)>& use) {
    const auto relax_row = [&](std::int64_t y, int colour, bool is_zero) {
        system.for_layer_runs(y, [&](const LayerSystem::Run& run, const simd::LayerRun& row) {
            const std::int64_t column = run.begin - y * system.width, p = run.in_vector;
            for (std::size_t c = 0; c < x.size(); ++c) {
                simd::kernels().relax_layers(row, rhs[c]->F + p, rhs[c]->B + p, (y + column + colour) % 2, is_zero,
                                             x[c]->F + p, x[c]->B + p);
            }
        });
    };
    constexpr std::int64_t outer = 2;  // rows at either end of a band whose neighbours wait
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            if (prepare) {
                prepare(y);
            }
            relax_row(y, first, from_zero);
            if (y - 1 > begin) {
                relax_row(y - 1, 1 - first, false);
            }
            if (y - outer >= begin + outer) {
                use(y - outer);
            }
        }
    });
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        relax_row(begin, 1 - first, false);
        if (end - 1 > begin) {
            relax_row(end - 1, 1 - first, false);
        }
    });
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            if (y < begin + outer || y >= end - outer) {
                use(y);
            }
        }
    });
}

}  // namespace trimatte
