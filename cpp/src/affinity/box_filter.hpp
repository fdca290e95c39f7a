// Sums over all squares of pixels of one side, in time that does not depend on the side. This
// header is private to this folder.
//
// No number is ever subtracted from a sum, so that a sum is as accurate as one of its own square
// alone. Along a column of pixels, the square that begins at row o of a block of `side` rows is the
// lower part of this block and the upper part of the next (van Herk, Pattern Recognition Letters
// 13, 1992; Gil, Werman, IEEE TPAMI 15, 1993). Along a row, sums of 1, 2, 4, ... columns are
// combined by the binary digits of the side.
//
// What is summed is a Part: numbers in planes, and a rule that combines the parts of two disjoint
// sets of pixels.
#pragma once

#include <cstdint>
#include <utility>

#include "trimatte/buffer.hpp"

namespace trimatte {

// Plain sums in P planes.
template <int P>
struct Sums {
    static constexpr int planes = P;
    static void combine(std::int64_t size, std::int64_t stride, const double* a, double /*count_a*/, const double* b,
                        double /*count_b*/, double* out) {
        for (int p = 0; p < P; ++p) {
            const double* __restrict from = a + p * stride;
            const double* __restrict more = b + p * stride;
            double* __restrict to = out + p * stride;
            for (std::int64_t i = 0; i < size; ++i) {
                to[i] = from[i] + more[i];
            }
        }
    }
};

// The means of C channels, and the sums of the products of their deviations from the means (row by
// row, lower triangle): Chan, Golub, LeVeque, The American Statistician 37(3), 1983. Nothing
// cancels, whatever the means are.
template <int C>
struct Moments {
    static constexpr int products = C * (C + 1) / 2;
    static constexpr int planes = C + products;
    static void combine(std::int64_t size, std::int64_t stride, const double* a, double count_a, const double* b,
                        double count_b, double* out) {
        const double share = count_b / (count_a + count_b);
        const double weight = count_a * share;
        for (int c = 0, k = C; c < C; ++c) {
            for (int d = 0; d <= c; ++d, ++k) {
                const double* __restrict ac = a + c * stride, * __restrict bc = b + c * stride;
                const double* __restrict ad = a + d * stride, * __restrict bd = b + d * stride;
                const double* __restrict from = a + k * stride, * __restrict more = b + k * stride;
                double* __restrict to = out + k * stride;
                for (std::int64_t i = 0; i < size; ++i) {
                    to[i] = from[i] + more[i] + weight * ((bc[i] - ac[i]) * (bd[i] - ad[i]));
                }
            }
        }
        for (int c = 0; c < C; ++c) {
            const double* __restrict from = a + c * stride, * __restrict other = b + c * stride;
            double* __restrict to = out + c * stride;
            for (std::int64_t i = 0; i < size; ++i) {
                to[i] = from[i] + share * (other[i] - from[i]);
            }
        }
    }
};

template <class Part>
class BoxFilter {
public:
    // columns: the largest number of squares side by side.
    BoxFilter(std::int64_t side, std::int64_t columns)
        : side_(side), stride_((columns + side - 1 + 7) / 8 * 8), memory_((side + 7) * row()) {}

    std::int64_t stride() const { return stride_; }

    // Passes the parts of rows x columns squares to take(row, planes), one row after the other.
    // There are at most `side` rows. load(k, planes) fills row k of the pixels, where row 0 is the
    // first row of the first squares; a row has columns + side - 1 pixels.
    template <class Load, class Take>
    void run(std::int64_t rows, std::int64_t columns, const Load& load, const Take& take) {
        const std::int64_t width = columns + side_ - 1;
        double* const raw = place(side_);
        double *above = place(side_ + 1), *spare = place(side_ + 2);
        const auto pixels = [&](std::int64_t n, std::int64_t m) { return static_cast<double>(n * m); };
        load(side_ - 1, place(side_ - 1));
        for (std::int64_t k = side_ - 2; k >= 0; --k) {
            load(k, raw);
            Part::combine(width, stride_, raw, 1, place(k + 1), pixels(side_ - 1 - k, 1), place(k));
        }
        take(0, across(place(0), columns));
        for (std::int64_t o = 1; o < rows; ++o) {
            if (o == 1) {
                load(side_, above);
            } else {
                load(side_ - 1 + o, raw);
                Part::combine(width, stride_, above, pixels(o - 1, 1), raw, 1, spare);
                std::swap(above, spare);
            }
            Part::combine(width, stride_, place(o), pixels(side_ - o, 1), above, pixels(o, 1), raw);
            take(o, across(raw, columns));
        }
    }

private:
    std::int64_t row() const { return Part::planes * stride_; }
    double* place(std::int64_t k) { return memory_.data() + k * row(); }

    // Combines `side` columns each, where every column stands for `side` pixels. The side is odd.
    const double* across(const double* column, std::int64_t columns) {
        double *power = place(side_ + 3), *spare_power = place(side_ + 4);
        double *sum = place(side_ + 5), *spare_sum = place(side_ + 6);
        const auto pixels = [&](std::int64_t n) { return static_cast<double>(n * side_); };
        const std::int64_t width = columns + side_ - 1;
        const double* of_power = column;  // of p columns
        const double* of_done = column;   // of `done` columns
        std::int64_t done = 1;
        for (std::int64_t p = 2; p <= side_; p *= 2) {
            Part::combine(width - p + 1, stride_, of_power, pixels(p / 2), of_power + p / 2, pixels(p / 2), power);
            of_power = power;
            std::swap(power, spare_power);
            if (side_ & p) {
                Part::combine(columns, stride_, of_done, pixels(done), of_power + done, pixels(p), sum);
                of_done = sum;
                std::swap(sum, spare_sum);
                done += p;
            }
        }
        return of_done;
    }

    std::int64_t side_;
    std::int64_t stride_;
    Buffer<double> memory_;
};

}  // namespace trimatte
