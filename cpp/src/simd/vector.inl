// Short vectors for the kernels: F8 and F16 have 8 and 16 floats, D8 has 8 doubles. A vector that
// is longer than the registers of a level is a Pair of shorter ones, and compilers other than GCC
// and Clang get plain arrays. Only kernels.cpp includes this file, and defines TRIMATTE_VECTORS.

#if defined(TRIMATTE_VECTORS)
#define TRIMATTE_INLINE inline __attribute__((always_inline))
#define TRIMATTE_LAMBDA __attribute__((always_inline))
#define TRIMATTE_PREFETCH(address) __builtin_prefetch(address)

// A vector made of two shorter ones. (GCC's own vectors may also be longer than a register, but GCC
// moves such vectors through memory.)
template <class V>
struct Pair {
    using Scalar = decltype(V{}[0] + V{}[0]);
    V first, second;
    friend TRIMATTE_INLINE Pair operator+(const Pair& a, const Pair& b) {
        return {a.first + b.first, a.second + b.second};
    }
    friend TRIMATTE_INLINE Pair operator-(const Pair& a, const Pair& b) {
        return {a.first - b.first, a.second - b.second};
    }
    friend TRIMATTE_INLINE Pair operator*(const Pair& a, const Pair& b) {
        return {a.first * b.first, a.second * b.second};
    }
    friend TRIMATTE_INLINE Pair operator*(Scalar s, const Pair& a) { return {s * a.first, s * a.second}; }
    TRIMATTE_INLINE Pair& operator+=(const Pair& b) { return *this = *this + b; }
    TRIMATTE_INLINE Scalar operator[](int i) const {
        constexpr int half = sizeof(V) / sizeof(Scalar);
        return i < half ? first[i] : second[i - half];
    }
};

// Returns the last lane of `before`, then the lanes of `v` without its last.
template <class V>
TRIMATTE_INLINE V shift_in(const V& before, const V& v) {
    constexpr int size = sizeof(V) / sizeof(float);
    if constexpr (size == 4) {
        return __builtin_shufflevector(before, v, 3, 4, 5, 6);
    } else {
        return __builtin_shufflevector(before, v, 7, 8, 9, 10, 11, 12, 13, 14);
    }
}
template <class V>
TRIMATTE_INLINE Pair<V> shift_in(const Pair<V>& before, const Pair<V>& v) {
    return {shift_in(before.second, v.first), shift_in(v.first, v.second)};
}

// Returns the lanes of v from `by` on, then zeros. `by` is 3 or 4.
template <int by, class V>
TRIMATTE_INLINE V without_first(const V& v) {
    constexpr int size = sizeof(V) / sizeof(float);
    if constexpr (size == 4) {
        return __builtin_shufflevector(v, V{}, by, by + 1, by + 2, by + 3);
    } else {
        return __builtin_shufflevector(v, V{}, by, by + 1, by + 2, by + 3, by + 4, by + 5, by + 6, by + 7);
    }
}
template <int by, class V>
TRIMATTE_INLINE Pair<V> without_first(const Pair<V>& v) {
    return by == 4 ? Pair<V>{v.second, V{}} : Pair<V>{shift_in(v.first, v.second), without_first<3>(v.second)};
}

