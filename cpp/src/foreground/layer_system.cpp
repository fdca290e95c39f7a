#include "foreground/layer_system.hpp"

#include <algorithm>
#include <utility>

#include "base/zeros.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t room = 16;  // floats before and behind a plane or an array of a row

constexpr std::int64_t shortest_gap = 16;  // known pixels between two runs

// Computes x = D^-1 t for the 2 x 2 block D of each pixel. The determinant of D is
// s (a^2 + b^2) + s^2: the rest of it cancels.
void solve_blocks(std::int64_t count, const float* __restrict alpha, const float* __restrict s,
                  const float* __restrict t_F, const float* __restrict t_B, float* __restrict out_F,
                  float* __restrict out_B) {
    for (std::int64_t x = 0; x < count; ++x) {
        const float a = alpha[x];
        const float b = 1 - a;
        const float inverse = 1 / (s[x] * (a * a + b * b + s[x]));
        out_F[x] = ((b * b + s[x]) * t_F[x] - a * b * t_B[x]) * inverse;
        out_B[x] = ((a * a + s[x]) * t_B[x] - a * b * t_F[x]) * inverse;
    }
}

// Replaces the pixels of one colour; the others stay, or become zero.
void take(std::int64_t count, const std::int32_t* __restrict is_taken, const float* __restrict from,
          bool others_are_zero, float* __restrict x) {
    for (std::int64_t i = 0; i < count; ++i) {
        const float other = others_are_zero ? 0.0f : x[i];
        x[i] = is_taken[i] != 0 ? from[i] : other;
    }
}

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

}  // namespace

