// Loops of prior/network.cpp. Only kernels.cpp includes this file.

#if defined(TRIMATTE_VECTORS)
// Returns sum + a b, rounded once where the processor can.
#if defined(__AVX512F__)
TRIMATTE_INLINE F16 multiply_add(float a, F16 b, F16 sum) {
    return reinterpret_cast<F16>(
        _mm512_fmadd_ps(_mm512_set1_ps(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(sum)));
}
#endif
#if defined(__FMA__)
TRIMATTE_INLINE F8 multiply_add(float a, F8 b, F8 sum) {
    return reinterpret_cast<F8>(
        _mm256_fmadd_ps(_mm256_set1_ps(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(sum)));
}
#elif defined(__aarch64__)
TRIMATTE_INLINE F4 multiply_add(float a, F4 b, F4 sum) {
    return reinterpret_cast<F4>(vfmaq_n_f32(reinterpret_cast<float32x4_t>(sum), reinterpret_cast<float32x4_t>(b), a));
}
#endif
#if defined(TRIMATTE_FUSED)
template <class V>
TRIMATTE_INLINE Pair<V> multiply_add(float a, const Pair<V>& b, const Pair<V>& sum) {
    return {multiply_add(a, b.first, sum.first), multiply_add(a, b.second, sum.second)};
}
#else
template <class V>
TRIMATTE_INLINE V multiply_add(float a, const V& b, const V& sum) {
    return sum + a * b;
}
#endif

// The number of rows of a tile of C. The sums of a tile stay in registers, and some registers must
// be left for a row of B and an entry of A. AVX2 has 16 registers of 8 floats, arm64 32 of 4.
#if defined(__AVX2__) || defined(__aarch64__)
constexpr int tile_rows = 6;
#else
constexpr int tile_rows = 3;
#endif

// Computes a tile of C = first + A B: `Rows` rows and as many columns as V has numbers. The tile's
// first row and column are those that the pointers point to; kernels.hpp describes the layout.
// Every number is summed over l = 0 ... k - 1 in this order, whatever the tile.
template <class V, int Rows>
TRIMATTE_INLINE void product_tile(int64_t k, const float* A, int64_t a_row, int64_t a_column, const float* B,
                                  int64_t b_row, const float* first, int64_t first_row, float* C, int64_t c_row) {
    V sum[Rows];
    for (int i = 0; i < Rows; ++i) {
        sum[i] = first == nullptr ? V{} : load<V>(first + i * first_row);
    }
    for (int64_t l = 0; l < k; ++l) {
        const V b = load<V>(B + l * b_row);
        for (int i = 0; i < Rows; ++i) {
            sum[i] = multiply_add(A[i * a_row + l * a_column], b, sum[i]);
        }
    }
    for (int i = 0; i < Rows; ++i) {
        store(C + i * c_row, sum[i]);
    }
}

// Computes the rows from i on, in tiles of `Rows` rows as long as these fit into the m rows.
// Returns the first row that no tile covers.
template <class V, int Rows>
TRIMATTE_INLINE int64_t product_rows(int64_t i, int64_t m, int64_t k, const float* A, int64_t a_row, int64_t a_column,
                                     const float* B, int64_t b_row, const float* first, int64_t first_row, float* C,
                                     int64_t c_row) {
    for (; i + Rows <= m; i += Rows) {
        product_tile<V, Rows>(k, A + i * a_row, a_row, a_column, B, b_row,
                              first == nullptr ? nullptr : first + i * first_row, first_row, C + i * c_row, c_row);
    }
    return i;
}

// Computes all m rows of as many columns as V has numbers.
template <class V>
TRIMATTE_INLINE void product_columns(int64_t m, int64_t k, const float* A, int64_t a_row, int64_t a_column,
                                     const float* B, int64_t b_row, const float* first, int64_t first_row, float* C,
                                     int64_t c_row) {
    int64_t i = product_rows<V, tile_rows>(0, m, k, A, a_row, a_column, B, b_row, first, first_row, C, c_row);
    i = product_rows<V, 4>(i, m, k, A, a_row, a_column, B, b_row, first, first_row, C, c_row);
    i = product_rows<V, 2>(i, m, k, A, a_row, a_column, B, b_row, first, first_row, C, c_row);
    product_rows<V, 1>(i, m, k, A, a_row, a_column, B, b_row, first, first_row, C, c_row);
}
#endif

#if defined(TRIMATTE_SIMD_LEVELS) && !defined(TRIMATTE_FUSED)
// Returns sum + a b, rounded once, without an instruction for it. The product is exact in double.
// The sum in double is rounded to odd, after which rounding it to float is as good as rounding the
// exact sum (Boldo, Melquiond, IEEE Transactions on Computers 57(4), 2008). Not every C library's
// fmaf() is exact.
TRIMATTE_INLINE float fused_slowly(float a, float b, float sum) {
    const double product = static_cast<double>(a) * static_cast<double>(b), c = static_cast<double>(sum);
    double s = product + c;
    const double part = s - product;
    const double rest = (product - (s - part)) + (c - part);  // what the rounding of s took away
    int64_t bits;
    memcpy(&bits, &s, sizeof bits);
    if (rest != 0 && fabs(rest) < HUGE_VAL && bits % 2 == 0) {
        bits += (rest > 0) == (s > 0) ? 1 : -1;
        memcpy(&s, &bits, sizeof bits);
    }
    return static_cast<float>(s);
}
#endif

void matrix_product(int64_t m, int64_t n, int64_t k, const float* A, int64_t a_row, int64_t a_column, const float* B,
                    int64_t b_row, const float* first, int64_t first_row, float* C, int64_t c_row) {
#if defined(TRIMATTE_SIMD_LEVELS) && !defined(TRIMATTE_FUSED)
    // This is slow, but it runs only where TRIMATTE_SIMD asks for a lower level than the machine
    // has.
    if (fused_products()) {
        for (int64_t i = 0; i < m; ++i) {
            for (int64_t j = 0; j < n; ++j) {
                float sum = first == nullptr ? 0 : first[i * first_row + j];
                for (int64_t l = 0; l < k; ++l) {
                    sum = fused_slowly(A[i * a_row + l * a_column], B[l * b_row + j], sum);
                }
                C[i * c_row + j] = sum;
            }
        }
        return;
    }
#endif
#if defined(TRIMATTE_VECTORS)
    const auto at = [&](int64_t j) { return first == nullptr ? nullptr : first + j; };
    int64_t j = 0;
    for (; j + 16 <= n; j += 16) {
        product_columns<F16>(m, k, A, a_row, a_column, B + j, b_row, at(j), first_row, C + j, c_row);
    }
    if (j < n) {
        product_columns<F8>(m, k, A, a_row, a_column, B + j, b_row, at(j), first_row, C + j, c_row);
    }
#else
    // Without vector types the tiles would lie in memory. Such compilers make vectors of the
    // numbers of a row. Each number is summed in the order of k here too.
    for (int64_t i = 0; i < m; ++i) {
        float* __restrict c = C + i * c_row;
        for (int64_t j = 0; j < n; ++j) {
            c[j] = first == nullptr ? 0 : first[i * first_row + j];
        }
        for (int64_t l = 0; l < k; ++l) {
            const float a = A[i * a_row + l * a_column];
            const float* b = B + l * b_row;
#if defined(TRIMATTE_FUSED) && defined(__AVX2__)
            for (int64_t j = 0; j < n; j += 8) {
                _mm256_storeu_ps(c + j,
                                 _mm256_fmadd_ps(_mm256_set1_ps(a), _mm256_loadu_ps(b + j), _mm256_loadu_ps(c + j)));
            }
#else
            for (int64_t j = 0; j < n; ++j) {
#if defined(TRIMATTE_FUSED)
                c[j] = fmaf(a, b[j], c[j]);
#else
                c[j] += a * b[j];
#endif
            }
#endif
        }
    }
#endif
}

void rectify(int64_t size, float* __restrict x) {
    for (int64_t i = 0; i < size; ++i) {
        x[i] = x[i] > 0 ? x[i] : 0;
    }
}

void add_half_rectified(int64_t size, const float* __restrict y, float* __restrict h) {
    for (int64_t i = 0; i < size; ++i) {
        h[i] += (y[i] > 0 ? y[i] : 0) * 0.5f;
    }
}

void pair_inputs(int64_t size, const float* in, int64_t step, int64_t plane, float* __restrict out) {
    const float *i0 = in, *i1 = in + step, *i2 = in + 2 * step, *i3 = in + 3 * step;
    for (int64_t i = 0; i < size; ++i) {
        out[i] = i0[i] - i2[i];
        out[plane + i] = i1[i] + i2[i];
        out[2 * plane + i] = i2[i] - i1[i];
        out[3 * plane + i] = i1[i] - i3[i];
    }
}

void pair_outputs(int64_t size, const float* products, int64_t plane, int64_t step, float* __restrict out) {
    const float *m0 = products, *m1 = products + plane, *m2 = products + 2 * plane, *m3 = products + 3 * plane;
    for (int64_t i = 0; i < size; ++i) {
        out[i] = (m0[i] + m1[i]) + m2[i];
        out[step + i] = (m1[i] - m2[i]) - m3[i];
    }
}

void rectify_gradient(int64_t size, const float* __restrict x, float* __restrict gradient) {
    for (int64_t i = 0; i < size; ++i) {
        gradient[i] = x[i] > 0 ? gradient[i] : 0;
    }
}

void adam(int64_t size, const float* gradients, int64_t count, int64_t stride, float keep1, float keep2, float rate,
          float scale2, float epsilon, float* __restrict m, float* __restrict v, float* __restrict w) {
    float g[256];
    for (int64_t begin = 0; begin < size; begin += 256) {
        const int64_t n = size - begin < 256 ? size - begin : 256;
        for (int64_t i = 0; i < n; ++i) {
            g[i] = gradients[begin + i];
        }
        for (int64_t c = 1; c < count; ++c) {
            const float* more = gradients + c * stride + begin;
            for (int64_t i = 0; i < n; ++i) {
                g[i] += more[i];
            }
        }
        for (int64_t i = 0; i < n; ++i) {
            const int64_t at = begin + i;
            m[at] = keep1 * m[at] + (1 - keep1) * g[i];
            v[at] = keep2 * v[at] + (1 - keep2) * g[i] * g[i];
            w[at] -= rate * m[at] / (sqrtf(v[at] * scale2) + epsilon);
        }
    }
}
