#include "trimatte/grid.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

std::vector<std::uint8_t> random_cells(std::int64_t rows, std::int64_t columns, double share, unsigned seed) {
    std::vector<std::uint8_t> active(static_cast<std::size_t>(rows * columns));
    Random random(seed);
    for (std::uint8_t& cell : active) {
        cell = random() < share;
    }
    return active;
}

// Checks the pieces of a grid. If `trim`, the grid is trimmed to its nodes, a random ninth of the
// slots. Returns how often a piece reads a node that is not a neighbour.
std::int64_t check(std::int64_t height, std::int64_t width, std::int64_t cell, std::int64_t reach, double share,
                   bool trim) {
    const std::int64_t rows = (height + cell - 1) / cell;
    const std::int64_t columns = (width + cell - 1) / cell;
    const auto active = random_cells(rows, columns, share, 7);
    Grid grid(height, width, cell, reach, active);

    std::set<std::int64_t> slots;
    for (std::int64_t y = 0; y < rows * cell; ++y) {
        for (std::int64_t x = 0; x < columns * cell; ++x) {
            const std::int64_t at = grid.slot(y, x);
            if (active[static_cast<std::size_t>(y / cell * columns + x / cell)]) {
                REQUIRE(at >= 0);
            }
            if (at >= 0) {
                CHECK(at >= grid.first_slot());
                CHECK(at < grid.slots());
                CHECK(slots.insert(at).second);
            }
        }
    }
    std::set<std::int64_t> nodes = slots;
    if (trim) {
        Random random(8);
        for (const std::int64_t slot : slots) {
            if (random() < 0.7 || slot % 64 < 40) {
                nodes.erase(slot);
            }
        }
        grid.trim([&](std::int64_t slot) { return nodes.count(slot) != 0; });
    }
    // Every neighbour is where the piece says. Where there is none, a slot without a node is read.
    // Two places may hold anything: those below a node, whose own entry is zero there, and those
    // above nodes that the piece leaves out.
    std::set<std::int64_t> visited;
    std::int64_t wrong = 0, covered = 0, outside = 0;
    for (std::int64_t y = 0; y < height; ++y) {
        for (const Piece* p = grid.pieces_begin(y); p != grid.pieces_end(y); ++p) {
            CHECK(p->size % Grid::lanes == 0);
            const Strip* s = grid.strips_begin(y / cell);
            const std::int64_t in_row = p->at[2] - y % cell * s->stride;
            while (in_row >= s->slot + s->padded()) {
                ++s;
            }
            const std::int64_t x_first = s->x + in_row - s->slot;
            CHECK(p->own_above == std::min(y % cell, reach));
            for (std::int64_t i = 0; i < p->size; ++i) {
                covered += nodes.count(p->at[2] + i);
                CHECK(visited.insert(p->at[2] + i).second);
                if (i >= p->end) {
                    CHECK(slots.count(p->at[2] + i) == 0);
                    continue;
                }
                for (std::int64_t dy = -reach; dy <= reach; ++dy) {
                    for (std::int64_t dx = -reach; dx <= reach; ++dx) {
                        const std::int64_t read = p->at[dy + 2] + i + dx;
                        const std::int64_t wanted = grid.slot(y + dy, x_first + i + dx);
                        const bool left_out = -dy > p->own_above && (i < p->from || i >= p->to);
                        const bool unused = dy > 0 || (dy == 0 && dx > 0) || left_out;
                        wrong += wanted >= 0 ? read != wanted || left_out : !unused && slots.count(read) != 0;
                        wrong += read < 0 || read >= grid.slots();
                        outside += wanted < 0 && slots.count(read) != 0;
                    }
                }
            }
        }
    }
    CHECK(wrong == 0);
    std::int64_t inside = 0;
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < columns * cell; ++x) {
            inside += nodes.count(grid.slot(y, x));
        }
    }
    CHECK(covered == inside);
    CHECK((!trim || visited.size() < slots.size()));
    return outside;
}

}  // namespace

TEST_CASE("pieces find every neighbour, and nothing where there is none") {
    std::int64_t of_pixels = 0, of_cells = 0;
    for (const double share : {0.05, 0.3, 0.7, 1.0}) {
        for (const bool trim : {false, true}) {
            of_pixels += check(40, 131, 4, 2, share, trim);
            of_cells += check(37, 70, 3, 1, share, trim);
        }
        check(5, 4, 4, 2, share, false);
    }
    CHECK(of_pixels > 0);
    CHECK(of_cells > 0);
}

TEST_CASE("an empty grid has no slots to visit") {
    const Grid grid(12, 12, 6, 2, std::vector<std::uint8_t>(4, 0));
    CHECK(grid.slot(3, 3) == -1);
    CHECK(grid.pieces_begin(0) == grid.pieces_end(11));
    CHECK(grid.last_row_slot() == grid.first_slot());
}
