#include "foreground/layer_system.hpp"

#include <algorithm>
#include <utility>

#include "base/zeros.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t room = 16;  // floats before and behind a plane or an array of a row

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

}  // namespace

LayerVector::LayerVector(std::int64_t pixels, const Context& context)
    : data(zeros<float>(2 * (pixels + 2 * room), context)),
      F(data.data() + room),
      B(data.data() + pixels + 3 * room) {}

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
    y_ = y;
    up_ = y > 0 ? width : 0;
    down_ = y + 1 < system.height ? width : 0;
    const float* a = system.alpha + y * width;
    for (std::int64_t x = 0; x + 1 < width; ++x) {
        beside_[x] = system.weight(a[x], a[x + 1]);
    }
    for (auto [weight, distance] : {std::pair(above_, -up_), std::pair(below_, down_)}) {
        if (distance == 0) {
            std::fill(weight, weight + width, 0.0f);
            continue;
        }
        const float* other = a + distance;
        for (std::int64_t x = 0; x < width; ++x) {
            weight[x] = system.weight(a[x], other[x]);
        }
    }
    for (std::int64_t x = 0; x < width; ++x) {
        sum_[x] = beside_[x - 1] + beside_[x] + above_[x] + below_[x];
    }
}

// Computes out = rhs + the weighted sum of the neighbours. All arrays begin at the row's first pixel.
void LayerRow::add_neighbours(const float* rhs, const float* x, float* out_) const {
    const float* up = x - up_;
    const float* down = x + down_;
    float* __restrict out = out_;
    for (std::int64_t i = 0; i < system_.width; ++i) {
        out[i] = rhs[i] + beside_[i - 1] * x[i - 1] + beside_[i] * x[i + 1] + above_[i] * up[i] + below_[i] * down[i];
    }
}

void LayerRow::product(const LayerVector& x, float* out_F, float* out_B) const {
    const std::int64_t at = y_ * system_.width;
    const float* alpha = system_.alpha + at;
    const float* F = x.F + at;
    const float* B = x.B + at;
    // Differences are added up, not products: in flat layers they are small.
    for (auto [layer, out_] : {std::pair(F, out_F), std::pair(B, out_B)}) {
        const float* up = layer - up_;
        const float* down = layer + down_;
        float* __restrict out = out_;
        for (std::int64_t i = 0; i < system_.width; ++i) {
            out[i] = beside_[i - 1] * (layer[i] - layer[i - 1]) + beside_[i] * (layer[i] - layer[i + 1]) +
                     above_[i] * (layer[i] - up[i]) + below_[i] * (layer[i] - down[i]);
        }
    }
    for (std::int64_t i = 0; i < system_.width; ++i) {
        const float a = alpha[i];
        const float b = 1 - a;
        const float mixed = a * F[i] + b * B[i];
        out_F[i] += a * mixed;
        out_B[i] += b * mixed;
    }
}

void LayerRow::relax(const LayerVector& rhs, int colour, bool from_zero, LayerVector& x) {
    const std::int64_t width = system_.width, at = y_ * width;
    const std::int32_t* is_taken = is_even_.data() + (y_ + colour) % 2;
    const float *t_F = rhs.F + at, *t_B = rhs.B + at;
    if (!from_zero) {
        add_neighbours(t_F, x.F + at, sum_F_);
        add_neighbours(t_B, x.B + at, sum_B_);
        t_F = sum_F_;
        t_B = sum_B_;
    }
    solve_blocks(width, system_.alpha + at, sum_, t_F, t_B, new_F_, new_B_);
    take(width, is_taken, new_F_, from_zero, x.F + at);
    take(width, is_taken, new_B_, from_zero, x.B + at);
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
