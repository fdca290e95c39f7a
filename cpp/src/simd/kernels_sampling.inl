// Loops of prior/global_sampling.cpp. Included by kernels.cpp only.

// The alpha that a foreground and a background colour give a pixel, and what the pair costs there.
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
