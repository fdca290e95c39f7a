// Products of the matrix with the patches of P: A P on the patches, and the coarse matrix P^T A P.
#include <Eigen/Core>

#include "multigrid_setup.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {
namespace {

constexpr int C = columns;

template <int B>
constexpr int reach_of = B == 1 ? 2 : 1;

template <int Rows, int Columns>
using Block = Eigen::Matrix<float, Rows, Columns, Eigen::RowMajor | Eigen::DontAlign>;

CoarseMatrix empty(Grid&& grid, const Context& context) {
    CoarseMatrix coarse{std::move(grid), {}, {}};
    coarse.diagonal = zeros<float>(C * C * coarse.grid.slots(), context);
    coarse.A = zeros<float>(4 * C * C * coarse.grid.slots(), context);
    return coarse;
}

// A P of one cell, `side` x `side` blocks: the patch and `border` nodes all round. Block (row, lane) of the patch is
// block (row + border, lane + border).
template <int B, int border>
struct Image {
    static constexpr int R = reach_of<B>;
    static constexpr int k = Prolongation<B>::k;
    static constexpr int patch = side_of<B>;
    static constexpr int side = patch + 2 * border;
    Block<B, C> at[side][side];

    Image(const LevelMatrix<B>& matrix, const Prolongation<B>& P, std::int32_t i) {
        constexpr auto offsets = forward_offsets<R>();
        std::int64_t slot[side][side];
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                at[y][x].setZero();
                slot[y][x] = slot_of(P.cells, i, y - border - 1, x - border - 1);
            }
        }
        const Block<B, B>* A = reinterpret_cast<const Block<B, B>*>(matrix.blocks);
        for (int y = border; y < border + patch; ++y) {
            for (int x = border; x < border + patch; ++x) {
                const std::int64_t here = slot[y][x];
                if (here < 0) {
                    continue;
                }
                const Block<B, C> p = block(P, i, y - border, x - border);
                at[y][x] += p;
                for (std::size_t f = 0; f < offsets.size(); ++f) {
                    const auto [dy, dx] = offsets[f];
                    const Block<B, B>* plane = A + static_cast<std::int64_t>(f) * matrix.n();
                    const auto inside = [](int v) { return v >= 0 && v < side; };
                    if (inside(y + dy) && inside(x + dx) && slot[y + dy][x + dx] >= 0) {
                        at[y + dy][x + dx].noalias() += plane[here].transpose() * p;
                    }
                    if (inside(y - dy) && inside(x - dx) && slot[y - dy][x - dx] >= 0) {
                        at[y - dy][x - dx].noalias() += plane[slot[y - dy][x - dx]] * p;
                    }
                }
            }
        }
    }

    // Block (row, lane) of cell i's patch.
    static Block<B, C> block(const Prolongation<B>& P, std::int32_t i, int row, int lane) {
        Block<B, C> p;
        const float* from = P.patches.data() + std::int64_t{patch_size<B>} * i + row * B * C * patch + lane;
        for (int e = 0; e < B * C; ++e) {
            p.data()[e] = from[e * patch];
        }
        return p;
    }

private:
    // Of the node y rows below and x columns right of cell i's first; -1 where there is none.
    static std::int64_t slot_of(const Cells& cells, std::int32_t i, int y, int x) {
        const int dy = y < 0 ? -1 : y >= k ? 1 : 0;
        const int dx = x < 0 ? -1 : x >= k ? 1 : 0;
        const std::int32_t of = cells.neighbour(i, dy, dx);
        return of == 0 ? -1 : cells[of].slot + (y - dy * k) * cells[of].stride + x - dx * k;
    }
};

// body(i) for all cells; row by row, for a cell takes microseconds.
template <class Body>
void for_rows_of_cells(const Grid& grid, const Cells& cells, const Context& context, const Body& body) {
    parallel_for(grid.cell_rows(), context.threads, context.monitor, [&](std::int64_t cy) {
        for (std::int32_t i = cells.begin(cy); i < cells.end(cy); ++i) {
            body(i);
        }
    });
}

