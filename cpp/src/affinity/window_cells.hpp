// The windows of a matrix-free operator, and their sum on cells. This header is private to this
// folder.
#pragma once

#include <algorithm>
#include <cmath>

#include "affinity/box_filter.hpp"
#include "affinity/window_layout.hpp"
#include "trimatte/operator.hpp"

namespace trimatte {

// Loads columns [begin, end) of a picture row as numbers in [0, 1], one plane per channel.
inline void load_columns(const ImageView& image, std::int64_t y, std::int64_t begin, std::int64_t end,
                         std::int64_t stride, double* out) {
    std::vector<std::int64_t> column(static_cast<std::size_t>(end - begin));
    for (std::int64_t x = begin; x < end; ++x) {
        column[static_cast<std::size_t>(x - begin)] = x;
    }
    sample_row(image, y, column.data(), end - begin, stride, out);
}

// The factors of S + e Id = K D K^T, where K is unit lower triangular. `inverse` is D^-1.
template <int C>
struct Factors {
    double k10 = 0, k20 = 0, k21 = 0;
    double inverse[C] = {};

    // products: the lower triangle of S, row by row. Pivots below `least` count as infinite, so
    // that their direction is left out.
    Factors(const double* products, double e, double least) {
        const auto inverted = [&](double pivot) { return pivot < least ? 0.0 : 1 / pivot; };
        inverse[0] = inverted(products[0] + e);
        if constexpr (C == 3) {
            k10 = products[1] * inverse[0];
            k20 = products[3] * inverse[0];
            inverse[1] = inverted(std::max(products[2] + e - k10 * products[1], e));
            const double t21 = products[4] - k20 * products[1];
            k21 = t21 * inverse[1];
            inverse[2] = inverted(std::max(products[5] + e - k20 * products[3] - k21 * t21, e));
        }
    }
    Factors() = default;

    // Replaces u by K^-1 u.
    void substitute(double* u) const {
        if constexpr (C == 3) {
            u[1] -= k10 * u[0];
            u[2] -= k20 * u[0] + k21 * u[1];
        }
    }
    // Replaces u by K^-T u.
    void substitute_back(double* u) const {
        if constexpr (C == 3) {
            u[1] -= k21 * u[2];
            u[0] -= k10 * u[1] + k20 * u[2];
        }
    }
};

// The mean colour m, the factors of S + epsilon / n Id and the share 1 / n of each window; the
// share and D^-1 of a window that is not built are zero. In each row of a tile they are planes.
template <int C>
class Windows {
public:
    Windows(const WindowLayout& layout, double epsilon, const ImageView& image, const Context& context);

    // Fits lines to sums of p and I p over `size` windows from `place` on, which lie in a row of a
    // tile of as many columns. The planes of `out` are b and a.
    void fit(std::int64_t place, std::int64_t size, const double* sums, std::int64_t stride, double* out) const;
    // Fills the coefficients of (1 + (I - m)^T M (I - m)) / n as a polynomial in I: the constant,
    // the linear ones, and the quadratic ones by lower triangle.
    void polynomial(const Tile& tile, std::int64_t y, std::int64_t x, double* out) const;

    double epsilon() const { return epsilon_; }
    double share(const Tile& tile, std::int64_t y, std::int64_t x) const { return at(tile, y, x, 0); }
    double mean(const Tile& tile, std::int64_t y, std::int64_t x, int c) const { return at(tile, y, x, 1 + c); }
    Factors<C> factors(const Tile& tile, std::int64_t y, std::int64_t x) const {
        Factors<C> f;
        for (int c = 0; c < C; ++c) {
            f.inverse[c] = at(tile, y, x, 1 + C + c);
        }
        if constexpr (C == 3) {
            f.k10 = at(tile, y, x, 7);
            f.k20 = at(tile, y, x, 8);
            f.k21 = at(tile, y, x, 9);
        }
        return f;
    }
    std::size_t bytes() const { return data_.bytes(); }

private:
    // share, m, D^-1, and K for three channels
    static constexpr int planes = C == 3 ? 10 : 3;

    double at(const Tile& tile, std::int64_t y, std::int64_t x, int plane) const {
        return data_[planes * tile.place(y, tile.x) + plane * tile.columns + x - tile.x];
    }

    double epsilon_;
    Buffer<double> data_;
};

// The operator on cells whose side is that of a window or a multiple of it, from windows at places a
// few pixels apart. colour: C planes with a number for each wanted pixel. count: the number of
// windows that hold a pixel.
template <int C>
CellMatrix cells_of_windows(const WindowLayout& layout, const Windows<C>& windows, const double* colour,
                            const double* count, std::int64_t cells_at_most, const Context& context);

}  // namespace trimatte