// `Native` is the vector of floats that fills a register, or F8 if registers are shorter.
#if defined(__AVX512F__)
typedef float F8 __attribute__((vector_size(32)));
typedef float F16 __attribute__((vector_size(64)));
typedef double D8 __attribute__((vector_size(64)));
using Native = F16;
// The intrinsics convert eight numbers at once. Without them GCC 12 would convert in two halves.
TRIMATTE_INLINE D8 widen(F8 a) { return reinterpret_cast<D8>(_mm512_cvtps_pd(reinterpret_cast<__m256>(a))); }
TRIMATTE_INLINE F8 narrow(D8 a) { return reinterpret_cast<F8>(_mm512_cvtpd_ps(reinterpret_cast<__m512d>(a))); }
TRIMATTE_INLINE D8 larger(D8 a, D8 b) { return a > b ? a : b; }
#elif defined(__AVX2__)
typedef float F8 __attribute__((vector_size(32)));
typedef double D4 __attribute__((vector_size(32)));
using F16 = Pair<F8>;
using D8 = Pair<D4>;
using Native = F8;
TRIMATTE_INLINE D8 widen(F8 a) {
    const __m256 all = reinterpret_cast<__m256>(a);
    return {reinterpret_cast<D4>(_mm256_cvtps_pd(_mm256_castps256_ps128(all))),
            reinterpret_cast<D4>(_mm256_cvtps_pd(_mm256_extractf128_ps(all, 1)))};
}
TRIMATTE_INLINE F8 narrow(const D8& a) {
    return reinterpret_cast<F8>(_mm256_set_m128(_mm256_cvtpd_ps(reinterpret_cast<__m256d>(a.second)),
                                                _mm256_cvtpd_ps(reinterpret_cast<__m256d>(a.first))));
}
TRIMATTE_INLINE D4 larger(D4 a, D4 b) { return a > b ? a : b; }
TRIMATTE_INLINE D8 larger(const D8& a, const D8& b) { return {larger(a.first, b.first), larger(a.second, b.second)}; }
#else
typedef float F4 __attribute__((vector_size(16)));
typedef double D2 __attribute__((vector_size(16)));
using F8 = Pair<F4>;
using F16 = Pair<F8>;
using D4 = Pair<D2>;
using D8 = Pair<D4>;
using Native = F8;
// Four lanes are converted at once. If they were converted one by one, GCC 12 would leave out the
// rounding of some of them.
typedef double Four __attribute__((vector_size(32)));
TRIMATTE_INLINE D4 widen(F4 a) {
    const Four wide = __builtin_convertvector(a, Four);
    D4 result;
    memcpy(&result, &wide, sizeof wide);
    return result;
}
TRIMATTE_INLINE F4 narrow(const D4& a) {
    Four wide;
    memcpy(&wide, &a, sizeof wide);
    return __builtin_convertvector(wide, F4);
}
TRIMATTE_INLINE D8 widen(const F8& a) { return {widen(a.first), widen(a.second)}; }
TRIMATTE_INLINE F8 narrow(const D8& a) { return {narrow(a.first), narrow(a.second)}; }
TRIMATTE_INLINE D2 larger(D2 a, D2 b) { return a > b ? a : b; }
template <class V>
TRIMATTE_INLINE Pair<V> larger(const Pair<V>& a, const Pair<V>& b) {
    return {larger(a.first, b.first), larger(a.second, b.second)};
}
#endif
#else
// A vector for compilers without vector types.
template <class Scalar, int N>
struct Lanes_ {
    Scalar lane[N];
    friend Lanes_ operator+(Lanes_ a, const Lanes_& b) { return a += b; }
    friend Lanes_ operator-(Lanes_ a, const Lanes_& b) { return a -= b; }
    friend Lanes_ operator*(Lanes_ a, const Lanes_& b) {
        for (int i = 0; i < N; ++i) {
            a.lane[i] *= b.lane[i];
        }
        return a;
    }
    friend Lanes_ operator*(Scalar s, Lanes_ a) {
        for (int i = 0; i < N; ++i) {
            a.lane[i] *= s;
        }
        return a;
    }
    Lanes_& operator+=(const Lanes_& b) {
        for (int i = 0; i < N; ++i) {
            lane[i] += b.lane[i];
        }
        return *this;
    }
    Lanes_& operator-=(const Lanes_& b) {
        for (int i = 0; i < N; ++i) {
            lane[i] -= b.lane[i];
        }
        return *this;
    }
    Scalar operator[](int i) const { return lane[i]; }
};
using F8 = Lanes_<float, 8>;
using F16 = Lanes_<float, 16>;
using D8 = Lanes_<double, 8>;
using Native = F8;
template <class V>
using Pair = F16;
#define TRIMATTE_INLINE inline
#define TRIMATTE_LAMBDA
#define TRIMATTE_PREFETCH(address) static_cast<void>(address)

