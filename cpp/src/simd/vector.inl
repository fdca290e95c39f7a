// Short vectors for the kernels: 8 or 16 floats, 8 doubles. The compiler cuts them to the registers that a level has.
// Included by kernels.cpp only.

#if defined(__GNUC__)
typedef float F8 __attribute__((vector_size(32)));
typedef float F16 __attribute__((vector_size(64)));
typedef float F32 __attribute__((vector_size(128)));
typedef double D8 __attribute__((vector_size(64)));
typedef double D16 __attribute__((vector_size(128)));
#define TRIMATTE_INLINE inline __attribute__((always_inline))
#define TRIMATTE_LAMBDA __attribute__((always_inline))
// Hides where a pointer comes from: the compiler would keep dozens of addresses on the stack rather than add to one.
#define TRIMATTE_OPAQUE(pointer) asm("" : "+r"(pointer))
#define TRIMATTE_PREFETCH(address) __builtin_prefetch(address)

#if defined(__AVX512F__)  // gcc 12 does it in halves
TRIMATTE_INLINE D8 widen(F8 a) { return reinterpret_cast<D8>(_mm512_cvtps_pd(reinterpret_cast<__m256>(a))); }
TRIMATTE_INLINE F8 narrow(D8 a) { return reinterpret_cast<F8>(_mm512_cvtpd_ps(reinterpret_cast<__m512d>(a))); }
#else
TRIMATTE_INLINE D8 widen(F8 a) { return __builtin_convertvector(a, D8); }
TRIMATTE_INLINE F8 narrow(D8 a) { return __builtin_convertvector(a, F8); }
#endif
TRIMATTE_INLINE D8 larger(D8 a, D8 b) { return a > b ? a : b; }
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
using F32 = Lanes_<float, 32>;
using D8 = Lanes_<double, 8>;
using D16 = Lanes_<double, 16>;
#define TRIMATTE_INLINE inline
#define TRIMATTE_LAMBDA
#define TRIMATTE_OPAQUE(pointer)
#define TRIMATTE_PREFETCH(address)

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

template <class V, class Scalar>
TRIMATTE_INLINE V load(const Scalar* from) {
    V v;
    memcpy(&v, from, sizeof v);
    return v;
}
template <class V, class Scalar>
TRIMATTE_INLINE void store(Scalar* to, const V& v) {
    memcpy(to, &v, sizeof v);
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

// Asks for the cache lines of a vector at `address`.
template <class V>
TRIMATTE_INLINE void prefetch([[maybe_unused]] const float* address) {
    TRIMATTE_PREFETCH(address);
    if constexpr (sizeof(V) > 64) {
        TRIMATTE_PREFETCH(address + 16);
    }
}
