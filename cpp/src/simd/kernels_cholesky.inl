// Loops of solve/cholesky/front.cpp and of the substitution. Only kernels.cpp includes this file.
//
// Matrices are stored by columns; entry (i, j) of A is at A[j * lda + i]. kernels.hpp says what is
// read and written behind the last row. Products are subtracted from a number in the order of the
// columns of A and B, whatever the tile.

#if defined(__GNUC__) && defined(__x86_64__) && !defined(TRIMATTE_FUSED)
// c - a b by the processor's instruction, for a level that does without it. MinGW's fma() rounds
// twice. Only a machine for which fused_products() holds may come here.
__attribute__((target("fma"))) inline double minus_by_processor(double c, double a, double b) {
    return __builtin_fma(-a, b, c);
}
#define TRIMATTE_ASKS_PROCESSOR
#endif

// c - a b, rounded once or twice.
struct Fused {
    TRIMATTE_INLINE double operator()(double c, double a, double b) const {
#if defined(_MSC_VER) && defined(__AVX2__)
        return _mm_cvtsd_f64(_mm_fnmadd_sd(_mm_set_sd(a), _mm_set_sd(b), _mm_set_sd(c)));
#elif defined(TRIMATTE_ASKS_PROCESSOR)
        return minus_by_processor(c, a, b);
#else
        return fma(-a, b, c);
#endif
    }
};
struct Separate {
    TRIMATTE_INLINE double operator()(double c, double a, double b) const { return c - a * b; }
};
#if defined(TRIMATTE_FUSED)
using OfLevel = Fused;
#else
using OfLevel = Separate;
#endif

#if defined(TRIMATTE_VECTORS)
#if defined(__AVX512F__)
using Doubles = D8;  // the vector of doubles that fills a register
#elif defined(__AVX2__)
using Doubles = D4;
#else
using Doubles = D2;
#endif

// Returns c - a b, rounded once where the processor can.
#if defined(__FMA__)
#if defined(__AVX512F__)
TRIMATTE_INLINE D8 subtract(D8 c, D8 a, double b) {
    return reinterpret_cast<D8>(
        _mm512_fnmadd_pd(reinterpret_cast<__m512d>(a), _mm512_set1_pd(b), reinterpret_cast<__m512d>(c)));
}
#else
TRIMATTE_INLINE D4 subtract(D4 c, D4 a, double b) {
    return reinterpret_cast<D4>(
        _mm256_fnmadd_pd(reinterpret_cast<__m256d>(a), _mm256_set1_pd(b), reinterpret_cast<__m256d>(c)));
}
#endif
#elif defined(__aarch64__)
TRIMATTE_INLINE D2 subtract(D2 c, D2 a, double b) {
    return reinterpret_cast<D2>(vfmsq_n_f64(reinterpret_cast<float64x2_t>(c), reinterpret_cast<float64x2_t>(a), b));
}
#else
template <class V>
TRIMATTE_INLINE V subtract(V c, V a, double b) {
    return c - a * b;
}
#endif

constexpr int doubles = sizeof(Doubles) / sizeof(double);
// A tile of C has tile_vectors * doubles rows and `tile_columns` columns. It stays in registers,
// and some registers are left for a column of A and an entry of B.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int tile_vectors = 3, tile_columns = 8;
#elif defined(__AVX2__)
constexpr int tile_vectors = 3, tile_columns = 4;
#else
constexpr int tile_vectors = 2, tile_columns = 4;
#endif

// Computes C -= A B^T for a tile of Vectors * doubles rows and `Columns` columns.
template <int Vectors, int Columns>
TRIMATTE_INLINE void subtract_tile(int64_t k, const double* A, int64_t lda, const double* B, int64_t ldb, double* C,
                                   int64_t ldc) {
    Doubles c[Columns][Vectors];
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) {
#pragma GCC unroll 3
        for (int v = 0; v < Vectors; ++v) {
            c[j][v] = load<Doubles>(C + j * ldc + v * doubles);
        }
    }
    for (int64_t l = 0; l < k; ++l) {
        Doubles a[Vectors];
#pragma GCC unroll 3
        for (int v = 0; v < Vectors; ++v) {
            a[v] = load<Doubles>(A + l * lda + v * doubles);
        }
#pragma GCC unroll 8
        for (int j = 0; j < Columns; ++j) {
            const double b = B[l * ldb + j];
#pragma GCC unroll 3
            for (int v = 0; v < Vectors; ++v) {
                c[j][v] = subtract(c[j][v], a[v], b);
            }
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) {
#pragma GCC unroll 3
        for (int v = 0; v < Vectors; ++v) {
            store(C + j * ldc + v * doubles, c[j][v]);
        }
    }
}

