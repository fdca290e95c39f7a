// Runs work along the rows of a grid. This header is private to this folder.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "base/zeros.hpp"
#include "trimatte/grid.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// A stage does its work on row y. follows: the same stage has just done row y - 1.
using RowStage = std::function<void(std::int64_t y, bool follows)>;

// Runs every stage on every row of the grid, with the result of running one stage after the other.
// Stage s may read what earlier stages wrote up to grid.reach() rows away, and may overwrite what
// stage s - 2 or an earlier one has written. (Vector loads also read a few slots beyond the strips
// of a row, which another thread may be writing, and multiply them by zero.) The stages follow each
// other through the picture at a distance of grid.reach() rows, so that a row is still in the cache
// when the next stage comes to it.
void sweep(const Grid& grid, const std::vector<RowStage>& stages, const Context& context);

// Calls body(begin, end) on ranges of rows with about equal work, in parallel.
void for_rows(const Grid& grid, const Context& context, const std::function<void(std::int64_t, std::int64_t)>& body);

// Calls body(row) for all rows of cells, in parallel.
void for_cell_rows(const Grid& grid, const Context& context, const std::function<void(std::int64_t)>& body);

// Calls body(strip, slot) for the strips of row y, where slot is that of the first node of row y in
// the strip.
template <class Body>
void for_strips(const Grid& grid, std::int64_t y, const Body& body) {
    for (const Strip* s = grid.strips_begin(y / grid.cell()); s != grid.strips_end(y / grid.cell()); ++s) {
        body(*s, s->slot + y % grid.cell() * s->stride);
    }
}

// Calls body(at) for the nodes of row y for whose slot wanted(slot) holds, on a grid of pixels.
// at[dy] is the slot in row y + dy of the same column, for dy = 0, 1, 2.
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

// Calls body(strip, x) for the cells of a row of cells, where x is the first column of a cell.
template <class Body>
void for_cells(const Grid& grid, std::int64_t cell_row, const Body& body) {
    for (const Strip* s = grid.strips_begin(cell_row); s != grid.strips_end(cell_row); ++s) {
        for (std::int64_t x = s->x; x < s->x + s->width; x += grid.cell()) {
            body(*s, x);
        }
    }
}

}  // namespace trimatte
