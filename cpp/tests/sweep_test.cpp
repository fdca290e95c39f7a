#include "solve/multigrid/sweep.hpp"

#include <doctest/doctest.h>

#include <atomic>

#include "support.hpp"

using namespace trimatte;

namespace {

// Each stage replaces a row by a mixture of the rows around it, alternating between two arrays, and
// adds to a third array in place, as the smoother does.
std::vector<std::uint32_t> run(std::int64_t height, std::int64_t reach, int stages, int threads, bool plain) {
    const Grid grid(height, 4000, 6, 2, std::vector<std::uint8_t>(static_cast<std::size_t>((height + 5) / 6 * 667), 1));
    std::vector<std::uint32_t> value[2];
    for (auto& v : value) {
        v.assign(static_cast<std::size_t>(height), 0);
    }
    std::vector<std::uint32_t> sum(static_cast<std::size_t>(height), 0);
    for (std::int64_t y = 0; y < height; ++y) {
        value[0][static_cast<std::size_t>(y)] = static_cast<std::uint32_t>(y * y + 1);
    }
    std::vector<std::uint32_t> carry(static_cast<std::size_t>(height), 0);
    std::atomic<int> wrong{0};
    std::vector<RowStage> all;
    for (int s = 0; s < stages; ++s) {
        all.emplace_back([&, s](std::int64_t y, bool follows) {
            // The array in which a stage leaves numbers for its next row; all stages share it.
            const auto left = [&](std::int64_t v) { return value[s % 2][static_cast<std::size_t>(v)] * 7 + 1; };
            wrong += follows && carry[static_cast<std::size_t>(y - 1)] != left(y - 1);
            carry[static_cast<std::size_t>(y)] = left(y);
            std::uint32_t mixed = 0;
            for (std::int64_t v = std::max<std::int64_t>(0, y - reach); v <= std::min(height - 1, y + reach); ++v) {
                mixed = mixed * 31 + value[s % 2][static_cast<std::size_t>(v)];
            }
            value[1 - s % 2][static_cast<std::size_t>(y)] = mixed;
            std::uint32_t& out = sum[static_cast<std::size_t>(y)];
            out = out * 17 + mixed;
        });
    }
    if (plain) {
        for (const RowStage& stage : all) {
            for (std::int64_t y = 0; y < height; ++y) {
                stage(y, y > 0);
            }
        }
    } else {
        Monitor monitor;
        sweep(grid, all, {threads, monitor});
    }
    CHECK(wrong == 0);
    return sum;
}

}  // namespace

TEST_CASE("a sweep equals one stage after the other, for any number of threads") {
    for (const std::int64_t height : {1, 7, 100, 333}) {
        for (const std::int64_t reach : {1, 2}) {
            for (const int stages : {1, 2, 6}) {
                const auto expected = run(height, reach, stages, 1, true);
                for (const int threads : {1, 2, 5}) {
                    CHECK(run(height, reach, stages, threads, false) == expected);
                }
            }
        }
    }
}

TEST_CASE("rows and rows of cells are each visited once") {
    const Grid grid(100, 4000, 6, 2, std::vector<std::uint8_t>(17 * 667, 1));
    Monitor monitor;
    std::vector<int> rows(100, 0), cell_rows(17, 0);
    for_rows(grid, {3, monitor}, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            ++rows[static_cast<std::size_t>(y)];
        }
    });
    for_cell_rows(grid, {3, monitor}, [&](std::int64_t row) { ++cell_rows[static_cast<std::size_t>(row)]; });
    CHECK(rows == std::vector<int>(100, 1));
    CHECK(cell_rows == std::vector<int>(17, 1));
}