// Computes C -= A B^T for Vectors * doubles rows and n columns.
template <int Vectors>
TRIMATTE_INLINE void subtract_rows(int64_t n, int64_t k, const double* A, int64_t lda, const double* B, int64_t ldb,
                                   double* C, int64_t ldc) {
    int64_t j = 0;
    for (; j + tile_columns <= n; j += tile_columns) {
        subtract_tile<Vectors, tile_columns>(k, A, lda, B + j, ldb, C + j * ldc, ldc);
    }
    if (tile_columns > 4 && j + 4 <= n) {
        subtract_tile<Vectors, 4>(k, A, lda, B + j, ldb, C + j * ldc, ldc);
        j += 4;
    }
    for (; j < n; ++j) {
        subtract_tile<Vectors, 1>(k, A, lda, B + j, ldb, C + j * ldc, ldc);
    }
}

// Computes C -= A B^T for m rows and n columns, and for as many rows more as fill the last vector.
TRIMATTE_INLINE void subtract_rectangle(int64_t m, int64_t n, int64_t k, const double* A, int64_t lda, const double* B,
                                        int64_t ldb, double* C, int64_t ldc) {
    int64_t i = 0;
    for (; i + tile_vectors * doubles <= m; i += tile_vectors * doubles) {
        subtract_rows<tile_vectors>(n, k, A + i, lda, B, ldb, C + i, ldc);
    }
    if (tile_vectors > 2 && i + 2 * doubles < m) {
        subtract_rows<tile_vectors>(n, k, A + i, lda, B, ldb, C + i, ldc);
    } else if (i + doubles < m) {
        subtract_rows<2>(n, k, A + i, lda, B, ldb, C + i, ldc);
    } else if (i < m) {
        subtract_rows<1>(n, k, A + i, lda, B, ldb, C + i, ldc);
    }
}

// Computes L = L T^-T for W columns. inverse[j] is 1 / T_jj.
template <int W>
TRIMATTE_INLINE void solve_tiles(int64_t m, const double* T, int64_t ldt, const double* inverse, double* L,
                                 int64_t ld) {
    for (int64_t i = 0; i < m; i += doubles) {
        Doubles x[W];
#pragma GCC unroll 8
        for (int j = 0; j < W; ++j) {
            x[j] = load<Doubles>(L + j * ld + i);
#pragma GCC unroll 8
            for (int l = 0; l < j; ++l) {
                x[j] = subtract(x[j], x[l], T[l * ldt + j]);
            }
            x[j] = inverse[j] * x[j];
            store(L + j * ld + i, x[j]);
        }
    }
}
#endif

#if !defined(TRIMATTE_VECTORS) || !defined(TRIMATTE_FUSED)
// These loops work on one number after the other. They serve compilers without vectors, and runs
// where TRIMATTE_SIMD asks for a lower level than the machine has.
template <class Subtract>
TRIMATTE_INLINE void subtract_plainly(int64_t m, int64_t n, int64_t k, const double* A, int64_t lda, const double* B,
                                      int64_t ldb, double* C, int64_t ldc, Subtract minus) {
    for (int64_t j = 0; j < n; ++j) {
        double* c = C + j * ldc;
        for (int64_t l = 0; l < k; ++l) {
            const double *a = A + l * lda, b = B[l * ldb + j];
            for (int64_t i = 0; i < m; ++i) {
                c[i] = minus(c[i], a[i], b);
            }
        }
    }
}

