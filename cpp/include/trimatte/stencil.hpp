// A symmetric system of a picture's unknown pixels in which each is coupled to the 24 around it: what multigrid works
// on. A matrix of this kind is a few planes, and a product runs along picture rows.
#pragma once

#include <cstdint>

#include "trimatte/buffer.hpp"
#include "trimatte/grid.hpp"

namespace trimatte {

// Scaled to unit diagonal: (S L S) y = S b, x = S y. Arrays are indexed by the grid's slots.
struct Stencil {
    static constexpr std::int64_t reach = 2;
    static constexpr int offsets = 12;                  // forward: (0, 1), (0, 2), (1, -2..2), (2, -2..2)
    static constexpr std::int64_t pixels_per_cell = 4;  // along a side

    Grid grid;
    // Entry between a pixel and the one at forward offset f, in plane f at the first pixel's slot: hi + lo. The
    // rounding error of one float would move alpha by 1e-2 on smooth pictures.
    Buffer<float> hi, lo;
    Buffer<double> scale;  // 1 / sqrt of L's diagonal; zero where nothing is unknown
    Buffer<double> rhs;    // S b
    int channels = 0;
    Buffer<float> colours;  // `channels` planes

    static constexpr int plane(int dy, int dx) { return dy == 0 ? dx - 1 : 5 * dy - 1 + dx; }
    // Makes the arrays for the grid and clears the slots that lie in no row of the picture.
    void allocate();
    std::size_t bytes() const {
        return grid.bytes() + hi.bytes() + lo.bytes() + scale.bytes() + rhs.bytes() + colours.bytes();
    }
};

struct Problem;

// The same system, from general sparse rows. Throws std::invalid_argument if they reach further than 2.
Stencil make_stencil(const Problem& problem);

}  // namespace trimatte
