// Loops of prior/shared_sampling/, whose papers prior/shared_sampling.cpp names. kernels.hpp
// describes the arrays. Only kernels.cpp includes this file.

// M(F, B)^2 of Eq. 2: the squared distance of a colour C to the nearest mixture of F = B + d and B.
// inverse is 1 / |d|^2. alpha receives the share of F.
TRIMATTE_INLINE float distortion2(const float* C, int64_t stride, float B0, float B1, float B2, float d0, float d1,
                                  float d2, float inverse, float& alpha) {
    const float v0 = C[0] - B0, v1 = C[stride] - B1, v2 = C[2 * stride] - B2;
    float a = (v0 * d0 + v1 * d1 + v2 * d2) * inverse;
    a = a > 0 ? a : 0;
    a = a < 1 ? a : 1;
    const float r0 = v0 - a * d0, r1 = v1 - a * d1, r2 = v2 - a * d2;
    alpha = a;
    return r0 * r0 + r1 * r1 + r2 * r2;
}

// N_p of Eq. 3 for one pair of samples of each pixel.
void pair_distortions(int64_t count, const float* around, const float* F, const float* B, int64_t stride,
                      float* __restrict N, float* __restrict alpha) {
    for (int64_t i = 0; i < count; ++i) {
        const float B0 = B[i], B1 = B[stride + i], B2 = B[2 * stride + i];
        const float d0 = F[i] - B0, d1 = F[stride + i] - B1, d2 = F[2 * stride + i] - B2;
        const float length2 = d0 * d0 + d1 * d1 + d2 * d2;
        const float inverse = 1 / (length2 > 1e-8f ? length2 : 1e-8f);
        float a, other;
        float sum = distortion2(around + i, stride, B0, B1, B2, d0, d1, d2, inverse, a);
        for (int64_t q = 1; q < 9; ++q) {
            sum += distortion2(around + 3 * q * stride + i, stride, B0, B1, B2, d0, d1, d2, inverse, other);
        }
        N[i] = sum;
        alpha[i] = a;
    }
}

// Squared distortions below this, that of a quarter of an 8-bit step, count as equal.
constexpr float equal = 1e-6f;

// Takes the tuple's distortion to its place among the three lowest; what it passes moves up.
void keep_lowest(int64_t count, const float* C, const float* tuples, int64_t plane, float number,
                 float* __restrict lowest, float* __restrict which) {
    constexpr int64_t lanes = tile_lanes;
    for (int64_t i = 0; i < count; ++i) {
        float a;
        const float* t = tuples + i;
        const float exact = distortion2(C + i, lanes, t[0], t[plane], t[2 * plane], t[3 * plane], t[4 * plane],
                                        t[5 * plane], t[6 * plane], a);
        const float m = exact > equal ? exact : equal;
        const float m0 = lowest[i], m1 = lowest[lanes + i], m2 = lowest[2 * lanes + i];
        const float k0 = which[i], k1 = which[lanes + i], k2 = which[2 * lanes + i];
        const float up1 = m < m0 ? m0 : m, k_up1 = m < m0 ? k0 : number;
        lowest[i] = m < m0 ? m : m0;
        which[i] = m < m0 ? number : k0;
        const float up2 = up1 < m1 ? m1 : up1, k_up2 = up1 < m1 ? k1 : k_up1;
        lowest[lanes + i] = up1 < m1 ? up1 : m1;
        which[lanes + i] = up1 < m1 ? k_up1 : k1;
        lowest[2 * lanes + i] = up2 < m2 ? up2 : m2;
        which[2 * lanes + i] = up2 < m2 ? k_up2 : k2;
    }
}

// Adds what one neighbour of each pixel contributes to the sums of Eq. 14 to 21.
void add_smoothed(int64_t count, const float* alpha, float gauss, float least, const float* pixels, int64_t plane,
                  float* __restrict sums) {
    constexpr int64_t lanes = tile_lanes;
    for (int64_t i = 0; i < count; ++i) {
        const float* t = pixels + i;
        const float a = t[6 * plane], f = t[7 * plane];
        const float weight = gauss * f;
        float difference = alpha[i] - a;
        difference = difference < 0 ? -difference : difference;
        const float w = weight * (difference > least ? difference : least);
        const float wF = w * a, wB = w * (1 - a);
        sums[i] += wF;
        sums[lanes + i] += wF * t[0];
        sums[2 * lanes + i] += wF * t[plane];
        sums[3 * lanes + i] += wF * t[2 * plane];
        sums[4 * lanes + i] += wB;
        sums[5 * lanes + i] += wB * t[3 * plane];
        sums[6 * lanes + i] += wB * t[4 * plane];
        sums[7 * lanes + i] += wB * t[5 * plane];
        const float mixed = f * a * (1 - a);
        sums[8 * lanes + i] += mixed;
        sums[9 * lanes + i] += mixed * t[8 * plane];
        const float v = weight + t[9 * plane];
        sums[10 * lanes + i] += v;
        sums[11 * lanes + i] += v * a;
    }
}