template <class Subtract>
TRIMATTE_INLINE void solve_plainly(int64_t m, int64_t w, const double* T, int64_t ldt, const double* inverse, double* L,
                                   int64_t ld, Subtract minus) {
    for (int64_t j = 0; j < w; ++j) {
        for (int64_t i = 0; i < m; ++i) {
            double x = L[j * ld + i];
            for (int64_t l = 0; l < j; ++l) {
                x = minus(x, L[l * ld + i], T[l * ldt + j]);
            }
            L[j * ld + i] = inverse[j] * x;
        }
    }
}
#endif

#if !defined(TRIMATTE_VECTORS) && defined(TRIMATTE_FUSED) && defined(__AVX2__)
// Computes C -= A B^T for m rows, and for as many rows more as fill the last four.
TRIMATTE_INLINE void subtract_fours(int64_t m, int64_t n, int64_t k, const double* A, int64_t lda, const double* B,
                                    int64_t ldb, double* C, int64_t ldc) {
    for (int64_t j = 0; j < n; ++j) {
        double* c = C + j * ldc;
        for (int64_t l = 0; l < k; ++l) {
            const double* a = A + l * lda;
            const __m256d b = _mm256_set1_pd(B[l * ldb + j]);
            for (int64_t i = 0; i < m; i += 4) {
                _mm256_storeu_pd(c + i, _mm256_fnmadd_pd(_mm256_loadu_pd(a + i), b, _mm256_loadu_pd(c + i)));
            }
        }
    }
}
#endif

// Whether this level has no instruction that rounds c - a b once, although the machine has one. It
// then takes one number after the other, so that it gives the bits of the machine's best level.
TRIMATTE_INLINE bool must_be_plain() {
#if defined(TRIMATTE_SIMD_LEVELS) && !defined(TRIMATTE_FUSED)
    return fused_products();
#else
    return false;
#endif
}

TRIMATTE_INLINE void subtract_any(int64_t m, int64_t n, int64_t k, const double* A, int64_t lda, const double* B,
                                  int64_t ldb, double* C, int64_t ldc) {
#if !defined(TRIMATTE_FUSED)
    if (must_be_plain()) {
        return subtract_plainly(m, n, k, A, lda, B, ldb, C, ldc, Fused{});
    }
#endif
#if defined(TRIMATTE_VECTORS)
    subtract_rectangle(m, n, k, A, lda, B, ldb, C, ldc);
#elif defined(TRIMATTE_FUSED) && defined(__AVX2__)
    subtract_fours(m, n, k, A, lda, B, ldb, C, ldc);
#else
    subtract_plainly(m, n, k, A, lda, B, ldb, C, ldc, OfLevel{});
#endif
}

// If only the lower triangle is wanted, each eight columns begin at the row of their first column.
void subtract_product(int64_t m, int64_t n, int64_t k, const double* A, int64_t lda, const double* B, int64_t ldb,
                      double* C, int64_t ldc, bool lower) {
    int64_t top = 0;
    if (lower) {
        top = (n + 7) / 8 * 8;
        for (int64_t j = 0; j < n; j += 8) {
            subtract_any((m < top ? m : top) - j, n - j < 8 ? n - j : 8, k, A + j, lda, B + j, ldb, C + j * ldc + j,
                         ldc);
        }
    }
    if (top < m) {
        subtract_any(m - top, n, k, A + top, lda, B, ldb, C + top, ldc);
    }
}

void solve_columns(int64_t m, int64_t w, const double* T, int64_t ldt, double* L, int64_t ld) {
    double inverse[8];
    for (int64_t j = 0; j < w; ++j) {
        inverse[j] = 1 / T[j * ldt + j];
    }
#if !defined(TRIMATTE_FUSED)
    if (must_be_plain()) {
        return solve_plainly(m, w, T, ldt, inverse, L, ld, Fused{});
    }
#endif
#if defined(TRIMATTE_VECTORS)
    switch (w) {
        case 1: return solve_tiles<1>(m, T, ldt, inverse, L, ld);
        case 2: return solve_tiles<2>(m, T, ldt, inverse, L, ld);
        case 3: return solve_tiles<3>(m, T, ldt, inverse, L, ld);
        case 4: return solve_tiles<4>(m, T, ldt, inverse, L, ld);
        case 5: return solve_tiles<5>(m, T, ldt, inverse, L, ld);
        case 6: return solve_tiles<6>(m, T, ldt, inverse, L, ld);
        case 7: return solve_tiles<7>(m, T, ldt, inverse, L, ld);
        default: return solve_tiles<8>(m, T, ldt, inverse, L, ld);
    }
#else
    solve_plainly(m, w, T, ldt, inverse, L, ld, OfLevel{});
#endif
}

