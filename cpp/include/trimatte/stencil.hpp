// A symmetric system of the unknown pixels of a picture, each of which is coupled to the 24 pixels
// around it. Multigrid works on this form: the matrix is 12 planes, one for each forward offset,
// and a product runs along picture rows.
#pragma once

#include <cstdint>

#include "trimatte/buffer.hpp"
#include "trimatte/grid.hpp"

namespace trimatte {

// The system L x = b, scaled to unit diagonal: (S L S) y = S b and x = S y. Arrays are indexed by
// the slots of the grid.
struct Stencil {
    static constexpr std::int64_t reach = 2;
    // The forward offsets (0, 1), (0, 2), (1, -2..2), (2, -2..2).
    static constexpr int offsets = 12;
    static constexpr std::int64_t pixels_per_cell = 4;  // pixels along a side of a cell

    Grid grid;
    // The entry between a pixel and the one at forward offset f is hi + lo, in plane f at the slot
    // of the first pixel. The rounding error of a single float would change alpha by up to 1e-2 on
    // smooth pictures.
    Buffer<float> hi, lo;
    Buffer<double> scale;  // 1 / sqrt of the diagonal of L; zero in slots without an unknown
    Buffer<double> rhs;    // S b
    int channels = 0;
    Buffer<float> colours;  // `channels` planes

    // Returns the plane f of a forward offset, 0 ... 11.
    static constexpr int plane(int dy, int dx) { return dy == 0 ? dx - 1 : 5 * dy - 1 + dx; }
    // Allocates the arrays for the grid, and clears the slots before the first row and from the
    // last row of cells on.
    void allocate();
    std::size_t bytes() const {
        return grid.bytes() + hi.bytes() + lo.bytes() + scale.bytes() + rhs.bytes() + colours.bytes();
    }
};

struct Problem;

// Makes the same system from general sparse rows. Throws std::invalid_argument if they reach
// further than 2 pixels.
Stencil make_stencil(const Problem& problem);

}  // namespace trimatte