// Puts P_i^T A P_j of all pairs of neighbours into the coarse matrix; contract(i, dy, dx, block): cell i lies (dy, dx)
// cells from cell j.
template <class Contract>
void store_couplings(const Cells& cells, std::int32_t j, CoarseMatrix& coarse, const Contract& contract) {
    constexpr auto offsets = forward_offsets<1>();
    const std::int64_t n = coarse.grid.slots();
    float block[C * C];
    contract(j, 0, 0, block);
    for (int p = 0; p < C * C; ++p) {
        coarse.diagonal[p * n + cells[j].coarse] = 0.5f * (block[p] + block[p % C * C + p / C]);
    }
    for (std::size_t f = 0; f < offsets.size(); ++f) {
        const auto [dy, dx] = offsets[f];
        const std::int32_t i = cells.neighbour(j, -dy, -dx);
        if (i != 0) {
            contract(i, -dy, -dx, block);
            for (int p = 0; p < C * C; ++p) {
                coarse.A[entry_of_cell(cells[i].coarse, static_cast<int>(f) * C * C + p)] = block[p];
            }
        }
    }
}

// Pixels: body(j, S) for all cells, S being the stencil round cell j as the kernels want it, `width` floats a row.
constexpr std::int64_t cells_at_once = 16;
constexpr std::int64_t margin = 8;
constexpr std::int64_t width = cells_at_once * Stencil::pixels_per_cell + 3 * margin;

template <class Body>
void for_pixel_cells(const LevelMatrix<1>& fine, const Cells& cells, const Context& context, const Body& body) {
    constexpr std::int64_t k = Stencil::pixels_per_cell;
    constexpr std::int64_t rows = k + 6;  // 3 above the cell and 3 below
    constexpr std::int64_t rows_of_task = 8;
    const Grid& grid = *fine.grid;
    const std::int64_t n = grid.slots();
    const std::int64_t tasks = (grid.cell_rows() + rows_of_task - 1) / rows_of_task;
    parallel_for(tasks, context.threads, context.monitor, [&](std::int64_t task) {
        std::vector<float> S(static_cast<std::size_t>(rows * Stencil::offsets * width));
        const auto lay_out = [&](std::int64_t cy, std::int64_t x_first) {
            std::fill(S.begin(), S.end(), 0.0f);
            for (std::int64_t row = 0; row < rows; ++row) {
                const std::int64_t y = cy * k - 3 + row;
                if (y < 0 || y / k >= grid.cell_rows()) {
                    continue;
                }
                for (const Strip* s = grid.strips_begin(y / k); s != grid.strips_end(y / k); ++s) {
                    const std::int64_t begin = std::max(s->x, x_first);
                    const std::int64_t end = std::min(s->x + s->width, x_first + width);
                    if (begin >= end) {
                        continue;
                    }
                    const float* from = fine.A + s->slot + y % k * s->stride + begin - s->x;
                    float* to = S.data() + row * Stencil::offsets * width + begin - x_first;
                    for (int f = 0; f < Stencil::offsets; ++f) {
                        std::copy_n(from + f * n, end - begin, to + f * width);
                    }
                }
            }
        };
        for (std::int64_t cy = task * rows_of_task; cy < std::min(grid.cell_rows(), (task + 1) * rows_of_task); ++cy) {
            std::int32_t j = cells.begin(cy);
            for_cells(grid, cy, [&](const Strip& s, std::int64_t x) {
                const std::int64_t in_chunk = (x - s.x) % (cells_at_once * k);
                if (in_chunk == 0) {
                    lay_out(cy, x - margin);
                }
                body(j++, S.data() + in_chunk + margin - 5);
            });
            context.monitor.poll();
        }
    });
}

}  // namespace

template <int B>
Buffer<float> in_one_piece(const LevelMatrix<B>& matrix, const Context& context) {
    const std::int64_t n = matrix.n();
    constexpr std::int64_t offsets = forward_offsets<reach_of<B>>().size();
    Buffer<float> blocks(offsets * B * B * n);
    parallel_ranges(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t f = 0; f < offsets; ++f) {
            for (int p = 0; p < B * B; ++p) {
                for (std::int64_t i = begin; i < end; ++i) {
                    blocks[(f * n + i) * B * B + p] = matrix.A[entry_of_cell(i, static_cast<int>(f) * B * B + p)];
                }
            }
        }
    });
    return blocks;
}

