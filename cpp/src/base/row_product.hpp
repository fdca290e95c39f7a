// The product of a row of a sparse matrix with a vector.
#pragma once

#include <cstdint>
#include <cstring>

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

// Four numbers, which the compiler keeps in one register where it can.
#if defined(__GNUC__)
typedef float FourFloats __attribute__((vector_size(16)));
#else
struct FourFloats {
    float of[4];
    float operator[](int c) const { return of[c]; }
    friend FourFloats operator*(float f, const FourFloats& x) {
        return {{f * x.of[0], f * x.of[1], f * x.of[2], f * x.of[3]}};
    }
    friend FourFloats operator+(const FourFloats& a, const FourFloats& b) {
        return {{a.of[0] + b.of[0], a.of[1] + b.of[1], a.of[2] + b.of[2], a.of[3] + b.of[3]}};
    }
};
#endif

// Returns row i of A times each of four vectors, where number j of vector c is at x[4 * j + c].
template <class Matrix>
inline FourFloats row_product_of_four(const Matrix& A, std::int64_t i, const float* x) {
    const auto term = [&](std::int64_t k) {
        FourFloats numbers;
        std::memcpy(&numbers, x + 4 * static_cast<std::int64_t>(A.column[k]), sizeof(numbers));
        return A.value[k] * numbers;
    };
    FourFloats even{}, odd{};
    std::int64_t k = A.row_start[i];
    const std::int64_t end = A.row_start[i + 1];
    for (; k + 2 <= end; k += 2) {
        even = even + term(k);
        odd = odd + term(k + 1);
    }
    if (k < end) {
        even = even + term(k);
    }
    return even + odd;
}

// One number for each of `lanes` vectors, 1 or 4.
template <int lanes>
struct RowProduct {
    float of[lanes];
};

// Returns row i of A times each of `lanes` vectors, where number j of vector c is at x[lanes * j + c].
template <int lanes, class Matrix>
RowProduct<lanes> row_product(const Matrix& A, std::int64_t i, const float* x) {
    static_assert(lanes == 1 || lanes == 4);
    if constexpr (lanes == 1) {
        return {{row_product(A, i, x)}};
    } else {
        const FourFloats sum = row_product_of_four(A, i, x);
        return {{sum[0], sum[1], sum[2], sum[3]}};
    }
}

}  // namespace trimatte
