// Finds the parts of the unknown region that hardly touch other parts or known pixels. This header
// is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "solve/multigrid/sweep.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

constexpr std::int32_t nothing = -1;
// The number of the part that each slot belongs to, or `nothing`.
using Labels = Buffer<std::int32_t>;

struct LooseParts {
    Labels part;
    // e^T A e of each part, where e is the alpha that is one on the part and zero elsewhere
    std::vector<double> energy;
};

// Returns no parts if none are loose.
LooseParts find_loose_parts(const Stencil& stencil, const Context& context);

// Calls body(slot of the other pixel, index of the entry) for the forward offsets of a pixel.
template <class Body>
void for_entries(const Stencil& stencil, const std::int64_t* at, const Body& body) {
    for (int dy = 0; dy <= 2; ++dy) {
        for (int dx = dy == 0 ? 1 : -2; dx <= 2; ++dx) {
            body(at[dy] + dx, Stencil::plane(dy, dx) * stencil.grid.slots() + at[0]);
        }
    }
}

inline double entry_of(const Stencil& stencil, std::int64_t entry) {
    return static_cast<double>(stencil.hi[entry]) + static_cast<double>(stencil.lo[entry]);
}

}  // namespace trimatte
