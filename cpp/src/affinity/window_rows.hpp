// Sums over windows of any radius, one matrix row after the other: the general form of affinities
// that are made of windows. Pixel p gathers from every window that holds it
//     L_pq += delta_pq - (1 + v . (I_q - m)) / n,   v = weigh(I_p - m)
// where n is the number of pixels of a window and m its mean colour. An affinity says what weigh
// is. This is slower than window_sums.hpp, and it is the twin of that file in the tests. Private to
// this folder.
#pragma once

#include <algorithm>
#include <vector>

#include "affinity/colour_rows.hpp"
#include "trimatte/affinity.hpp"

namespace trimatte {

// The mean m and the factors of S + epsilon / n Id = K D K^T of one window, where S is the
// covariance of its colours. `built` is false for a window that is left out.
template <int C>
struct Window {
    static constexpr int channels = C;
    bool built;
    double mean[C];
    double k10, k20, k21;
    double pivot[C];

    // Replaces u by (S + epsilon / n Id)^-1 u.
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
Window<C> make_window(const Wanted& wanted, ColourRows& colours, double epsilon, int r, std::int64_t y,
                      std::int64_t x) {
    Window<C> w{};
    for (std::int64_t v = y - r; v <= y + r; ++v) {
        for (std::int64_t u = x - r; u <= x + r; ++u) {
            w.built = w.built || wanted.is_unknown(v * wanted.image.width + u);
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
    // Each pivot is at least e in exact arithmetic, but rounding may make it smaller.
    const double e = epsilon / n;
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

// The windows and colours from which the rows of a band of the picture are gathered.
template <int C, class Weigh>
class RowMaker {
public:
    RowMaker(const Wanted& wanted, double epsilon, int radius, std::int64_t y_begin, const Weigh& weigh)
        : wanted_(wanted),
          weigh_(weigh),
          epsilon_(epsilon),
          r_(radius),
          side_(4 * radius + 1),
          colours_(wanted.image, side_, 0),
          stencil_(static_cast<std::size_t>(side_ * side_)),
          windows_(static_cast<std::size_t>((2 * radius + 1) * wanted.image.width)),
          next_window_row_(std::max<std::int64_t>(r_, y_begin - r_)),
          column_(stencil_.size()) {}

    // Passes the wanted rows of picture row y to the sink. Calls must come with ascending y.
    void emit(std::int64_t y, RowSink& sink, Monitor& monitor) {
        const std::int64_t height = wanted_.image.height, width = wanted_.image.width;
        const std::int64_t last = std::min<std::int64_t>(y + r_, height - 1 - r_);
        for (; next_window_row_ <= last; ++next_window_row_) {
            Window<C>* row = window_row(next_window_row_);
            for (std::int64_t x = r_; x < width - r_; ++x) {
                row[x] = make_window<C>(wanted_, colours_, epsilon_, r_, next_window_row_, x);
            }
        }
        for (std::int64_t x = 0; x < width; ++x) {
            if (wanted_.has_row(y * width + x)) {
                monitor.poll();
                gather(y, x, last);
                pass_on(y, x, sink);
            }
        }
    }

private:
    Window<C>* window_row(std::int64_t y) { return windows_.data() + y % (2 * r_ + 1) * wanted_.image.width; }

    // Fills stencil_ with the matrix row of pixel (y, x), as a square of pixels around it. last:
    // the last row of windows that hold the pixel.
    void gather(std::int64_t y, std::int64_t x, std::int64_t last) {
        const double n = (2.0 * r_ + 1) * (2.0 * r_ + 1);
        std::fill(stencil_.begin(), stencil_.end(), 0.0);
        double& diagonal = stencil_[static_cast<std::size_t>(2 * r_ * side_ + 2 * r_)];
        for (std::int64_t wy = std::max<std::int64_t>(y - r_, r_); wy <= last; ++wy) {
            const std::int64_t wx_end = std::min<std::int64_t>(x + r_, wanted_.image.width - 1 - r_);
            for (std::int64_t wx = std::max<std::int64_t>(x - r_, r_); wx <= wx_end; ++wx) {
                const Window<C>& w = window_row(wy)[wx];
                if (!w.built) {
                    continue;
                }
                double v[C];
                for (int c = 0; c < C; ++c) {
                    v[c] = colours_.row(y)[c * colours_.stride() + x] - w.mean[c];
                }
                weigh_(w, v);
                for (std::int64_t qy = wy - r_; qy <= wy + r_; ++qy) {
                    const double* q = colours_.row(qy) + wx - r_;
                    double* out = stencil_.data() + (qy - y + 2 * r_) * side_ + (wx - r_ - x + 2 * r_);
                    for (int u = 0; u <= 2 * r_; ++u) {
                        double entry = 1;
                        for (int c = 0; c < C; ++c) {
                            entry += v[c] * (q[c * colours_.stride() + u] - w.mean[c]);
                        }
                        out[u] -= entry / n;
                    }
                }
                diagonal += 1;
            }
        }
    }

    // Passes the part of the square that lies in the picture to the sink. Any two pixels of that
    // part share a window.
    void pass_on(std::int64_t y, std::int64_t x, RowSink& sink) {
        const std::int64_t height = wanted_.image.height, width = wanted_.image.width;
        std::size_t count = 0;
        for (std::int64_t v = std::max<std::int64_t>(0, y - 2 * r_); v <= std::min(height - 1, y + 2 * r_); ++v) {
            const std::int64_t of_row = (v - y + 2 * r_) * side_ + 2 * r_ - x;
            for (std::int64_t u = std::max<std::int64_t>(0, x - 2 * r_); u <= std::min(width - 1, x + 2 * r_); ++u) {
                column_[count] = static_cast<std::int32_t>(v * width + u);
                // The entry is read before its place is overwritten.
                stencil_[count++] = stencil_[static_cast<std::size_t>(of_row + u)];
            }
        }
        sink.add(y * width + x, static_cast<std::int64_t>(count), column_.data(), stencil_.data());
    }

    const Wanted& wanted_;
    const Weigh& weigh_;
    double epsilon_;
    int r_;
    int side_;  // side of the square that a matrix row covers, in pixels
    ColourRows colours_;
    std::vector<double> stencil_;
    // The windows whose centres are within r rows of the current row, in a ring.
    std::vector<Window<C>> windows_;
    std::int64_t next_window_row_;
    std::vector<std::int32_t> column_;
};

// Affinity::emit_rows for windows whose S gets epsilon / n added to its diagonal. weigh(window, v)
// replaces v = I_p - m in place. It is called for windows of 1 and of 3 channels.
template <class Weigh>
void emit_window_rows(const Wanted& wanted, double epsilon, int radius, std::int64_t y_begin, std::int64_t y_end,
                      RowSink& sink, Monitor& monitor, const Weigh& weigh) {
    const auto emit = [&](auto maker) {
        for (std::int64_t y = y_begin; y < y_end; ++y) {
            maker.emit(y, sink, monitor);
        }
    };
    wanted.image.channels == 1 ? emit(RowMaker<1, Weigh>(wanted, epsilon, radius, y_begin, weigh))
                               : emit(RowMaker<3, Weigh>(wanted, epsilon, radius, y_begin, weigh));
}

}  // namespace trimatte
