// Blocked left-looking partial Cholesky factorisation of a dense front (Davis, Direct Methods for
// Sparse Linear Systems, 2006, section 4.8, with blocks in place of numbers). The blocks do not
// depend on the number of threads, and one thread computes every number, in a fixed order.
#include "solve/cholesky/front.hpp"

#include "simd/kernels.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t strip = 8;           // columns that factor_columns takes at once
constexpr std::int64_t rows_at_once = 384;  // rows of a block of columns that one task takes

// Subtracts from rows [begin, end) of the block of L at column c their products with all blocks
// before it.
void subtract_earlier(const Trapezoid& L, std::int64_t c, std::int64_t w, std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = 0; p < c; p += Trapezoid::width) {
        simd::kernels().subtract_product(end - begin, w, Trapezoid::width, L.at(begin, p), L.stride(p), L.at(c, p),
                                         L.stride(p), L.at(begin, c), L.stride(c), begin == c);
    }
}

// Factorises the square at the top of the block at column c. Returns the first bad column, or w if
// there is none.
std::int64_t factor_square(const Trapezoid& L, std::int64_t c, std::int64_t w, std::int64_t rows) {
    double* const block = L.at(c, c);
    const std::int64_t ld = L.stride(c);
    for (std::int64_t t = 0; t < w; t += strip) {
        const std::int64_t n = std::min(strip, w - t);
        if (t > 0) {
            simd::kernels().subtract_product(rows - t, n, t, block + t, ld, block + t, ld, block + t * ld + t, ld,
                                             false);
        }
        const std::int64_t good = simd::kernels().factor_columns(rows - t, n, block + t * ld + t, ld);
        if (good < n) {
            return t + good;
        }
    }
    return w;
}

// Computes the further rows [begin, end) of the same block.
void solve_rows(const Trapezoid& L, std::int64_t c, std::int64_t w, std::int64_t begin, std::int64_t end) {
    const double* const square = L.at(c, c);
    double* const rows = L.at(begin, c);
    const std::int64_t ld = L.stride(c);
    for (std::int64_t t = 0; t < w; t += strip) {
        const std::int64_t n = std::min(strip, w - t);
        if (t > 0) {
            simd::kernels().subtract_product(end - begin, n, t, rows, ld, square + t, ld, rows + t * ld, ld, false);
        }
        simd::kernels().solve_columns(end - begin, n, square + t * ld + t, ld, rows + t * ld, ld);
    }
}

// Calls body(begin, end) for pieces of the rows [begin, end).
template <class Body>
void for_rows(std::int64_t begin, std::int64_t end, const Context& context, const Body& body) {
    if (end - begin <= rows_at_once) {
        if (begin < end) {
            body(begin, end);
        }
        return;
    }
    parallel_for((end - begin + rows_at_once - 1) / rows_at_once, context.threads, context.monitor,
                 [&](std::int64_t i) {
                     const std::int64_t from = begin + i * rows_at_once;
                     body(from, std::min(end, from + rows_at_once));
                 });
}

// Updates columns [c, c + w) of U in rows [begin, end).
void subtract_tile(const Trapezoid& L, const Trapezoid& U, std::int64_t c, std::int64_t begin, std::int64_t end) {
    const std::int64_t k = L.columns;
    const std::int64_t w = std::min(Trapezoid::width, U.columns - c);
    for (std::int64_t p = 0; p < k; p += Trapezoid::width) {
        simd::kernels().subtract_product(end - begin, w, std::min(Trapezoid::width, k - p), L.at(k + begin, p),
                                         L.stride(p), L.at(k + c, p), L.stride(p), U.at(begin, c), U.stride(c),
                                         begin == c);
    }
}

}  // namespace

double front_work(std::int64_t m, std::int64_t k) {
    // Sum of r (r + 1) / 2 over r = m - k ... m - 1.
    const auto below = [](double r) { return r * (r + 1) * (r + 2) / 6; };
    return below(static_cast<double>(m - 1)) - below(static_cast<double>(m - k - 1));
}

std::int64_t factor_panel(const Trapezoid& L, const Context& context) {
    for (std::int64_t c = 0; c < L.columns; c += Trapezoid::width) {
        const std::int64_t w = std::min(Trapezoid::width, L.columns - c);
        if (c > 0) {
            for_rows(c, L.rows, context,
                     [&](std::int64_t begin, std::int64_t end) { subtract_earlier(L, c, w, begin, end); });
        }
        const std::int64_t square = std::min(Trapezoid::padded(w), L.rows - c);
        const std::int64_t good = factor_square(L, c, w, square);
        if (good < w) {
            return c + good;
        }
        for_rows(c + square, L.rows, context,
                 [&](std::int64_t begin, std::int64_t end) { solve_rows(L, c, w, begin, end); });
    }
    return L.columns;
}

void subtract_panel(const Trapezoid& L, const Trapezoid& U, const Context& context) {
    if (U.rows <= rows_at_once) {
        for (std::int64_t c = 0; c < U.columns; c += Trapezoid::width) {
            subtract_tile(L, U, c, c, U.rows);
        }
        return;
    }
    const std::int64_t blocks = (U.columns + Trapezoid::width - 1) / Trapezoid::width;
    const std::int64_t pieces = (U.rows + rows_at_once - 1) / rows_at_once;
    parallel_for(blocks * pieces, context.threads, context.monitor, [&](std::int64_t i) {
        const std::int64_t c = i / pieces * Trapezoid::width;
        const std::int64_t begin = c + i % pieces * rows_at_once;
        if (begin < U.rows) {
            subtract_tile(L, U, c, begin, std::min(U.rows, begin + rows_at_once));
        }
    });
}

}  // namespace trimatte
