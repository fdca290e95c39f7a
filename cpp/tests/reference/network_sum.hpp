// a * b + sum as the products of networks round it, without fmaf(), which not every C library rounds right.
#pragma once

#include "simd/kernels.hpp"

namespace trimatte::test {

inline float network_sum(float a, float b, float sum) {
    if (simd::fused_products()) {
        // The product of two floats is exact, and the sum has digits to spare.
        const auto exact = [](float x) { return static_cast<long double>(x); };
        return static_cast<float>(exact(a) * exact(b) + exact(sum));
    }
    const float product = a * b;
    return sum + product;
}

}  // namespace trimatte::test
