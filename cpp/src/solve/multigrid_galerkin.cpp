// Coarse matrices: T^T (I - omega A) A (I - omega A) T.
#include <Eigen/Core>

#include "multigrid_setup.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {
namespace {

template <int B>
constexpr int reach_of = B == 1 ? 2 : 1;

template <int Rows, int Columns>
using Block = Eigen::Matrix<float, Rows, Columns, Eigen::RowMajor | Eigen::DontAlign>;

// The blocks of A one after the other, each in one piece: block (f, slot) is result[f * n + slot].
template <int B>
Buffer<Block<B, B>> in_one_piece(const LevelMatrix<B>& matrix, std::int64_t offsets, const Context& context) {
    const std::int64_t n = matrix.n();
    Buffer<Block<B, B>> blocks(offsets * n);
    parallel_ranges(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t f = 0; f < offsets; ++f) {
            for (int p = 0; p < B * B; ++p) {
                const float* plane = matrix.A + (f * B * B + p) * n;
                for (std::int64_t i = begin; i < end; ++i) {
                    blocks[f * n + i].data()[p] = plane[i];
                }
            }
        }
    });
    return blocks;
}

}  // namespace

// A cell's vectors live on a patch of side x side nodes round it: T on the cell, A T and P = T - omega A T up to R
// nodes from it, A P up to 2 R. Then P_i^T A P_j, with the cells i whose forward neighbour j is.
template <int B, int C>
CoarseMatrix<C> galerkin(const LevelMatrix<B>& fine, const float* T, const Context& context) {
    constexpr int R = reach_of<B>;
    constexpr auto offsets = forward_offsets<R>();
    constexpr auto coarse_offsets = forward_offsets<1>();
    const Grid& grid = *fine.grid;
    const std::int64_t n = grid.slots();
    const std::int64_t k = grid.cell();
    const std::int64_t side = k + 4 * R;
    const std::int64_t patch = side * side;
    const Buffer<Block<B, B>> A = in_one_piece(fine, static_cast<std::int64_t>(offsets.size()), context);
    CoarseMatrix<C> coarse{coarse_grid(grid), {}, {}};
    const std::int64_t cells = coarse.grid.slots();
    coarse.diagonal = zeros<float>(C * C * cells, context);
    coarse.A = zeros<float>(static_cast<std::int64_t>(coarse_offsets.size()) * C * C * cells, context);

    // Block (y, x) of a patch is at y * side + x. number: of a cell among those that there are, by coarse slot.
    std::vector<std::int64_t> number(static_cast<std::size_t>(cells));
    std::int64_t count = 0;
    for (std::int64_t cy = 0; cy < grid.cell_rows(); ++cy) {
        for_cells(grid, cy, [&](const Strip&, std::int64_t x) {
            number[static_cast<std::size_t>(coarse.grid.slot(cy, x / k))] = count++;
        });
    }
    Buffer<Block<B, C>> P_of(patch * count), AP_of(patch * count);
    const auto P_at = [&](std::int64_t slot) { return P_of.data() + number[static_cast<std::size_t>(slot)] * patch; };
    const auto AP_at = [&](std::int64_t slot) { return AP_of.data() + number[static_cast<std::size_t>(slot)] * patch; };
    const auto make_patches = [&](std::int64_t cy, std::int64_t cell_x, Block<B, C>* P, Block<B, C>* AP) {
        std::vector<std::int64_t> slot(static_cast<std::size_t>(patch));
        std::vector<Block<B, C>> M(static_cast<std::size_t>(patch), Block<B, C>::Zero());
        std::fill(P, P + patch, Block<B, C>::Zero());
        std::fill(AP, AP + patch, Block<B, C>::Zero());
        for (std::int64_t i = 0; i < patch; ++i) {
            const std::int64_t y = i / side - 2 * R;
            const std::int64_t x = i % side - 2 * R;
            const std::int64_t at = grid.slot(cy * k + y, cell_x + x);
            slot[static_cast<std::size_t>(i)] = at;
            if (y >= 0 && y < k && x >= 0 && x < k) {
                for (int p = 0; p < B * C; ++p) {
                    P[i].data()[p] = T[p * n + at];
                }
            }
        }
        // out += A in, where `in` is zero on the outer `border` nodes of the patch.
        const auto add_product = [&](const Block<B, C>* in, std::int64_t border, Block<B, C>* out) {
            for (std::int64_t y = border; y < side - border; ++y) {
                for (std::int64_t i = y * side + border; i < (y + 1) * side - border; ++i) {
                    const std::int64_t at = slot[static_cast<std::size_t>(i)];
                    if (at < 0) {
                        continue;
                    }
                    out[i] += in[i];
                    for (std::size_t f = 0; f < offsets.size(); ++f) {
                        const std::int64_t step = offsets[f][0] * side + offsets[f][1];
                        const std::int64_t plane = static_cast<std::int64_t>(f) * n;
                        if (slot[static_cast<std::size_t>(i + step)] >= 0) {
                            out[i + step].noalias() += A[plane + at].transpose() * in[i];
                        }
                        const std::int64_t before = slot[static_cast<std::size_t>(i - step)];
                        if (before >= 0) {
                            out[i - step].noalias() += A[plane + before] * in[i];
                        }
                    }
                }
            }
        };
        add_product(P, 2 * R, M.data());
        add_product(M.data(), R, AP);
        for (std::int64_t i = 0; i < patch; ++i) {
            P[i] -= fine.omega() * M[static_cast<std::size_t>(i)];
            AP[i] = M[static_cast<std::size_t>(i)] - fine.omega() * AP[i];
        }
    };
    // P_i^T A P_j, cell i lying (dy, dx) cells from cell j.
    const auto contract = [&](const Block<B, C>* P, const Block<B, C>* AP, std::int64_t dy, std::int64_t dx) {
        Block<C, C> sum = Block<C, C>::Zero();
        for (std::int64_t y = std::max<std::int64_t>(R, -k * dy); y < std::min<std::int64_t>(side - R, side - k * dy);
             ++y) {
            for (std::int64_t x = std::max<std::int64_t>(R, -k * dx);
                 x < std::min<std::int64_t>(side - R, side - k * dx); ++x) {
                sum.noalias() += P[y * side + x].transpose() * AP[(y + k * dy) * side + x + k * dx];
            }
        }
        return sum;
    };
    // Row by row: a cell takes microseconds.
    parallel_for(grid.cell_rows(), context.threads, context.monitor, [&](std::int64_t cy) {
        for_cells(grid, cy, [&](const Strip&, std::int64_t x) {
            const std::int64_t j = coarse.grid.slot(cy, x / k);
            make_patches(cy, x, P_at(j), AP_at(j));
        });
    });
    parallel_for(grid.cell_rows(), context.threads, context.monitor, [&](std::int64_t cy) {
        for_cells(grid, cy, [&](const Strip&, std::int64_t x) {
            const std::int64_t j = coarse.grid.slot(cy, x / k);
            const Block<B, C>* AP = AP_at(j);
            const Block<C, C> own = contract(P_at(j), AP, 0, 0);
            for (int p = 0; p < C * C; ++p) {
                coarse.diagonal[p * cells + j] = 0.5f * (own(p / C, p % C) + own(p % C, p / C));
            }
            for (std::size_t f = 0; f < coarse_offsets.size(); ++f) {
                const auto [dy, dx] = coarse_offsets[f];
                const std::int64_t i = coarse.grid.slot(cy - dy, x / k - dx);
                if (i < 0) {
                    continue;
                }
                const Block<C, C> coupling = contract(P_at(i), AP, -dy, -dx);
                for (int p = 0; p < C * C; ++p) {
                    coarse.A[(static_cast<std::int64_t>(f) * C * C + p) * cells + i] = coupling(p / C, p % C);
                }
            }
        });
    });
    return coarse;
}

