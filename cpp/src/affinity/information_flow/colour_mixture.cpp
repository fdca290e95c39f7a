#include "affinity/information_flow/colour_mixture.hpp"

#include <algorithm>
#include <cmath>

namespace trimatte {
namespace {

// What the paper adds to the diagonal of G, whose rank is at most 3.
constexpr double ridge = 1e-3;

// Solves the 3 x 3 system A x = b for a symmetric positive definite A, whose lower triangle is
// (a00, a10, a11, a20, a21, a22), and returns x in b. A is destroyed.
void solve(double* a, double* b) {
    // A = K D K' with a unit lower triangular K
    const double k10 = a[1] / a[0], k20 = a[3] / a[0];
    const double d1 = a[2] - k10 * a[1];
    const double t21 = a[4] - k20 * a[1];
    const double k21 = t21 / d1;
    const double d2 = a[5] - k20 * a[3] - k21 * t21;
    b[1] -= k10 * b[0];
    b[2] -= k20 * b[0] + k21 * b[1];
    b[2] /= d2;
    b[1] = b[1] / d1 - k21 * b[2];
    b[0] = b[0] / a[0] - k10 * b[1] - k20 * b[2];
}

}  // namespace

Features::Features(const ImageView& image, double place_weight, const Context& context)
    : data_(image.pixels() * dimensions) {
    parallel_for(image.height, context.threads, context.monitor, [&](std::int64_t y) {
        std::vector<float> row(static_cast<std::size_t>(image.width * image.channels));
        load_row(image, y, image.width, row.data());
        const auto place_y =
            static_cast<float>(place_weight * static_cast<double>(y) / static_cast<double>(image.height));
        for (std::int64_t x = 0; x < image.width; ++x) {
            float* out = data_.data() + (y * image.width + x) * dimensions;
            for (int c = 0; c < 3; ++c) {
                out[c] = row[static_cast<std::size_t>(std::min(c, image.channels - 1) * image.width + x)];
            }
            out[3] = static_cast<float>(place_weight * static_cast<double>(x) / static_cast<double>(image.width));
            out[4] = place_y;
        }
    });
}

Buffer<float> Features::of_all(const std::int32_t* pixel, std::int64_t count, const Context& context) const {
    Buffer<float> result(count * dimensions);
    parallel_ranges(count, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            std::copy_n(of(pixel[i]), dimensions, result.data() + i * dimensions);
        }
    });
    return result;
}

Buffer<std::int32_t> pixels_of(const Label* labels, std::int64_t pixels, Label label) {
    Buffer<std::int32_t> result(std::count(labels, labels + pixels, label));
    std::int32_t* out = result.data();
    for (std::int64_t p = 0; p < pixels; ++p) {
        if (labels[p] == label) {
            *out++ = static_cast<std::int32_t>(p);
        }
    }
    return result;
}

// With D, whose rows are c - c_i, G = D D' + e I. By Woodbury's identity G^-1 1 is a multiple of
//     1 - D (D'D + e I)^-1 D'1
// so that a system of 3 x 3 suffices for any number of neighbours.
void mix(const Features& features, std::int64_t pixel, const std::int32_t* neighbours, int count, double* w) {
    const float* c = features.of(pixel);
    double a[6] = {ridge, 0, ridge, 0, 0, ridge}, b[3] = {};
    for (int k = 0; k < count; ++k) {
        if (neighbours[k] < 0) {
            continue;
        }
        const float* ck = features.of(neighbours[k]);
        double d[3];
        for (int i = 0; i < 3; ++i) {
            d[i] = static_cast<double>(c[i]) - static_cast<double>(ck[i]);
            b[i] += d[i];
        }
        a[0] += d[0] * d[0];
        a[1] += d[1] * d[0];
        a[2] += d[1] * d[1];
        a[3] += d[2] * d[0];
        a[4] += d[2] * d[1];
        a[5] += d[2] * d[2];
    }
    solve(a, b);
    double sum = 0;
    for (int k = 0; k < count; ++k) {
        w[k] = 0;
        if (neighbours[k] >= 0) {
            const float* ck = features.of(neighbours[k]);
            w[k] = 1;
            for (int i = 0; i < 3; ++i) {
                w[k] -= (static_cast<double>(c[i]) - static_cast<double>(ck[i])) * b[i];
            }
            sum += w[k];
        }
    }
    for (int k = 0; k < count; ++k) {
        w[k] /= sum;
    }
}

}  // namespace trimatte
