// Tests rows of several strips, in which the slots beside a strip belong to other strips.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "solve/multigrid/hierarchy.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// A grid of strips of all lengths, some as near to each other as strips may be.
Grid scattered(std::int64_t cell, std::int64_t reach) {
    constexpr std::int64_t rows = 14, across = 70;
    std::vector<std::uint8_t> active(static_cast<std::size_t>(rows * across), 0);
    Random random(11);
    for (std::int64_t cy = 0; cy < rows; ++cy) {
        for (std::int64_t cx = 0; cx < across; cx += 1 + static_cast<std::int64_t>(14 * random())) {
            for (const std::int64_t end = std::min(across, cx + static_cast<std::int64_t>(9 * random())); cx < end;
                 ++cx) {
                active[static_cast<std::size_t>(cy * across + cx)] = 1;
            }
        }
    }
    return Grid(rows * cell, across * cell, cell, reach, active);
}

// Compares a product with random entries between neighbours with one that looks every neighbour up.
template <int B>
void check_product(bool trim) {
    constexpr int reach = B == 1 ? 2 : 1;
    constexpr auto offsets = forward_offsets<reach>();
    Grid grid = scattered(B == 1 ? 4 : 3, reach);
    const std::int64_t n = grid.slots();
    std::vector<std::uint8_t> is_node(static_cast<std::size_t>(n), 0);
    Random random(12);
    for (const std::int64_t slot : places(grid)) {
        is_node[static_cast<std::size_t>(slot)] = !trim || random() < 0.6;
    }
    if (trim) {
        grid.trim([&](std::int64_t slot) { return is_node[static_cast<std::size_t>(slot)] != 0; });
    }
    const auto node = [&](std::int64_t y, std::int64_t x) {
        const std::int64_t slot = grid.slot(y, x);
        return slot >= 0 && is_node[static_cast<std::size_t>(slot)] ? slot : -1;
    };
    std::vector<float> A(static_cast<std::size_t>(offsets.size() * B * B) * static_cast<std::size_t>(n), 0.0f);
    std::vector<float> v(static_cast<std::size_t>(B * n), 0.0f), Av(v);
    std::vector<float> carry(static_cast<std::size_t>(carry_planes<B> * n), 0.0f);
    std::vector<double> expected(v.size(), 0.0);
    for (std::size_t i = 0; i < v.size(); ++i) {
        v[i] = is_node[i % static_cast<std::size_t>(n)] ? static_cast<float>(random() - 0.5) : 0.0f;
        expected[i] = static_cast<double>(v[i]);
    }
    for (std::int64_t y = 0; y < grid.height(); ++y) {
        for (std::int64_t x = 0; x < grid.width(); ++x) {
            const std::int64_t here = node(y, x);
            for (std::size_t f = 0; here >= 0 && f < offsets.size(); ++f) {
                const std::int64_t there = node(y + offsets[f][0], x + offsets[f][1]);
                for (int p = 0; there >= 0 && p < B * B; ++p) {
                    const auto e = static_cast<int>(f) * B * B + p;
                    const auto at = static_cast<std::size_t>(B == 1 ? e * n + here : entry_of_cell(here, e));
                    A[at] = static_cast<float>(random() - 0.5);
                    const auto u = static_cast<std::size_t>(p / B * n + here);
                    const auto w = static_cast<std::size_t>(p % B * n + there);
                    expected[u] += static_cast<double>(A[at]) * static_cast<double>(v[w]);
                    expected[w] += static_cast<double>(A[at]) * static_cast<double>(v[u]);
                }
            }
        }
    }
    for (std::int64_t y = 0; y < grid.height(); ++y) {
        kernels_for<B>().product(A.data(), n, grid.pieces_begin(y), grid.pieces_end(y), carry.data(), y % 5 != 0,
                                 v.data(), Av.data());
    }
    double most = 0;
    for (std::size_t i = 0; i < v.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(Av[i]) - expected[i]));
    }
    CHECK(most < 1e-5);
    if constexpr (B == 1) {
        std::vector<double> wide(v.begin(), v.end()), A_wide(wide.size(), 0.0), r(wide.size(), 1.0),
            w(wide.size(), 0.0);
        const std::vector<float> lo(A.size(), 0.0f);
        double sums[4] = {};
        for (std::int64_t y = 0; y < grid.height(); ++y) {
            const Piece* begin = grid.pieces_begin(y);
            const Piece* end = grid.pieces_end(y);
            simd::kernels().wide_product(A.data(), lo.data(), n, begin, end, wide.data(), A_wide.data());
            simd::kernels().measured_product(A.data(), lo.data(), n, begin, end, v.data(), r.data(), r.data(), r.data(),
                                             w.data(), sums);
        }
        double zw = 0;
        for (std::size_t i = 0; i < v.size(); ++i) {
            most = std::max({most, std::abs(A_wide[i] - expected[i]), std::abs(w[i] - expected[i])});
            zw += static_cast<double>(v[i]) * expected[i];
        }
        CHECK(most < 1e-5);
        CHECK(sums[2] == doctest::Approx(zw));
    }
}

}  // namespace

TEST_CASE("a product on scattered strips takes all neighbours and nothing else") {
    for (const bool trim : {false, true}) {
        check_product<1>(trim);
        check_product<columns>(trim);
    }
}

TEST_CASE("cells know the cells around them") {
    const Grid fine = scattered(4, 2);
    const Grid coarse = coarse_grid(fine);
    const Cells cells(fine, coarse);
    const auto number = [&](std::int64_t cy, std::int64_t cx) {  // returns 0 if there is no cell
        const std::int64_t slot = fine.slot(4 * cy, 4 * cx);
        std::int32_t i = slot < 0 ? 0 : cells.count();
        while (i > 0 && cells[i].slot != slot) {
            --i;
        }
        return i;
    };
    for (std::int64_t cy = 0; cy < fine.cell_rows(); ++cy) {
        for (std::int64_t cx = 0; cx < fine.cell_columns(); ++cx) {
            const std::int32_t i = number(cy, cx);
            CHECK((i > 0) == (fine.slot(4 * cy, 4 * cx) >= 0));
            for (int dy = -1; i > 0 && dy <= 1; ++dy) {
                for (int dx = -1; dx <= 1; ++dx) {
                    CHECK(cells.neighbour(i, dy, dx) == number(cy + dy, cx + dx));
                }
            }
        }
    }
}