TRIMATTE_INLINE F8 shift_in(const F8& before, const F8& v) {
    F8 shifted;
    shifted.lane[0] = before.lane[7];
    for (int i = 1; i < 8; ++i) {
        shifted.lane[i] = v.lane[i - 1];
    }
    return shifted;
}
template <int by>
TRIMATTE_INLINE F8 without_first(const F8& v) {
    F8 shifted{};
    for (int i = by; i < 8; ++i) {
        shifted.lane[i - by] = v.lane[i];
    }
    return shifted;
}
TRIMATTE_INLINE D8 widen(const F8& a) {
    D8 b;
    for (int i = 0; i < 8; ++i) {
        b.lane[i] = a.lane[i];
    }
    return b;
}
TRIMATTE_INLINE F8 narrow(const D8& a) {
    F8 b;
    for (int i = 0; i < 8; ++i) {
        b.lane[i] = static_cast<float>(a.lane[i]);
    }
    return b;
}
TRIMATTE_INLINE D8 larger(const D8& a, const D8& b) {
    D8 c;
    for (int i = 0; i < 8; ++i) {
        c.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
    }
    return c;
}
#endif

#if defined(TRIMATTE_VECTORS)
// Loads and stores vectors at addresses that are aligned to 4 bytes only. It does not use memcpy,
// because GCC 12 would move the vector through the stack.
template <class V>
struct Memory {
    typedef V Unaligned __attribute__((aligned(4), may_alias));
    static TRIMATTE_INLINE V load(const void* from) { return *static_cast<const Unaligned*>(from); }
    static TRIMATTE_INLINE void store(void* to, const V& v) { *static_cast<Unaligned*>(to) = v; }
};
template <class V>
struct Memory<Pair<V>> {
    static TRIMATTE_INLINE Pair<V> load(const void* from) {
        return {Memory<V>::load(from), Memory<V>::load(static_cast<const char*>(from) + sizeof(V))};
    }
    static TRIMATTE_INLINE void store(void* to, const Pair<V>& v) {
        Memory<V>::store(to, v.first);
        Memory<V>::store(static_cast<char*>(to) + sizeof(V), v.second);
    }
};
#else
template <class V>
struct Memory {
    static V load(const void* from) {
        V v;
        memcpy(&v, from, sizeof v);
        return v;
    }
    static void store(void* to, const V& v) { memcpy(to, &v, sizeof v); }
};
#endif
template <class V, class Scalar>
TRIMATTE_INLINE V load(const Scalar* from) {
    return Memory<V>::load(from);
}
template <class V, class Scalar>
TRIMATTE_INLINE void store(Scalar* to, const V& v) {
    Memory<V>::store(to, v);
}
// Returns 8 floats as doubles.
#if defined(TRIMATTE_VECTORS) && defined(__AVX2__) && !defined(__AVX512F__)
TRIMATTE_INLINE D8 load_wide(const float* from) {
    return {reinterpret_cast<D4>(_mm256_cvtps_pd(_mm_loadu_ps(from))),
            reinterpret_cast<D4>(_mm256_cvtps_pd(_mm_loadu_ps(from + 4)))};
}
#else
TRIMATTE_INLINE D8 load_wide(const float* from) { return widen(load<F8>(from)); }
#endif
// Returns the sum of the lanes, added in order.
template <class V>
double total(const V& v) {
    double sum = 0;
    for (int i = 0; i < static_cast<int>(sizeof v / sizeof v[0]); ++i) {
        sum += static_cast<double>(v[i]);
    }
    return sum;
}