template <int B>
void patch_gradients_of_any(const LevelMatrix<B>& fine, const Prolongation<B>& P, float* out, const Context& context) {
    constexpr int side = side_of<B>;
    for_rows_of_cells(*fine.grid, P.cells, context, [&](std::int32_t i) {
        const Image<B, 0> image(fine, P, i);
        float* to = out + std::int64_t{patch_size<B>} * i;
        for (int row = 0; row < side; ++row) {
            for (int lane = 0; lane < side; ++lane) {
                for (int p = 0; p < B * C; ++p) {
                    to[(row * B * C + p) * side + lane] = image.at[row][lane].data()[p];
                }
            }
        }
    });
}

template <int B>
CoarseMatrix galerkin_of_any(const LevelMatrix<B>& fine, const Prolongation<B>& P, Grid&& grid,
                             const Context& context) {
    CoarseMatrix coarse = empty(std::move(grid), context);
    constexpr int R = reach_of<B>;
    constexpr int k = Prolongation<B>::k;
    using Whole = Image<B, R>;
    for_rows_of_cells(*fine.grid, P.cells, context, [&](std::int32_t j) {
        const Whole image(fine, P, j);
        store_couplings(P.cells, j, coarse, [&](std::int32_t i, int dy, int dx, float* out) {
            Block<C, C> sum = Block<C, C>::Zero();
            for (int row = 0; row < side_of<B>; ++row) {
                for (int lane = 0; lane < side_of<B>; ++lane) {
                    const int y = row + R + k * dy;
                    const int x = lane + R + k * dx;
                    if (y >= 0 && y < Whole::side && x >= 0 && x < Whole::side) {
                        sum.noalias() += Whole::block(P, i, row, lane).transpose() * image.at[y][x];
                    }
                }
            }
            std::copy_n(sum.data(), C * C, out);
        });
    });
    return coarse;
}

template <int B>
void patch_gradients(const LevelMatrix<B>& fine, const Prolongation<B>& P, float* out, const Context& context) {
    if constexpr (B == 1) {
        for_pixel_cells(fine, P.cells, context, [&](std::int32_t i, const float* S) {
            const std::int64_t at = std::int64_t{patch_size<1>} * i;
            simd::kernels().patch_gradient(S, width, P.patches.data() + at, out + at);
        });
    } else {
        patch_gradients_of_any(fine, P, out, context);
    }
}

template <int B>
CoarseMatrix galerkin(const LevelMatrix<B>& fine, const Prolongation<B>& P, Grid&& grid, const Context& context) {
    if constexpr (B == 1) {
        CoarseMatrix coarse = empty(std::move(grid), context);
        for_pixel_cells(fine, P.cells, context, [&](std::int32_t j, const float* S) {
            const auto patch = [&](std::int32_t i) { return P.patches.data() + std::int64_t{patch_size<1>} * i; };
            float image[(side_of<1> + 4) * C * 16];
            simd::kernels().patch_image(S, width, patch(j), image);
            store_couplings(P.cells, j, coarse, [&](std::int32_t i, int dy, int dx, float* out) {
                simd::kernels().patch_contract(patch(i), image, dy, dx, out);
            });
        });
        return coarse;
    } else {
        return galerkin_of_any(fine, P, std::move(grid), context);
    }
}

template Buffer<float> in_one_piece(const LevelMatrix<C>&, const Context&);
template void patch_gradients(const LevelMatrix<1>&, const Prolongation<1>&, float*, const Context&);
template void patch_gradients(const LevelMatrix<C>&, const Prolongation<C>&, float*, const Context&);
template CoarseMatrix galerkin(const LevelMatrix<1>&, const Prolongation<1>&, Grid&&, const Context&);
template CoarseMatrix galerkin(const LevelMatrix<C>&, const Prolongation<C>&, Grid&&, const Context&);
// For the tests:
template void patch_gradients_of_any(const LevelMatrix<C>&, const Prolongation<C>&, float*, const Context&);
template CoarseMatrix galerkin_of_any(const LevelMatrix<C>&, const Prolongation<C>&, Grid&&, const Context&);
template void patch_gradients_of_any(const LevelMatrix<1>&, const Prolongation<1>&, float*, const Context&);
template CoarseMatrix galerkin_of_any(const LevelMatrix<1>&, const Prolongation<1>&, Grid&&, const Context&);

}  // namespace trimatte