template <int C>
CoarseMatrix<C> galerkin_of_pixels(const LevelMatrix<1>& fine, const float* T, const Context& context) {
    constexpr std::int64_t k = Stencil::pixels_per_cell;
    constexpr std::int64_t chunk = 16;  // cells whose stencil is laid out at once
    constexpr std::int64_t margin = 8;
    constexpr std::int64_t width = chunk * k + 3 * margin;
    constexpr std::int64_t P_size = 10 * C * 16;
    constexpr std::int64_t rows_of_task = 8;
    const simd::GalerkinKernels& kernels = C == 4 ? simd::kernels().galerkin4 : simd::kernels().galerkin5;
    const Grid& grid = *fine.grid;
    const std::int64_t n = grid.slots();
    CoarseMatrix<C> coarse{coarse_grid(grid), {}, {}};
    const std::int64_t cells = coarse.grid.slots();
    coarse.diagonal = zeros<float>(C * C * cells, context);
    coarse.A = zeros<float>(4 * C * C * cells, context);

    const auto work = [&](std::int64_t first_row, std::int64_t last_row) {
        std::vector<float> S(static_cast<std::size_t>(14 * Stencil::offsets * width));
        std::vector<float> AP(static_cast<std::size_t>(14 * C * 48), 0.0f);
        // P of the cells of this row and of the one above, by column.
        Buffer<float> P(grid.cell_columns() * P_size), P_above(grid.cell_columns() * P_size);
        const auto lay_out = [&](std::int64_t cy, std::int64_t x_first) {
            std::fill(S.begin(), S.end(), 0.0f);
            for (std::int64_t row = 0; row < 14; ++row) {
                const std::int64_t y = cy * k - 4 + row;
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
        const auto do_row = [&](std::int64_t cy, bool only_P) {
            for_cells(grid, cy, [&](const Strip& s, std::int64_t x) {
                const std::int64_t in_chunk = (x - s.x) % (chunk * k);
                if (in_chunk == 0) {
                    lay_out(cy, x - margin);
                }
                const std::int64_t cx = x / k;
                float* mine = P.data() + cx * P_size;
                kernels.patches(S.data() + in_chunk + margin - 5, width, T + s.slot + x - s.x, n, s.stride,
                                fine.omega(), mine, only_P ? nullptr : AP.data());
                if (only_P) {
                    return;
                }
                const std::int64_t at = coarse.grid.slot(cy, cx);
                float block[C * C];
                kernels.contract(mine, AP.data(), 0, 0, block);
                for (int p = 0; p < C * C; ++p) {
                    coarse.diagonal[p * cells + at] = 0.5f * (block[p] + block[p % C * C + p / C]);
                }
                const auto couple = [&](const float* P_other, int f, int dy, int dx) {
                    const std::int64_t other = coarse.grid.slot(cy + dy, cx + dx);
                    kernels.contract(P_other + (cx + dx) * P_size, AP.data(), dy, dx, block);
                    for (int p = 0; p < C * C; ++p) {
                        coarse.A[(f * C * C + p) * cells + other] = block[p];
                    }
                };
                if (x > s.x) {
                    couple(P.data(), 0, 0, -1);
                }
                for (int dx = -1; dx <= 1; ++dx) {
                    if (grid.slot(cy * k - 1, x + dx * k) >= 0) {
                        couple(P_above.data(), 2 - dx, -1, dx);
                    }
                }
            });
            std::swap(P, P_above);
        };
        if (first_row > 0) {
            do_row(first_row - 1, true);
        }
        for (std::int64_t cy = first_row; cy < last_row; ++cy) {
            do_row(cy, false);
            context.monitor.poll();
        }
    };
    const std::int64_t tasks = (grid.cell_rows() + rows_of_task - 1) / rows_of_task;
    parallel_for(tasks, context.threads, context.monitor,
                 [&](std::int64_t i) { work(i * rows_of_task, std::min(grid.cell_rows(), (i + 1) * rows_of_task)); });
    return coarse;
}

template CoarseMatrix<4> galerkin<1, 4>(const LevelMatrix<1>&, const float*, const Context&);  // for the tests
template CoarseMatrix<4> galerkin<4, 4>(const LevelMatrix<4>&, const float*, const Context&);
template CoarseMatrix<5> galerkin<5, 5>(const LevelMatrix<5>&, const float*, const Context&);
template CoarseMatrix<4> galerkin_of_pixels(const LevelMatrix<1>&, const float*, const Context&);
template CoarseMatrix<5> galerkin_of_pixels(const LevelMatrix<1>&, const float*, const Context&);

}  // namespace trimatte
