// One linear system in the unknown pixels, for any affinity and prior.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "trimatte/buffer.hpp"
#include "trimatte/operator.hpp"
#include "trimatte/sparse.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {

// The matrix L + diag(added), where L is given by its products.
struct MatrixFree {
    std::unique_ptr<const Operator> L;
    Buffer<double> added;     // what known pixels and the prior add to the diagonal; empty if nothing
    Buffer<double> diagonal;  // numbers near the diagonal of the matrix; see Operator::diagonal

    // Computes y = (L + diag(added)) x.
    void multiply(const double* x, double* y, const Context& context) const;
    std::size_t bytes() const { return L->bytes() + added.bytes() + diagonal.bytes(); }
};

// The system is matrix x = rhs. The matrix is symmetric, and positive definite if every unknown is
// connected to a known pixel or a prior. Unknowns are numbered row by row through the picture.
struct Problem {
    // A problem holds either matrix, rhs and colours, or all of them as a stencil, which multigrid
    // takes, or rhs and colours.
    Csr matrix;
    Buffer<double> rhs;
    std::optional<Stencil> stencil;
    // Or, without the matrix, its products.
    std::optional<MatrixFree> products;
    // The near-null space holds the alphas that cost almost nothing. The constant always belongs to
    // it and is not stored. `colours` holds the other columns, channel by channel (R, G, B for a
    // colour line, none for the constant alone).
    Buffer<float> colours;  // channels x unknowns
    int channels = 0;
    // The place of each unknown in the picture, y * width + x, ascending.
    Buffer<std::int32_t> pixel;
    // The kinds of the known pixels to which the row of each unknown is coupled, as a sum of the
    // two numbers below. It is empty if the affinity gives its rows as planes.
    Buffer<std::uint8_t> meets;
    static constexpr std::uint8_t background = 1, foreground = 2;
    std::int64_t height = 0;
    std::int64_t width = 0;
    // Coupled unknowns are at most this many rows and columns apart (closed-form: 2 radius); 0: any
    // two unknowns may be coupled.
    std::int64_t reach = 0;
    // The norm by which ||D^-1 (rhs - matrix x)||, where D is the diagonal, is divided before it is
    // compared with SolveOptions::relative_residual; 0 stands for ||D^-1 rhs||. The right-hand side
    // of the soft system consists mostly of the known pixels themselves. There the norm is that of
    // the terms that known pixels and the prior pass on to other pixels.
    double rhs_norm = 0;
    // The most bytes that were held at once while the problem was made, which may exceed bytes().
    std::size_t peak_bytes = 0;

    std::int64_t unknowns() const { return pixel.size(); }
    std::size_t bytes() const {
        return matrix.bytes() + rhs.bytes() + colours.bytes() + pixel.bytes() + meets.bytes() +
               (stencil ? stencil->bytes() : 0) + (products ? products->bytes() : 0);
    }
};

}  // namespace trimatte
