// Computes the coarse matrix P^T A P.
#include "solve/multigrid/hierarchy.hpp"

namespace trimatte {

constexpr int C = columns;

Buffer<float> in_one_piece(const LevelMatrix<C>& matrix, const Context& context) {
    const std::int64_t n = matrix.n();
    constexpr std::int64_t lanes = Strip::lanes;
    constexpr std::int64_t entries = 4 * C * C;
    Buffer<float> blocks(entries * n);
    parallel_ranges(n / lanes, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin * lanes; i < end * lanes; ++i) {
            for (int e = 0; e < entries; ++e) {
                blocks[i * entries + e] = matrix.A[entry_of_cell(i, e)];
            }
        }
    });
    return blocks;
}

template <int B>
CoarseMatrix galerkin(const LevelMatrix<B>& fine, const Prolongation<B>& P, Grid&& grid, const Context& context) {
    CoarseMatrix coarse{std::move(grid), {}, {}};
    const std::int64_t n = coarse.grid.slots();
    coarse.diagonal = zeros<float>(C * C * n, context);
    coarse.A = zeros<float>(4 * C * C * n, context);
    constexpr auto offsets = forward_offsets<1>();
    for_groups<B>(P.cells, context, [&](const simd::CellGroup& group) {
        float out[5][C * C][Strip::lanes];
        kernels_for<B>().coarsen(group, fine.blocks, fine.n(), P.patches.data(), out[0][0]);
        for (int lane = 0; lane < Strip::lanes; ++lane) {
            if (group.neighbour(0, 0)[lane] == 0) {
                continue;
            }
            const std::int64_t own = P.cells[group.neighbour(0, 0)[lane]].coarse;
            for (int p = 0; p < C * C; ++p) {
                coarse.diagonal[p * n + own] = 0.5f * (out[0][p][lane] + out[0][p % C * C + p / C][lane]);
            }
            for (int f = 0; f < 4; ++f) {  // an entry is stored with the first of its two cells
                const auto [dy, dx] = offsets[static_cast<std::size_t>(f)];
                const std::int32_t first = group.neighbour(-dy, -dx)[lane];
                for (int p = 0; p < C * C && first != 0; ++p) {
                    coarse.A[entry_of_cell(P.cells[first].coarse, f * C * C + p)] = out[f + 1][p][lane];
                }
            }
        }
    });
    return coarse;
}

template CoarseMatrix galerkin(const LevelMatrix<1>&, const Prolongation<1>&, Grid&&, const Context&);
template CoarseMatrix galerkin(const LevelMatrix<C>&, const Prolongation<C>&, Grid&&, const Context&);

}  // namespace trimatte
