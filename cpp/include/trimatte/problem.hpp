// One linear system in the unknown pixels, whichever affinity and prior it came from.
#pragma once

#include <cstdint>
#include <optional>

#include "trimatte/buffer.hpp"
#include "trimatte/sparse.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

// matrix x = rhs, with the matrix symmetric and positive definite wherever a known pixel can be reached.
// Unknowns are numbered row by row through the picture.
struct Problem {
    // Either the matrix, rhs and colours, or all of them as a stencil: what multigrid wants.
    Csr matrix;
    Buffer<double> rhs;
    std::optional<Stencil> stencil;
    // Near-null space: alphas that cost almost nothing. The constant is always in it and not stored; `colours` holds
    // the other columns, channel by channel (R, G, B for a colour line; none for the constant alone).
    Buffer<float> colours;  // channels x unknowns
    int channels = 0;
    // Geometry: the place of each unknown in the picture, y * width + x, ascending.
    Buffer<std::int32_t> pixel;
    std::int64_t height = 0;
    std::int64_t width = 0;
    // Coupled unknowns are at most this many rows and columns apart (closed-form: 2 radius); 0: any two may be coupled.
    std::int64_t reach = 0;
    // The norm that a residual is measured against, where it is not ||D^-1 rhs||: the right-hand side of the soft system
    // is mostly the known pixels themselves, so its norm is that of what they and the prior pass on to the others.
    double rhs_norm = 0;
    // Most bytes held at once while the problem was made (it may have been more than it keeps).
    std::size_t peak_bytes = 0;

    std::int64_t unknowns() const { return pixel.size(); }
    std::size_t bytes() const {
        return matrix.bytes() + rhs.bytes() + colours.bytes() + pixel.bytes() + (stencil ? stencil->bytes() : 0);
    }
};

}  // namespace trimatte
