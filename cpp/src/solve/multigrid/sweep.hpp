// Work along the rows of a grid. Private to this folder.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "base/zeros.hpp"
#include "trimatte/grid.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// follows: this stage has just done row y - 1.
using RowStage = std::function<void(std::int64_t y, bool follows)>;

// Runs every stage on every row of the grid, as if one stage after the other. Stage s may use what earlier stages
// wrote up to grid.reach() rows away, and may write what stage s - 2 or an earlier one has written. (Vectors also load
// a few slots beyond a row's strips, which another thread may be writing, and multiply them by zero.) The stages follow
// each other through the picture at that distance, so that a row is still in the cache when the next stage comes to it.
void sweep(const Grid& grid, const std::vector<RowStage>& stages, const Context& context);

// body(begin, end) on ranges of rows with about the same work, in parallel.
void for_rows(const Grid& grid, const Context& context, const std::function<void(std::int64_t, std::int64_t)>& body);

// body(row) for all rows of cells, in parallel.
void for_cell_rows(const Grid& grid, const Context& context, const std::function<void(std::int64_t)>& body);

// body(strip, slot) for the strips of row y; slot: of the row's first node there.
template <class Body>
void for_strips(const Grid& grid, std::int64_t y, const Body& body) {
    for (const Strip* s = grid.strips_begin(y / grid.cell()); s != grid.strips_end(y / grid.cell()); ++s) {
        body(*s, s->slot + y % grid.cell() * s->stride);
    }
}

// body(at) for the nodes of row y, of a grid of pixels, whose slot is wanted(slot): at[dy] is the slot in their column
// of row y + dy, for dy of 0, 1 and 2.
template <class Wanted, class Body>
void for_pixels(const Grid& grid, std::int64_t y, const Wanted& wanted, const Body& body) {
    for (const Piece* p = grid.pieces_begin(y); p != grid.pieces_end(y); ++p) {
        for (std::int64_t i = 0; i < p->size; ++i) {
            if (wanted(p->at[2] + i)) {
                const std::int64_t at[] = {p->at[2] + i, p->at[3] + i, p->at[4] + i};
                body(at);
            }
        }
    }
}

// body(strip, x) for the cells of a row; x: a cell's first column.
template <class Body>
void for_cells(const Grid& grid, std::int64_t cell_row, const Body& body) {
    for (const Strip* s = grid.strips_begin(cell_row); s != grid.strips_end(cell_row); ++s) {
        for (std::int64_t x = s->x; x < s->x + s->width; x += grid.cell()) {
            body(*s, x);
        }
    }
}

}  // namespace trimatte
