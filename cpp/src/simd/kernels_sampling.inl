// Loops of prior/global_sampling.cpp, whose comment names the paper. kernels.hpp describes the
// arrays. Only kernels.cpp includes this file.

// Computes the alpha a in [0, 1] for which a F + (1 - a) B comes closest to a pixel's colour, and
// the cost of the pair there (Eq. 6): the distance of these two colours in 8-bit units, plus the
// distances to the places of both samples, each divided by the distance to the nearest known pixel
// of its kind.
void pair_costs(int64_t count, const float* pixels, int64_t stride, const float* F, int64_t F_count, const int32_t* f,
                const float* B, int64_t B_count, const int32_t* b, float* __restrict alpha, float* __restrict cost) {
    for (int64_t i = 0; i < count; ++i) {
        float along = 0, length2 = 0;
        for (int64_t c = 0; c < 3; ++c) {
            const float to = B[c * B_count + b[i]];
            const float d = F[c * F_count + f[i]] - to;
            along += (pixels[c * stride + i] - to) * d;
            length2 += d * d;
        }
        float a = along / (length2 > 1e-8f ? length2 : 1e-8f);
        a = a > 0 ? a : 0;
        a = a < 1 ? a : 1;
        float left2 = 0;
        for (int64_t c = 0; c < 3; ++c) {
            const float left = pixels[c * stride + i] - (a * F[c * F_count + f[i]] + (1 - a) * B[c * B_count + b[i]]);
            left2 += left * left;
        }
        const float y = pixels[3 * stride + i], x = pixels[4 * stride + i];
        const float Fy = F[3 * F_count + f[i]] - y, Fx = F[4 * F_count + f[i]] - x;
        const float By = B[3 * B_count + b[i]] - y, Bx = B[4 * B_count + b[i]] - x;
        alpha[i] = a;
        cost[i] = 255 * sqrtf(left2) + sqrtf(Fy * Fy + Fx * Fx) * pixels[5 * stride + i] +
                  sqrtf(By * By + Bx * Bx) * pixels[6 * stride + i];
    }
}

// Draws a number within `reach` of at[i] and in [0, size) with Marsaglia's xorshift (Journal of
// Statistical Software 8(14), 2003).
void draw_around(int64_t count, uint32_t* __restrict state, const int32_t* __restrict at, int32_t reach, int32_t size,
                 int32_t* __restrict drawn) {
    for (int64_t i = 0; i < count; ++i) {
        uint32_t x = state[i];
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        state[i] = x;
        const int32_t below = at[i] - reach, above = at[i] + reach;
        const int32_t from = below > 0 ? below : 0;
        const int32_t to = above < size - 1 ? above : size - 1;
        const float part = static_cast<float>(static_cast<int32_t>(x >> 8)) * 0x1p-24f;
        const int32_t d = from + static_cast<int32_t>(part * static_cast<float>(to - from + 1));
        drawn[i] = d < to ? d : to;
    }
}

void take_cheaper(int64_t count, const int32_t* __restrict f, const int32_t* __restrict b,
                  const float* __restrict alpha, const float* __restrict cost, int32_t* __restrict best_f,
                  int32_t* __restrict best_b, float* __restrict best_alpha, float* __restrict best_cost) {
    for (int64_t i = 0; i < count; ++i) {
        const bool better = cost[i] < best_cost[i];
        best_f[i] = better ? f[i] : best_f[i];
        best_b[i] = better ? b[i] : best_b[i];
        best_alpha[i] = better ? alpha[i] : best_alpha[i];
        best_cost[i] = better ? cost[i] : best_cost[i];
    }
}
