// The prolongation P of the multigrid. This header is private to this folder.
//
// Each cell interpolates its four numbers to its own nodes and to the ring of nodes around them;
// both together are the patch of the cell. P starts as the near-null vectors of the cells, blended
// over the borders of the cells, so that functions that vary slowly from cell to cell are
// represented. Then a few steps of energy minimisation (Olson, Schroder, Tuminaro, SIAM J. Sci.
// Comput. 33, 2011) change the entries within the patches so that the columns of P have less
// energy, under the constraint that P still reproduces the near-null vectors.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "simd/kernels.hpp"
#include "solve/multigrid/sweep.hpp"

namespace trimatte {

using simd::columns;

// Lengths of the steps of energy minimisation in units of 1 / lmax: the inverse roots of Chebyshev
// polynomials for the upper part of the spectrum. Cells get one step more than pixels: there are
// few of them, and a poor P costs more iterations there.
template <int B>
inline constexpr std::array<float, 4> energy_steps{1.04f, 1.4f, 2.75f, 8.7f};
template <>
inline constexpr std::array<float, 3> energy_steps<1>{1.06f, 1.74f, 4.83f};

template <int B>
const simd::StencilKernels& kernels_for() {
    return B == 1 ? simd::kernels().pixels : simd::kernels().cells;
}

// The cells of a grid, each of k x k nodes. They are numbered from 1 along the rows of cells; 0
// stands for no cell.
class Cells {
public:
    struct Cell {
        std::int64_t slot;    // slot of the first node
        std::int64_t stride;  // distance in slots from a row of nodes to the next
        std::int64_t coarse;  // slot of the cell as a node of the coarse grid
    };

    Cells() = default;
    Cells(const Grid& fine, const Grid& coarse);

    std::int32_t count() const { return static_cast<std::int32_t>(cells_.size()) - 1; }
    // The cells of a row have the numbers begin(cell_row) ... end(cell_row) - 1.
    std::int32_t begin(std::int64_t cell_row) const { return first_[static_cast<std::size_t>(cell_row)]; }
    std::int32_t end(std::int64_t cell_row) const { return first_[static_cast<std::size_t>(cell_row) + 1]; }
    const Cell& operator[](std::int32_t i) const { return cells_[static_cast<std::size_t>(i)]; }
    // The cell that lies dy rows and dx columns of cells from cell i; dy and dx are -1, 0 or 1.
    std::int32_t neighbour(std::int32_t i, int dy, int dx) const {
        return neighbours_[static_cast<std::size_t>(3 * (dy + 1) + dx + 1)][static_cast<std::size_t>(i)];
    }
    // The cells dy rows above or below cells i, i + 1, ... Strip::lanes numbers beyond the last
    // cell may be read.
    const std::int32_t* neighbours(std::int32_t i, int dy) const {
        return neighbours_[static_cast<std::size_t>(3 * (dy + 1) + 1)].data() + i;
    }
    // Gathers at most eight cells i, i + 1, ... before `end`, which have k x k nodes each on a grid
    // of this reach.
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
    // The number of rows for which a group of cells has slots.
    static constexpr int rows = sizeof(simd::CellGroup::row) / sizeof(simd::CellGroup::row[0]);
    static_assert(Patch::k + Patch::reach + 2 <= rows);

    Cells cells;
    // The patch of cell i starts at i * Patch::size. kernels_patches.inl describes the layout of
    // finished patches, kernels_prolongation.inl the layout while P is made.
    Buffer<float> patches;

    // Computes u = P e. The numbers of cell i start at e[i * columns]; those of cell 0 are zero.
    void interpolate(const Grid& grid, const float* e, float* u, const Context& context) const;
    // Computes out = P^T r, in `columns` planes of out_slots numbers.
    void restrict_to_cells(const Grid& grid, const float* r, float* out, std::int64_t out_slots,
                           const Context& context) const;
    std::size_t bytes() const { return cells.bytes() + patches.bytes(); }
};

template <int B>
struct LevelMatrix;

// Calls body(group) for the cells from `begin` to `end`, eight cells in a group.
template <int B, class Body>
void for_groups(const Cells& cells, std::int32_t begin, std::int32_t end, const Body& body) {
    constexpr auto lanes = static_cast<std::int32_t>(Strip::lanes);
    for (std::int32_t i = begin; i < end; i += lanes) {
        body(cells.group(i, end, simd::PatchOf<B>::k, simd::PatchOf<B>::reach));
    }
}

// Calls body(group) for groups of all cells, in parallel.
template <int B, class Body>
void for_groups(const Cells& cells, const Context& context, const Body& body) {
    constexpr std::int32_t at_once = 64;  // cells of a task, which takes tens of microseconds
    parallel_for((cells.count() + at_once - 1) / at_once, context.threads, context.monitor, [&](std::int64_t task) {
        const auto begin = static_cast<std::int32_t>(1 + task * at_once);
        for_groups<B>(cells, begin, std::min(begin + at_once, cells.count() + 1), body);
    });
}

// Makes P for the near-null vectors N, which are B * columns planes: number b of a node in vector c
// is in plane b * columns + c. The patches have the layout of kernels_prolongation.inl, which
// finish_patches changes afterwards. R receives the coarse near-null vectors, with N = P R: columns
// x columns numbers for each cell, row-major.
template <int B>
Prolongation<B> make_prolongation(const LevelMatrix<B>& fine, const Buffer<float>& N, const Grid& coarse,
                                  Buffer<float>& R, const Context& context);

}  // namespace trimatte