// Transposes 8 x 8 floats: lane j of v[i] becomes lane i of v[j].
#if !defined(TRIMATTE_VECTORS)
TRIMATTE_INLINE void transpose(F8* v) {
    for (int i = 0; i < 8; ++i) {
        for (int j = 0; j < i; ++j) {
            const float a = v[i].lane[j];
            v[i].lane[j] = v[j].lane[i];
            v[j].lane[i] = a;
        }
    }
}
#elif defined(__AVX2__)
TRIMATTE_INLINE void transpose(F8* v) {
    F8 pairs[8], fours[8];
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        pairs[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = 0; j < 2; ++j) {
            const F8 a = pairs[i + j], b = pairs[i + j + 2];
            fours[i + 2 * j] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
            fours[i + 2 * j + 1] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int i = 0; i < 4; ++i) {
        v[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        v[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}
#else
TRIMATTE_INLINE void transpose(F4& a, F4& b, F4& c, F4& d) {
    const F4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const F4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    a = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    b = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    c = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
    d = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
}
TRIMATTE_INLINE void transpose(F8* v) {
    transpose(v[0].first, v[1].first, v[2].first, v[3].first);
    transpose(v[0].second, v[1].second, v[2].second, v[3].second);
    transpose(v[4].first, v[5].first, v[6].first, v[7].first);
    transpose(v[4].second, v[5].second, v[6].second, v[7].second);
    for (int i = 0; i < 4; ++i) {
        const F4 a = v[i].second;
        v[i].second = v[i + 4].first;
        v[i + 4].first = a;
    }
}
#endif

// load_halves and store_halves move two runs of four floats, at a and at b, as one vector: a is in
// its lanes 0 to 3, b in its lanes 4 to 7. transpose_halves transposes the 4 x 4 floats of the
// first halves of four vectors, and those of their second halves: lane j of v[i] becomes lane i of
// v[j], and lane 4 + j becomes lane 4 + i.
#if !defined(TRIMATTE_VECTORS)
TRIMATTE_INLINE F8 load_halves(const float* a, const float* b) {
    F8 v;
    memcpy(v.lane, a, 16);
    memcpy(v.lane + 4, b, 16);
    return v;
}
TRIMATTE_INLINE void store_halves(float* a, float* b, const F8& v) {
    memcpy(a, v.lane, 16);
    memcpy(b, v.lane + 4, 16);
}
TRIMATTE_INLINE void transpose_halves(F8* v) {
    for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < i; ++j) {
            for (int half = 0; half < 8; half += 4) {
                const float a = v[i].lane[half + j];
                v[i].lane[half + j] = v[j].lane[half + i];
                v[j].lane[half + i] = a;
            }
        }
    }
}
#elif defined(__AVX2__)
TRIMATTE_INLINE F8 load_halves(const float* a, const float* b) {
    return reinterpret_cast<F8>(_mm256_loadu2_m128(b, a));
}
TRIMATTE_INLINE void store_halves(float* a, float* b, const F8& v) {
    _mm256_storeu2_m128(b, a, reinterpret_cast<__m256>(v));
}
TRIMATTE_INLINE void transpose_halves(F8* v) {
    const F8 a = __builtin_shufflevector(v[0], v[1], 0, 8, 1, 9, 4, 12, 5, 13);
    const F8 b = __builtin_shufflevector(v[0], v[1], 2, 10, 3, 11, 6, 14, 7, 15);
    const F8 c = __builtin_shufflevector(v[2], v[3], 0, 8, 1, 9, 4, 12, 5, 13);
    const F8 d = __builtin_shufflevector(v[2], v[3], 2, 10, 3, 11, 6, 14, 7, 15);
    v[0] = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);
    v[1] = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);
    v[2] = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);
    v[3] = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);
}
#else
TRIMATTE_INLINE F8 load_halves(const float* a, const float* b) { return {load<F4>(a), load<F4>(b)}; }
TRIMATTE_INLINE void store_halves(float* a, float* b, const F8& v) {
    store(a, v.first);
    store(b, v.second);
}
TRIMATTE_INLINE void transpose_halves(F8* v) {
    transpose(v[0].first, v[1].first, v[2].first, v[3].first);
    transpose(v[0].second, v[1].second, v[2].second, v[3].second);
}
#endif

// Returns 1 / sqrt(v) where v is above both limits, else 0.
TRIMATTE_INLINE F8 inverse_root_above(const F8& v, const F8& limit, const F8& limit2) {
#if defined(TRIMATTE_VECTORS) && defined(__AVX2__)
    const F8 inverse = 1.0f / reinterpret_cast<F8>(_mm256_sqrt_ps(reinterpret_cast<__m256>(v)));
    return ((v > limit) & (v > limit2)) ? inverse : F8{};
#else
    float a[8], b[8], c[8];
    store(a, v);
    store(b, limit);
    store(c, limit2);
    for (int i = 0; i < 8; ++i) {
        a[i] = a[i] > b[i] && a[i] > c[i] ? 1 / sqrtf(a[i]) : 0.0f;
    }
    return load<F8>(a);
#endif
}

// vector_of<const V&> is V: the type of a vector that a lambda takes as `const auto&`.
template <class Reference>
struct Referred;
template <class V>
struct Referred<const V&> {
    using type = V;
};
template <class Reference>
using vector_of = typename Referred<Reference>::type;

// Prefetches the cache lines of a vector.
template <class V>
TRIMATTE_INLINE void prefetch(const float* address) {
    TRIMATTE_PREFETCH(address);
    if constexpr (sizeof(V) > 64) {
        TRIMATTE_PREFETCH(address + 16);
    }
}
