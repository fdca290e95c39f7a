#include <cstdlib>
#include <cstring>

#include "simd/kernels.hpp"

#if defined(TRIMATTE_SIMD_LEVELS) && defined(_MSC_VER)
#include <intrin.h>
#endif

namespace trimatte::simd {
namespace {

#if defined(TRIMATTE_SIMD_LEVELS) && defined(_MSC_VER)
// The bits are those of Intel's manual, volume 2, CPUID. The system has to keep the upper halves of
// the registers too: bits 1 and 2 of XCR0.
bool has_v3() {
    int leaf[4];  // EAX, EBX, ECX, EDX
    const auto has = [&](int part, int bit) { return (leaf[part] >> bit & 1) != 0; };
    __cpuid(leaf, 0);
    if (leaf[0] < 7) {
        return false;
    }
    __cpuid(leaf, 1);
    const bool fma = has(2, 12), keeps_registers = has(2, 27) && (_xgetbv(0) & 6) == 6;
    __cpuidex(leaf, 7, 0);
    const bool bmi = has(1, 3), avx2 = has(1, 5), bmi2 = has(1, 8);
    return fma && keeps_registers && bmi && avx2 && bmi2;
}
#endif

// The features are those that CMakeLists.txt compiles each level with.
Level best_of_machine() {
#if defined(TRIMATTE_SIMD_LEVELS) && defined(_MSC_VER)
    return has_v3() ? Level::v3 : Level::baseline;
#elif defined(TRIMATTE_SIMD_LEVELS)
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
#if TRIMATTE_SIMD_LEVELS > 2
        case Level::v4: return v4::kernels;
#else
        case Level::v4:
#endif
        case Level::v3: return v3::kernels;
        case Level::baseline: break;
    }
#endif
    return baseline::kernels;
}

bool fused_products() {
#if defined(__aarch64__)
    return true;  // every arm64 processor has the instructions, and the baseline uses them
#else
    static const bool fused = best_of_machine() != Level::baseline;
    return fused;
#endif
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
