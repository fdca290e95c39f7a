// Loops of foreground/multilevel.cpp, whose comment gives the equations; kernels.hpp describes the
// arrays. f and g are the weighted means of the neighbours' F and B, and b = 1 - a. Only
// kernels.cpp includes this file.

float clip(float v, Range range) {
    v = v > range.low ? v : range.low;
    return v < range.high ? v : range.high;
}

void weigh(const float* __restrict a, const float* __restrict neighbour, int64_t count, float base, float slope,
           float* __restrict weight) {
    for (int64_t k = 0; k < count; ++k) {
        weight[k] = base + slope * fabsf(a[2 * k] - neighbour[2 * k]);
    }
}

void normalise(const float* __restrict a, int64_t count, float* __restrict left, float* __restrict right,
               float* __restrict up, float* __restrict down, float* __restrict inverse_k) {
    for (int64_t k = 0; k < count; ++k) {
        const float sum = left[k] + right[k] + up[k] + down[k];
        const float scale = 1 / sum;
        left[k] *= scale;
        right[k] *= scale;
        up[k] *= scale;
        down[k] *= scale;
        const float b = 1 - a[2 * k];
        inverse_k[k] = 1 / (a[2 * k] * a[2 * k] + b * b + sum);
    }
}

void update(int64_t count, const float* a, const float* image, const float* const* weights, const float* inverse_k,
            const float* const* F_at, const float* const* B_at, Range range, float* __restrict F, float* __restrict B) {
    const float *left = weights[0], *right = weights[1], *up = weights[2], *down = weights[3];
    const float *F_left = F_at[0], *F_right = F_at[1], *F_up = F_at[2], *F_down = F_at[3];
    const float *B_left = B_at[0], *B_right = B_at[1], *B_up = B_at[2], *B_down = B_at[3];
    for (int64_t k = 0; k < count; ++k) {
        const float f = left[k] * F_left[k] + right[k] * F_right[k] + up[k] * F_up[k] + down[k] * F_down[k];
        const float g = left[k] * B_left[k] + right[k] * B_right[k] + up[k] * B_up[k] + down[k] * B_down[k];
        const float b = 1 - a[k];
        const float r = (image[k] - a[k] * f - b * g) * inverse_k[k];
        F[k] = clip(f + a[k] * r, range);
        B[k] = clip(g + b * r, range);
    }
}

// Moves (F, B) to the nearest point of the line a F + b B = I, b = 1 - a, within the range. A layer
// whose share (a or b) is 0 stays as it is.
void make_exact(const float* __restrict alpha, const float* __restrict I, int64_t count, Range range,
                float* __restrict F, float* __restrict B) {
    for (int64_t k = 0; k < count; ++k) {
        const float a = alpha[k];
        const float b = 1 - a;
        const float r = (I[k] - a * F[k] - b * B[k]) / (a * a + b * b);
        const float f = clip(F[k] + a * r, range);
        const float g = clip(B[k] + b * r, range);
        // If one layer has met its bound, the more visible one makes up for it. The other does so
        // only if that is not enough.
        const bool F_is_major = a > b;
        const float major = F_is_major ? a : b;
        const float minor = F_is_major ? b : a;
        const float wanted = (I[k] - minor * (F_is_major ? g : f)) / major;
        const float major_colour = clip(wanted, range);
        const float rest = clip((I[k] - major * major_colour) / (minor > 0 ? minor : 1), range);
        const float minor_colour = major_colour == wanted ? (F_is_major ? g : f) : rest;
        F[k] = F_is_major ? major_colour : minor_colour;
        B[k] = F_is_major ? minor_colour : major_colour;
    }
}
