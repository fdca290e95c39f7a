// The closed-form Laplacian for windows of any radius, one matrix row after the other: pixel p gathers from
// every window that holds it
//     L_pq += delta_pq - (1 + v . (I_q - m)) / n,   v = (S + epsilon / n Id)^-1 (I_p - m)
// (Eq. 12 of Levin et al. 2008; n pixels per window, mean m, covariance S). Slower than the 3 x 3 kernel, and its
// twin in the tests.
#include <algorithm>
#include <vector>

#include "affinity/closed_form_rows.hpp"

namespace trimatte {
namespace {

// Mean and factors of S + epsilon / n Id = K D K^T of one window; `built` is 0 for windows left out.
template <int C>
struct Window {
    bool built;
    double mean[C];
    double k10, k20, k21;
    double pivot[C];

    // (S + epsilon / n Id)^-1 u, in place.
    void solve(double* u) const {
        if constexpr (C == 3) {
            u[1] -= k10 * u[0];
            u[2] -= k20 * u[0] + k21 * u[1];
        }
        for (int c = 0; c < C; ++c) {
            u[c] /= pivot[c];
        }
        if constexpr (C == 3) {
            u[1] -= k21 * u[2];
            u[0] -= k10 * u[1] + k20 * u[2];
        }
    }
};

template <int C>
Window<C> make_window(const ClosedFormRows& rows, ColourRows& colours, std::int64_t y, std::int64_t x) {
    const int r = rows.radius;
    Window<C> w{};
    for (std::int64_t v = y - r; v <= y + r; ++v) {
        for (std::int64_t u = x - r; u <= x + r; ++u) {
            w.built = w.built || rows.is_unknown(v, u);
        }
    }
    if (!w.built) {
        return w;
    }
    const double n = (2.0 * r + 1) * (2.0 * r + 1);
    const std::int64_t stride = colours.stride();
    for (std::int64_t v = y - r; v <= y + r; ++v) {
        const double* row = colours.row(v);
        for (std::int64_t u = x - r; u <= x + r; ++u) {
            for (int c = 0; c < C; ++c) {
                w.mean[c] += row[c * stride + u] / n;
            }
        }
    }
    double s[C][C] = {};
    for (std::int64_t v = y - r; v <= y + r; ++v) {
        const double* row = colours.row(v);
        for (std::int64_t u = x - r; u <= x + r; ++u) {
            for (int c = 0; c < C; ++c) {
                for (int d = 0; d <= c; ++d) {
                    s[c][d] += (row[c * stride + u] - w.mean[c]) * (row[d * stride + u] - w.mean[d]) / n;
                }
            }
        }
    }
    // Each pivot is at least e by construction; rounding may take it below.
    const double e = rows.epsilon / n;
    w.pivot[0] = s[0][0] + e;
    if constexpr (C == 3) {
        w.k10 = s[1][0] / w.pivot[0];
        w.k20 = s[2][0] / w.pivot[0];
        w.pivot[1] = std::max(s[1][1] + e - w.k10 * s[1][0], e);
        const double t21 = s[2][1] - w.k20 * s[1][0];
        w.k21 = t21 / w.pivot[1];
        w.pivot[2] = std::max(s[2][2] + e - w.k20 * s[2][0] - w.k21 * t21, e);
    }
    return w;
}

template <int C>
void fill_rows(const ClosedFormRows& rows, std::int64_t y_begin, std::int64_t y_end, Monitor& monitor) {
    const int r = rows.radius;
    const int side = 4 * r + 1;  // of a row's stencil
    const double n = (2.0 * r + 1) * (2.0 * r + 1);
    const std::int64_t height = rows.image.height;
    const std::int64_t width = rows.image.width;
    ColourRows colours(rows.image, side, 0);
    IndexRows index(rows, 2 * r);
    std::vector<double> stencil(static_cast<std::size_t>(side * side));
    // Windows whose centres are within r of the current row, in a ring.
    const std::int64_t ring = 2 * r + 1;
    std::vector<Window<C>> windows(static_cast<std::size_t>(ring * width));
    const auto window_row = [&](std::int64_t y) { return windows.data() + y % ring * width; };

    std::int64_t next_window_row = std::max<std::int64_t>(r, y_begin - r);
    for (std::int64_t y = y_begin; y < y_end; ++y) {
        const std::int64_t last = std::min<std::int64_t>(y + r, height - 1 - r);
        for (; next_window_row <= last; ++next_window_row) {
            Window<C>* row = window_row(next_window_row);
            for (std::int64_t x = r; x < width - r; ++x) {
                row[x] = make_window<C>(rows, colours, next_window_row, x);
            }
        }
        index.move_to(y);
        for (std::int64_t x = 0; x < width; ++x) {
            const std::int32_t i = index.row(0)[x];
            if (i < 0) {
                continue;
            }
            monitor.poll();
            std::fill(stencil.begin(), stencil.end(), 0.0);
            double& diagonal = stencil[static_cast<std::size_t>(2 * r * side + 2 * r)];
            for (std::int64_t wy = std::max<std::int64_t>(y - r, r); wy <= last; ++wy) {
                const std::int64_t wx_end = std::min<std::int64_t>(x + r, width - 1 - r);
                for (std::int64_t wx = std::max<std::int64_t>(x - r, r); wx <= wx_end; ++wx) {
                    const Window<C>& w = window_row(wy)[wx];
                    if (!w.built) {
                        continue;
                    }
                    double v[C];
                    for (int c = 0; c < C; ++c) {
                        v[c] = colours.row(y)[c * colours.stride() + x] - w.mean[c];
                    }
                    w.solve(v);
                    for (std::int64_t qy = wy - r; qy <= wy + r; ++qy) {
                        const double* q = colours.row(qy) + wx - r;
                        double* out = stencil.data() + (qy - y + 2 * r) * side + (wx - r - x + 2 * r);
                        for (int u = 0; u <= 2 * r; ++u) {
                            double entry = 1;
                            for (int c = 0; c < C; ++c) {
                                entry += v[c] * (q[c * colours.stride() + u] - w.mean[c]);
                            }
                            out[u] -= entry / n;
                        }
                    }
                    diagonal += 1;
                }
            }
            std::int64_t at = rows.matrix.row_start[i];
            double towards_foreground = 0;
            for (int dy = -2 * r; dy <= 2 * r; ++dy) {
                const std::int32_t* to = index.row(dy) + x - 2 * r;
                const double* entry = stencil.data() + (dy + 2 * r) * side;
                for (int u = 0; u < side; ++u) {
                    if (to[u] >= 0) {
                        rows.matrix.column[at] = to[u];
                        rows.matrix.value[at] = entry[u];
                        ++at;
                    } else if (to[u] == no_row_foreground) {
                        towards_foreground += entry[u];
                    }
                }
            }
            if (rows.rhs != nullptr) {
                rows.rhs[i] = -towards_foreground;
            }
        }
    }
}

}  // namespace

void fill_rows_any_radius(const ClosedFormRows& rows, std::int64_t y_begin, std::int64_t y_end, Monitor& monitor) {
    rows.image.channels == 1 ? fill_rows<1>(rows, y_begin, y_end, monitor)
                             : fill_rows<3>(rows, y_begin, y_end, monitor);
}

}  // namespace trimatte