// Replaces the lower triangle of a w x w matrix by its Cholesky factor. Returns the first column
// whose pivot is not positive and finite, or w if there is none.
TRIMATTE_INLINE int64_t factor_triangle(int64_t w, double* T, int64_t ldt) {
    const auto minus = [](double c, double a, double b) {
        return must_be_plain() ? Fused{}(c, a, b) : OfLevel{}(c, a, b);
    };
    for (int64_t j = 0; j < w; ++j) {
        double* column = T + j * ldt;
        for (int64_t l = 0; l < j; ++l) {
            column[j] = minus(column[j], T[l * ldt + j], T[l * ldt + j]);
        }
        if (!(column[j] > 0 && column[j] < HUGE_VAL)) {
            return j;
        }
        column[j] = sqrt(column[j]);
        const double inverse = 1 / column[j];
        for (int64_t i = j + 1; i < w; ++i) {
            for (int64_t l = 0; l < j; ++l) {
                column[i] = minus(column[i], T[l * ldt + i], T[l * ldt + j]);
            }
            column[i] *= inverse;
        }
    }
    return w;
}

int64_t factor_columns(int64_t m, int64_t w, double* L, int64_t ld) {
    double T[64] = {};
    for (int64_t j = 0; j < w; ++j) {
        for (int64_t i = 0; i < w; ++i) {
            T[j * 8 + i] = i < j ? 0 : L[j * ld + i];
        }
    }
    const int64_t good = factor_triangle(w, T, 8);
    if (good < w) {
        return good;
    }
    solve_columns(m, w, T, 8, L, ld);  // also gives the triangle, except for its diagonal
    for (int64_t j = 0; j < w; ++j) {
        L[j * ld + j] = T[j * 8 + j];
    }
    return w;
}

// The products of the substitution follow. Reading A from memory takes most of their time, so that
// nothing is gained by rounding c - a b once.
void subtract_columns(int64_t m, int64_t w, const double* A, int64_t lda, const double* x, double* y) {
    for (int64_t i = 0; i < m; i += 8) {
        D8 sum = load<D8>(y + i);
        for (int64_t j = 0; j < w; ++j) {
            sum = sum - x[j] * load<D8>(A + j * lda + i);
        }
        store(y + i, sum);
    }
}

// Computes x -= A^T y for `Columns` columns of A.
template <int Columns>
TRIMATTE_INLINE void subtract_dots_of(int64_t m, const double* A, int64_t lda, const double* y, double* x) {
    D8 sum[Columns];
    for (int j = 0; j < Columns; ++j) {
        sum[j] = D8{};
    }
    int64_t i = 0;
    for (; i + 8 <= m; i += 8) {
        const D8 at = load<D8>(y + i);
        for (int j = 0; j < Columns; ++j) {
            sum[j] += at * load<D8>(A + j * lda + i);
        }
    }
    for (int j = 0; j < Columns; ++j) {
        double all = total(sum[j]);
        for (int64_t k = i; k < m; ++k) {
            all += y[k] * A[j * lda + k];
        }
        x[j] -= all;
    }
}

void subtract_dots(int64_t m, int64_t w, const double* A, int64_t lda, const double* y, double* x) {
    int64_t j = 0;
    for (; j + 4 <= w; j += 4) {
        subtract_dots_of<4>(m, A + j * lda, lda, y, x + j);
    }
    for (; j < w; ++j) {
        subtract_dots_of<1>(m, A + j * lda, lda, y, x + j);
    }
}
