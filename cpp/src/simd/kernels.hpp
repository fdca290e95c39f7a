// The few loops that are compiled once for each instruction set and chosen when first used. All levels give the same
// bits: no multiply and add is contracted, and no sum is reordered.
//
// Rules for the files behind this header (kernels_*.inl): raw pointers only, helpers in the level's own namespace, no
// Eigen, no standard templates. The linker keeps one copy of a template for everybody, and would then run AVX code on a
// machine that lacks it.
#pragma once

#include <cstdint>

namespace trimatte::simd {

constexpr int lanes = 32;  // windows that one call handles: their colours stay in the first-level cache
using Lanes = double[lanes];

struct Kernels {
    // Closed-form affinity, windows of 3 x 3 pixels; see closed_form_3x3.cpp.
    // y[a * channels + c][i]: whitened colour of pixel a of window i. rows: the three rows of colours at the first
    // window's left column, channel c at c * stride. e: epsilon / 9.
    void (*whiten)(int channels, const double* const* rows, std::int64_t stride, int count, double e, Lanes* y);
    // Adds the windows' 45 entries; planes_at: plane 0 of their three picture rows at the first window's left column.
    void (*add_entries)(int channels, const Lanes* y, int count, std::int64_t stride, double* const* planes_at);

    // Multi-level foreground; see multilevel.cpp.
    // weight[k] = base + slope |a[2 k] - neighbour[2 k]|
    void (*weigh)(const float* a, const float* neighbour, std::int64_t count, float base, float slope, float* weight);
    // Scales the four weights to sum 1; inverse_k = 1 / (a^2 + (1 - a)^2 + their sum), a = a[2 k].
    void (*normalise)(const float* a, std::int64_t count, float* left, float* right, float* up, float* down,
                      float* inverse_k);
    // One channel of the pixels' new F and B. F_at, B_at, weights: left, right, up, down.
    void (*update)(std::int64_t count, const float* a, const float* image, const float* const* weights,
                   const float* inverse_k, const float* const* F_at, const float* const* B_at, float* F, float* B);
    // The nearest F and B in [0, 1] with a F + (1 - a) B = I.
    void (*make_exact)(const float* a, const float* I, std::int64_t count, float* F, float* B);
};

enum class Level { baseline, v3, v4 };

// The kernels in use: the best that the machine has, or what the environment variable TRIMATTE_SIMD names.
const Kernels& kernels();
// Name of the level in use: "baseline", "v3" (x86-64-v3) or "v4" (x86-64-v4).
const char* level_name();

namespace baseline {
extern const Kernels kernels;
}
#if defined(TRIMATTE_SIMD_LEVELS)
namespace v3 {
extern const Kernels kernels;
}
namespace v4 {
extern const Kernels kernels;
}
#endif

}  // namespace trimatte::simd
