// Makes vectors orthonormal by way of their Gram matrix, as the twin of kernels_prolongation.inl.
#pragma once

#include <cmath>

namespace trimatte {

// Takes the Gram matrix X^T X (row-major, upper triangle) of C vectors X. Finds R and W with X = T
// R and T = X W, where T is orthonormal and R and W are upper triangular. A vector that is (nearly)
// a combination of those before it gets zeros in T and on the diagonal of R. This holds for colours
// that differ by less than 1e-4, and for cancellation to 1e-5.
template <int C>
struct Orthonormal {
    double R[C][C] = {};
    double W[C][C] = {};

    explicit Orthonormal(const double* gram) {
        for (int c = 0; c < C; ++c) {
            double rest = gram[C * c + c];
            for (int d = 0; d < c; ++d) {
                double sum = 0;  // T_d . X_c
                for (int e = 0; e <= d; ++e) {
                    sum += W[e][d] * gram[C * e + c];
                }
                R[d][c] = sum;
                rest -= sum * sum;
            }
            if (!(rest > 1e-8 * gram[0] && rest > 1e-10 * gram[C * c + c])) {
                continue;
            }
            R[c][c] = std::sqrt(rest);
            W[c][c] = 1 / R[c][c];
            for (int e = 0; e < c; ++e) {
                double sum = 0;
                for (int d = e; d < c; ++d) {
                    sum += W[e][d] * R[d][c];
                }
                W[e][c] = -sum * W[c][c];
            }
        }
    }
};

}  // namespace trimatte
