// Orthonormal near-null vectors of the cells. Private to this folder.
#pragma once

#include <cmath>
#include <cstdint>

namespace trimatte {

// Modified Gram-Schmidt, twice: N (rows x C, row-major) becomes T with N = T R; R is C x C. A column that is (nearly) a
// combination of those before it becomes zero: colours that differ by less than 1e-4, or cancellation to 1e-5.
template <int C>
void orthonormalise(double* N, std::int64_t rows, double* R) {
    for (int k = 0; k < C * C; ++k) {
        R[k] = 0;
    }
    double first_norm = 0;
    for (int c = 0; c < C; ++c) {
        const auto dot = [&](int a, int b) {
            double sum = 0;
            for (std::int64_t i = 0; i < rows; ++i) {
                sum += N[C * i + a] * N[C * i + b];
            }
            return sum;
        };
        const double before = std::sqrt(dot(c, c));
        for (int pass = 0; pass < 2; ++pass) {
            for (int d = 0; d < c; ++d) {
                const double along = dot(c, d);
                for (std::int64_t i = 0; i < rows; ++i) {
                    N[C * i + c] -= along * N[C * i + d];
                }
                R[C * d + c] += along;
            }
        }
        const double after = std::sqrt(dot(c, c));
        first_norm = c == 0 ? after : first_norm;
        const bool keep = after > 1e-4 * first_norm && after > 1e-5 * before && after > 0;
        const double scale = keep ? 1 / after : 0.0;
        for (std::int64_t i = 0; i < rows; ++i) {
            N[C * i + c] *= scale;
        }
        R[C * c + c] = keep ? after : 0.0;
    }
}

}  // namespace trimatte
