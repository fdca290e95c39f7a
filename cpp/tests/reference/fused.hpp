// The products of kernels, one number at a time, without trust in the C library's fma().
#pragma once

#include <cmath>

#include "simd/kernels.hpp"

namespace trimatte::test {

// a * b + c, rounded once. MinGW's fma() rounds twice, so that GCC and Clang take the processor's.
#if defined(__GNUC__) && defined(__x86_64__)
__attribute__((target("fma")))
#endif
inline double fused(double a, double b, double c) {
    return std::fma(a, b, c);
}

// c - a * b as the kernels of the Cholesky factorisation round it.
inline double minus(double c, double a, double b) {
    const double product = a * b;
    return simd::fused_products() ? fused(-a, b, c) : c - product;
}

}  // namespace trimatte::test
