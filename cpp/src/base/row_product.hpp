// The product of a row of a sparse matrix with a vector.
#pragma once

#include <cstdint>

namespace trimatte {

// Returns row i of A times x.
template <class Matrix, class Value>
Value row_product(const Matrix& A, std::int64_t i, const Value* x) {
    // Four sums are added side by side, since a single one would wait for each addition to end.
    Value sum[4] = {0, 0, 0, 0};
    std::int64_t k = A.row_start[i];
    const std::int64_t end = A.row_start[i + 1];
    for (; k + 4 <= end; k += 4) {
        for (int lane = 0; lane < 4; ++lane) {
            sum[lane] += A.value[k + lane] * x[A.column[k + lane]];
        }
    }
    for (; k < end; ++k) {
        sum[0] += A.value[k] * x[A.column[k]];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace trimatte
