// Loops of closed-form foreground and background on a run of pixels; foreground/layer_system.hpp
// has the equations and kernels.hpp describes the arrays. Only kernels.cpp includes this file.

// Computes out = t + the weighted sum of the neighbours of x for `count` pixels of a run.
void add_neighbours(const LayerRun& run, int64_t first, int64_t count, const float* t, const float* x,
                    float* __restrict out) {
    const float *right = run.beside + first, *left = right - 1, *above = run.above + first, *below = run.below + first;
    const float *up = x - run.up, *down = x + run.down;
    for (int64_t i = 0; i < count; ++i) {
        out[i] = t[i] + left[i] * x[i - 1] + right[i] * x[i + 1] + above[i] * up[i] + below[i] * down[i];
    }
}

// Returns entry i of S x. Differences are added up, not products: in flat layers they are small.
TRIMATTE_INLINE float differences(const LayerRun& run, const float* x, int64_t i) {
    return run.beside[i - 1] * (x[i] - x[i - 1]) + run.beside[i] * (x[i] - x[i + 1]) +
           run.above[i] * (x[i] - x[i - run.up]) + run.below[i] * (x[i] - x[i + run.down]);
}

void relax_layers(const LayerRun& run, const float* rhs_F, const float* rhs_B, int64_t first, bool from_zero, float* F,
                  float* B) {
    constexpr int64_t most = 64;
    static const int32_t is_even[most + 1] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0,
                                              1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0,
                                              1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    const int32_t* is_taken = is_even + first;
    // A piece may read a pixel that the piece before has replaced, but only for pixels of the other
    // colour, whose results are not used.
    for (int64_t begin = 0; begin < run.count; begin += most) {
        const int64_t count = run.count - begin < most ? run.count - begin : most;
        const float *t_F = rhs_F + begin, *t_B = rhs_B + begin;
        float sum_F[most], sum_B[most];
        if (!from_zero) {
            add_neighbours(run, begin, count, t_F, F + begin, sum_F);
            add_neighbours(run, begin, count, t_B, B + begin, sum_B);
            t_F = sum_F;
            t_B = sum_B;
        }
        float new_F[most], new_B[most];
        const float *FF = run.FF + begin, *FB = run.FB + begin, *BB = run.BB + begin;
        for (int64_t i = 0; i < count; ++i) {
            new_F[i] = FF[i] * t_F[i] - FB[i] * t_B[i];
            new_B[i] = BB[i] * t_B[i] - FB[i] * t_F[i];
        }
        for (int64_t i = 0; i < count; ++i) {
            const float other_F = from_zero ? 0.0f : F[begin + i], other_B = from_zero ? 0.0f : B[begin + i];
            F[begin + i] = is_taken[i] != 0 ? new_F[i] : other_F;
            B[begin + i] = is_taken[i] != 0 ? new_B[i] : other_B;
        }
    }
}

void multiply_layers(const LayerRun& run, const float* F, const float* B, float* __restrict out_F,
                     float* __restrict out_B) {
    for (int64_t i = 0; i < run.count; ++i) {
        const float a = run.alpha[i];
        const float b = 1 - a;
        const float mixed = a * F[i] + b * B[i];
        out_F[i] = differences(run, F, i) + a * mixed;
        out_B[i] = differences(run, B, i) + b * mixed;
    }
}

void restrict_layers(const LayerRun& run, const float* F, const float* B, const float* r_F, const float* r_B,
                     float* __restrict rest) {
    for (int64_t i = 0; i < run.count; ++i) {
        const float a = run.alpha[i];
        const float b = 1 - a;
        rest[i] = b * (r_F[i] - differences(run, F, i)) - a * (r_B[i] - differences(run, B, i));
    }
}

void measure_layer(int64_t count, const float* z, const float* r, const float* q, const float* w, const float* alpha,
                   bool is_foreground, double* sums) {
    // The number of a layer is seen as much as alpha, or 1 - alpha, says.
    const double base = is_foreground ? 0 : 1, slope = is_foreground ? 1 : -1;
    double zr = 0, zq = 0, zw = 0;
    double most = sums[3];
    int64_t i = 0;
    D8 zr_8{}, zq_8{}, zw_8{}, most_8{};
    const double bases[8] = {base, base, base, base, base, base, base, base};
    const D8 base_8 = load<D8>(bases);
    for (; i + 8 <= count; i += 8) {
        const D8 here = load_wide(z + i);
        zr_8 += here * load_wide(r + i);
        zq_8 += here * load_wide(q + i);
        zw_8 += here * load_wide(w + i);
        const D8 seen = here * (base_8 + slope * load_wide(alpha + i));
        most_8 = larger(larger(most_8, seen), -1.0 * seen);
    }
    for (; i < count; ++i) {
        const double here = static_cast<double>(z[i]);
        zr += here * static_cast<double>(r[i]);
        zq += here * static_cast<double>(q[i]);
        zw += here * static_cast<double>(w[i]);
        const double seen = fabs(here * (base + slope * static_cast<double>(alpha[i])));
        most = seen > most ? seen : most;
    }
    sums[0] += total(zr_8) + zr;
    sums[1] += total(zq_8) + zq;
    sums[2] += total(zw_8) + zw;
    for (int lane = 0; lane < 8; ++lane) {
        most = most_8[lane] > most ? most_8[lane] : most;
    }
    sums[3] = most;
}

void advance_layer(int64_t count, float step, float keep, const float* __restrict z, const float* __restrict w,
                   float* __restrict p, float* __restrict q, float* __restrict x, float* __restrict r) {
    for (int64_t i = 0; i < count; ++i) {
        p[i] = z[i] + keep * p[i];
        q[i] = w[i] + keep * q[i];
        x[i] += step * p[i];
        r[i] -= step * q[i];
    }
}
