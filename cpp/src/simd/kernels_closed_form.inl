// Loops of affinity/window_sums.hpp, affinity/closed_form.cpp and system/stencil_rows.cpp. Only
// kernels.cpp includes this file.
//
// Up to `lanes` windows of 3 x 3 pixels beside each other are handled at once. Window i covers the
// columns i, i + 1 and i + 2, its pixel a lies in row a / 3 and column i + a % 3, and y[a * C +
// c][i] is number c of this pixel. kernels.hpp describes the pointers.

constexpr int window_pixels = 9;

double larger(double a, double b) { return a > b ? a : b; }

// Returns the covariance of the centred channels c and d of window i.
template <int C>
double covariance(const Lanes* y, int c, int d, int i) {
    double sum = 0;
    for (int a = 0; a < window_pixels; ++a) {
        sum += y[a * C + c][i] * y[a * C + d][i];
    }
    return sum * (1.0 / window_pixels);
}

// Sets y to the colours minus the mean colour of their window.
template <int C>
void centre(const double* const* rows, int64_t stride, int count, Lanes* y) {
    Lanes mean[C];
    for (int c = 0; c < C; ++c) {
        const double* top = rows[0] + c * stride;
        const double* middle = rows[1] + c * stride;
        const double* bottom = rows[2] + c * stride;
        for (int i = 0; i < count; ++i) {
            const double sum = top[i] + top[i + 1] + top[i + 2] + (middle[i] + middle[i + 1] + middle[i + 2]) +
                               (bottom[i] + bottom[i + 1] + bottom[i + 2]);
            mean[c][i] = sum * (1.0 / window_pixels);
        }
    }
    for (int a = 0; a < window_pixels; ++a) {
        for (int c = 0; c < C; ++c) {
            const double* p = rows[a / 3] + c * stride + a % 3;
            for (int i = 0; i < count; ++i) {
                y[a * C + c][i] = p[i] - mean[c][i];
            }
        }
    }
}

// Computes y_a = D^-1/2 K^-1 (I_a - m) / 3, where S + e Id = K D K^T is the factorisation of
// affinity/closed_form.cpp. The variables k10, k20 and k21 are K's entries below the diagonal, and
// s00, d1 and d2 are D. Each pivot of D is at least e in exact arithmetic, but rounding may make it
// smaller. K^-1 is applied by forward substitution, in place.
void whiten(int channels, const double* const* rows, int64_t stride, int count, double e, Lanes* y) {
    if (channels == 1) {
        centre<1>(rows, stride, count, y);
        for (int i = 0; i < count; ++i) {
            const double s = 1 / (3 * sqrt(covariance<1>(y, 0, 0, i) + e));
            for (int a = 0; a < window_pixels; ++a) {
                y[a][i] *= s;
            }
        }
        return;
    }
    centre<3>(rows, stride, count, y);
    for (int i = 0; i < count; ++i) {
        const double s00 = covariance<3>(y, 0, 0, i) + e;
        const double s10 = covariance<3>(y, 1, 0, i);
        const double s11 = covariance<3>(y, 1, 1, i) + e;
        const double s20 = covariance<3>(y, 2, 0, i);
        const double s21 = covariance<3>(y, 2, 1, i);
        const double s22 = covariance<3>(y, 2, 2, i) + e;
        const double k10 = s10 / s00;
        const double k20 = s20 / s00;
        const double d1 = larger(s11 - k10 * s10, e);
        const double t21 = s21 - k20 * s10;
        const double k21 = t21 / d1;
        const double d2 = larger(s22 - k20 * s20 - k21 * t21, e);
        const double r0 = 1 / (3 * sqrt(s00));
        const double r1 = 1 / (3 * sqrt(d1));
        const double r2 = 1 / (3 * sqrt(d2));
        for (int a = 0; a < window_pixels; ++a) {
            const double u0 = y[a * 3][i];
            const double u1 = y[a * 3 + 1][i] - k10 * u0;
            const double u2 = y[a * 3 + 2][i] - k20 * u0 - k21 * u1;
            y[a * 3][i] = u0 * r0;
            y[a * 3 + 1][i] = u1 * r1;
            y[a * 3 + 2][i] = u2 * r2;
        }
    }
}

// Returns the plane of a forward offset: (0, 0..2), (1, -2..2) or (2, -2..2).
int plane_of(int dy, int dx) { return dy == 0 ? dx : 5 * dy + dx; }

// Adds the entries of windows whose y_a have C components; add_entries chooses C. The entry of the
// pixels a <= b belongs to pixel a, in the plane of the offset from a to b.
template <int C>
void add_all(double constant, const Lanes* y, int count, int64_t stride, double* const* planes_at) {
    for (int a = 0; a < window_pixels; ++a) {
        for (int b = a; b < window_pixels; ++b) {
            double* __restrict out = planes_at[a / 3] + plane_of(b / 3 - a / 3, b % 3 - a % 3) * stride + a % 3;
            const double of_pair = (a == b ? 1.0 : 0.0) - constant;
            const double* ya = y[a * C];
            const double* yb = y[b * C];
            for (int i = 0; i < count; ++i) {
                double dot = ya[i] * yb[i];
                for (int c = 1; c < C; ++c) {
                    dot += ya[c * lanes + i] * yb[c * lanes + i];
                }
                out[i] += of_pair - dot;
            }
        }
    }
}

void add_entries(int components, double constant, const Lanes* y, int count, int64_t stride, double* const* planes_at) {
    switch (components) {
        case 1: return add_all<1>(constant, y, count, stride, planes_at);
        case 2: return add_all<2>(constant, y, count, stride, planes_at);
        case 3: return add_all<3>(constant, y, count, stride, planes_at);
        default: return add_all<4>(constant, y, count, stride, planes_at);
    }
}

// Scales the entries of one row of pixels by s on both sides and splits them into hi + lo, two
// floats whose sum has about 48 bits; see kernels.hpp.
void scale_entries(int64_t size, const double* row, int64_t stride, const double* const* s, float* hi, float* lo,
                   int64_t n) {
    for (int d = 1; d < 13; ++d) {
        const int dy = d < 3 ? 0 : d < 8 ? 1 : 2;
        const int dx = d - 5 * dy;
        for (int64_t i = 0; i < size; i += 8) {
            const D8 entry = load<D8>(row + d * stride + i) * load<D8>(s[0] + i) * load<D8>(s[dy] + i + dx);
            const F8 high = narrow(entry);
            store(hi + (d - 1) * n + i, high);
            store(lo + (d - 1) * n + i, narrow(entry - widen(high)));
        }
    }
}

// Computes out = L f for one row of pixels; see kernels.hpp. The entry at a backward offset is read
// from the other pixel.
void apply_entries(int64_t size, const double* const* rows, int64_t stride, const double* const* f, double* out) {
    for (int64_t i = 0; i < size; i += 8) {
        D8 sum = load<D8>(rows[2] + i) * load<D8>(f[2] + i);
        for (int dy = 0; dy <= 2; ++dy) {
            for (int dx = dy == 0 ? 1 : -2; dx <= 2; ++dx) {
                const int64_t plane = (5 * dy + dx) * stride;
                sum += load<D8>(rows[2] + plane + i) * load<D8>(f[2 + dy] + i + dx);
                sum += load<D8>(rows[2 - dy] + plane + i - dx) * load<D8>(f[2 - dy] + i - dx);
            }
        }
        store(out + i, sum);
    }
}
