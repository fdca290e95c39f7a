// The prolongation P of the multigrid. Private to this folder.
//
// Each cell carries four numbers to its own nodes and to those one further, its patch. P begins as the cells' near-null
// vectors, blended over the cells' borders, so that what varies slowly from cell to cell is met; then its entries move,
// within the patches, to where its columns have less energy, without giving up the near-null vectors (energy
// minimisation: Olson, Schroder, Tuminaro, SIAM J. Sci. Comput. 33, 2011).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "simd/kernels.hpp"
#include "solve/multigrid/sweep.hpp"

namespace trimatte {

using simd::columns;

// Steps towards least energy, in units of 1 / lmax: inverse roots of Chebyshev polynomials for the upper part of the
// spectrum. Cells are few, and what P lacks there costs more iterations than what it lacks on pixels.
template <int B>
inline constexpr std::array<float, 4> energy_steps{1.04f, 1.4f, 2.75f, 8.7f};
template <>
inline constexpr std::array<float, 3> energy_steps<1>{1.06f, 1.74f, 4.83f};

template <int B>
const simd::StencilKernels& kernels_for() {
    return B == 1 ? simd::kernels().pixels : simd::kernels().cells;
}

// The cells of a grid with k x k nodes each, numbered from 1 along its rows; 0 is none.
class Cells {
public:
    struct Cell {
        std::int64_t slot;    // of its first node
        std::int64_t stride;  // from a row of nodes to the next
        std::int64_t coarse;  // its slot as a node of the coarse grid
    };

    Cells() = default;
    Cells(const Grid& fine, const Grid& coarse);

    std::int32_t count() const { return static_cast<std::int32_t>(cells_.size()) - 1; }
    // Numbers of a row's cells: from begin to end.
    std::int32_t begin(std::int64_t cell_row) const { return first_[static_cast<std::size_t>(cell_row)]; }
    std::int32_t end(std::int64_t cell_row) const { return first_[static_cast<std::size_t>(cell_row) + 1]; }
    const Cell& operator[](std::int32_t i) const { return cells_[static_cast<std::size_t>(i)]; }
    // The cell (dy, dx) cells from cell i, both -1, 0 or 1.
    std::int32_t neighbour(std::int32_t i, int dy, int dx) const {
        return neighbours_[static_cast<std::size_t>(3 * (dy + 1) + dx + 1)][static_cast<std::size_t>(i)];
    }
    // The same for cell i and those after it; Strip::lanes may be read beyond the last.
    const std::int32_t* neighbours(std::int32_t i, int dy) const {
        return neighbours_[static_cast<std::size_t>(3 * (dy + 1) + 1)].data() + i;
    }
    // Cells i, i + 1, ... before `end`, eight at most, of k x k nodes on a grid with that reach.
    simd::CellGroup group(std::int32_t i, std::int32_t end, std::int64_t k, std::int64_t reach) const;
    std::size_t bytes() const {
        return cells_.size() * (sizeof(Cell) + 9 * sizeof(std::int32_t)) + first_.size() * sizeof(std::int32_t);
    }

private:
    std::vector<Cell> cells_;
    std::vector<std::int32_t> first_;
    std::vector<std::int32_t> neighbours_[9];
};

template <int B>
struct Prolongation {
    using Patch = simd::PatchOf<B>;
    static constexpr int rows = sizeof(simd::CellGroup::row) / sizeof(simd::CellGroup::row[0]);
    static_assert(Patch::k + Patch::reach + 2 <= rows);

    Cells cells;
    // Of cell i from i * Patch::size on. Their layout: kernels_patches.inl; while P is made, kernels_prolongation.inl.
    Buffer<float> patches;

    // u = P e; e: of cell i from i * columns on, the first zero.
    void interpolate(const Grid& grid, const float* e, float* u, const Context& context) const;
    // out = P^T r, in planes of out_slots.
    void restrict_to_cells(const Grid& grid, const float* r, float* out, std::int64_t out_slots,
                           const Context& context) const;
    std::size_t bytes() const { return cells.bytes() + patches.bytes(); }
};

template <int B>
struct LevelMatrix;

// body(group) for the cells before `end`, eight at a time.
template <int B, class Body>
void for_groups(const Cells& cells, std::int32_t begin, std::int32_t end, const Body& body) {
    constexpr auto lanes = static_cast<std::int32_t>(Strip::lanes);
    for (std::int32_t i = begin; i < end; i += lanes) {
        body(cells.group(i, end, simd::PatchOf<B>::k, simd::PatchOf<B>::reach));
    }
}

// The same for all cells, in parallel.
template <int B, class Body>
void for_groups(const Cells& cells, const Context& context, const Body& body) {
    constexpr std::int32_t at_once = 64;  // tens of microseconds
    parallel_for((cells.count() + at_once - 1) / at_once, context.threads, context.monitor, [&](std::int64_t task) {
        const auto begin = static_cast<std::int32_t>(1 + task * at_once);
        for_groups<B>(cells, begin, std::min(begin + at_once, cells.count() + 1), body);
    });
}

// P for the near-null vectors N (B * columns planes: number b of a node in vector c is plane b * columns + c), as it is
// while it is made. Returns the coarse near-null vectors, N = P R, in R: columns x columns of each cell.
template <int B>
Prolongation<B> make_prolongation(const LevelMatrix<B>& fine, const Buffer<float>& N, const Grid& coarse,
                                  Buffer<float>& R, const Context& context);

}  // namespace trimatte
