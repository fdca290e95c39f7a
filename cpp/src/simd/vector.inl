// Short vectors for the kernels: 8 or 16 floats, 8 doubles. The compiler cuts them to the registers that a level has.
// Included by kernels.cpp only.

#if defined(__GNUC__)
#define TRIMATTE_INLINE inline __attribute__((always_inline))
#define TRIMATTE_LAMBDA __attribute__((always_inline))
// Hides where a pointer comes from: the compiler would keep dozens of addresses on the stack rather than add to one.
#define TRIMATTE_OPAQUE(pointer) asm("" : "+r"(pointer))
#define TRIMATTE_PREFETCH(address) __builtin_prefetch(address)

// Two vectors as one. (Gcc's own vectors may be longer than a register too, but then it takes them through memory.)
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

// `before`'s last lane, then `v` without its own.
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

// Lanes `by` and after, then zeros; `by` is 3 or 4.
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

// `Native` is what fills a register, at least 8 floats.
#if defined(__AVX512F__)
typedef float F8 __attribute__((vector_size(32)));
typedef float F16 __attribute__((vector_size(64)));
typedef double D8 __attribute__((vector_size(64)));
using Native = F16;
// Gcc 12 converts in halves.
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
// Not lane by lane: gcc 12 then leaves the rounding of some lanes out.
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
#define TRIMATTE_OPAQUE(pointer)
#define TRIMATTE_PREFETCH(address)

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

#if defined(__GNUC__)
// Not memcpy: gcc 12 takes what it copies through the stack.
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
// The sum of the lanes, in order.
template <class V>
double total(const V& v) {
    double sum = 0;
    for (int i = 0; i < static_cast<int>(sizeof v / sizeof v[0]); ++i) {
        sum += static_cast<double>(v[i]);
    }
    return sum;
}

// V of a `const V&`.
template <class Reference>
struct Referred;
template <class V>
struct Referred<const V&> {
    using type = V;
};
template <class Reference>
using vector_of = typename Referred<Reference>::type;

// Asks for the cache lines of a vector.
template <class V>
TRIMATTE_INLINE void prefetch([[maybe_unused]] const float* address) {
    TRIMATTE_PREFETCH(address);
    if constexpr (sizeof(V) > 64) {
        TRIMATTE_PREFETCH(address + 16);
    }
}