LayerSystem::LayerSystem(const float* opacity, std::int64_t rows, std::int64_t columns, float regularization_,
                         float gradient_weight_, const Context& context_)
    : alpha(opacity),
      height(rows),
      width(columns),
      regularization(regularization_),
      gradient_weight(gradient_weight_),
      context(context_),
      first_run(static_cast<std::size_t>(rows + 1), 0) {
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
    for (const Run& run : runs) {
        for (std::int64_t p = run.begin; p < run.end; ++p) {
            number[p] = count++;
        }
    }
    cells = find_cells(*this);
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
    : data(zeros<float>(2 * (system.pixels() + 2 * room), system.context)),
      F(data.data() + room),
      B(data.data() + system.pixels() + 3 * room),
      cells(zeros<float>(system.cells.size(), system.context)) {}

LayerRow::LayerRow(const LayerSystem& system)
    : system_(system), data_(8 * (system.width + 2 * room)), is_even_(system.width + 1) {
    std::fill(data_.begin(), data_.end(), 0.0f);
    float* at = data_.data() + room;
    for (float** array : {&beside_, &above_, &below_, &sum_, &sum_F_, &sum_B_, &new_F_, &new_B_}) {
        *array = at;
        at += system.width + 2 * room;
    }
    for (std::int64_t x = 0; x <= system.width; ++x) {
        is_even_[x] = x % 2 == 0 ? 1 : 0;
    }
}

void LayerRow::find(std::int64_t y) {
    const LayerSystem& system = system_;
    const std::int64_t width = system.width;
    first_ = y * width;
    up_ = y > 0 ? width : 0;
    down_ = y + 1 < system.height ? width : 0;
    const float* a = system.alpha + first_;
    system.for_runs(y, [&](std::int64_t first, std::int64_t end_) {
        const std::int64_t begin = first - first_, end = end_ - first_;
        for (std::int64_t x = begin > 0 ? begin - 1 : 0; x < (end < width ? end : width - 1); ++x) {
            beside_[x] = system.weight(a[x], a[x + 1]);
        }
        for (auto [weight, distance] : {std::pair(above_, -up_), std::pair(below_, down_)}) {
            if (distance == 0) {
                std::fill(weight + begin, weight + end, 0.0f);
                continue;
            }
            const float* other = a + distance;
            for (std::int64_t x = begin; x < end; ++x) {
                weight[x] = system.weight(a[x], other[x]);
            }
        }
        for (std::int64_t x = begin; x < end; ++x) {
            sum_[x] = beside_[x - 1] + beside_[x] + above_[x] + below_[x];
        }
    });
}

// Computes out = rhs + the weighted sum of the neighbours in the columns [begin, end). All arrays
// begin at the row's first pixel.
void LayerRow::add_neighbours(std::int64_t begin, std::int64_t end, const float* rhs, const float* x,
                              float* out_) const {
    const float* up = x - up_;
    const float* down = x + down_;
    float* __restrict out = out_;
    for (std::int64_t i = begin; i < end; ++i) {
        out[i] = rhs[i] + beside_[i - 1] * x[i - 1] + beside_[i] * x[i + 1] + above_[i] * up[i] + below_[i] * down[i];
    }
}

// Computes out = S x. Differences are added up, not products: in flat layers they are small.
void LayerRow::differences(std::int64_t begin, std::int64_t end, const float* x, float* out_) const {
    const float* up = x - up_;
    const float* down = x + down_;
    float* __restrict out = out_;
    for (std::int64_t i = begin; i < end; ++i) {
        out[i] = beside_[i - 1] * (x[i] - x[i - 1]) + beside_[i] * (x[i] - x[i + 1]) + above_[i] * (x[i] - up[i]) +
                 below_[i] * (x[i] - down[i]);
    }
}

void LayerRow::product(const LayerVector& x, LayerVector& out) const {
    const float *alpha = system_.alpha + first_, *F = x.F + first_, *B = x.B + first_;
    float *out_F = out.F + first_, *out_B = out.B + first_;
    system_.for_runs(first_ / system_.width, [&](std::int64_t first, std::int64_t end) {
        differences(first - first_, end - first_, F, out_F);
        differences(first - first_, end - first_, B, out_B);
        for (std::int64_t i = first - first_; i < end - first_; ++i) {
            const float a = alpha[i];
            const float b = 1 - a;
            const float mixed = a * F[i] + b * B[i];
            out_F[i] += a * mixed;
            out_B[i] += b * mixed;
        }
    });
}

void LayerRow::relax(const LayerVector& rhs, int colour, bool from_zero, LayerVector& x) {
    const std::int64_t y = first_ / system_.width;
    const std::int32_t* is_taken = is_even_.data() + (y + colour) % 2;
    const float *rhs_F = rhs.F + first_, *rhs_B = rhs.B + first_;
    float *F = x.F + first_, *B = x.B + first_;
    system_.for_runs(y, [&](std::int64_t first, std::int64_t end_) {
        const std::int64_t begin = first - first_, end = end_ - first_;
        const float *t_F = rhs_F, *t_B = rhs_B;
        if (!from_zero) {
            add_neighbours(begin, end, t_F, F, sum_F_);
            add_neighbours(begin, end, t_B, B, sum_B_);
            t_F = sum_F_;
            t_B = sum_B_;
        }
        solve_blocks(end - begin, system_.alpha + first, sum_ + begin, t_F + begin, t_B + begin, new_F_ + begin,
                     new_B_ + begin);
        take(end - begin, is_taken + begin, new_F_ + begin, from_zero, F + begin);
        take(end - begin, is_taken + begin, new_B_ + begin, from_zero, B + begin);
    });
}

// One pass over a band updates both colours, while the rows are in the cache. The second colour
// follows one row behind the first. The outer rows of a band wait for a second pass, when the
// neighbouring bands are done.
void relax(const LayerSystem& system, const LayerVector& rhs, int first, bool from_zero, LayerVector& x) {
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        LayerRow row(system);
        for (std::int64_t y = begin; y < end; ++y) {
            row.find(y);
            row.relax(rhs, first, from_zero, x);
            if (y - 1 > begin) {
                row.find(y - 1);
                row.relax(rhs, 1 - first, false, x);
            }
        }
    });
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        LayerRow row(system);
        row.find(begin);
        row.relax(rhs, 1 - first, false, x);
        if (end - 1 > begin) {
            row.find(end - 1);
            row.relax(rhs, 1 - first, false, x);
        }
    });
}

}  // namespace trimatte
