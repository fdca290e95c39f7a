#include <cstdlib>
#include <cstring>

#include "simd/kernels.hpp"

namespace trimatte::simd {
namespace {

// The features are those that CMakeLists.txt compiles each level with.
Level best_of_machine() {
#if defined(TRIMATTE_SIMD_LEVELS)
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    return v4 ? Level::v4 : v3 ? Level::v3 : Level::baseline;
#else
    return Level::baseline;
#endif
}

// TRIMATTE_SIMD may ask for less than the machine has, never for more.
Level find_level() {
    const Level best = best_of_machine();
    const char* wanted = std::getenv("TRIMATTE_SIMD");
    if (wanted == nullptr) {
        return best;
    }
    const Level level = std::strcmp(wanted, "baseline") == 0 ? Level::baseline
                        : std::strcmp(wanted, "v3") == 0     ? Level::v3
                                                             : best;
    return level < best ? level : best;
}

Level level() {
    static const Level found = find_level();
    return found;
}

}  // namespace

const Kernels& kernels() {
#if defined(TRIMATTE_SIMD_LEVELS)
    switch (level()) {
        case Level::v4: return v4::kernels;
        case Level::v3: return v3::kernels;
        case Level::baseline: break;
    }
#endif
    return baseline::kernels;
}

bool fused_products() {
    static const bool fused = best_of_machine() != Level::baseline;
    return fused;
}

const char* level_name() {
    switch (level()) {
        case Level::v4: return "v4";
        case Level::v3: return "v3";
        case Level::baseline: break;
    }
    return "baseline";
}

}  // namespace trimatte::simd
