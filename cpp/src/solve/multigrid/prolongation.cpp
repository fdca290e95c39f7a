#include "solve/multigrid/prolongation.hpp"

#include "solve/multigrid/hierarchy.hpp"

namespace trimatte {

Cells::Cells(const Grid& fine, const Grid& coarse) {
    const std::int64_t k = fine.cell();
    cells_.push_back({});
    for (std::int64_t cy = 0; cy < fine.cell_rows(); ++cy) {
        first_.push_back(static_cast<std::int32_t>(cells_.size()));
        for_cells(fine, cy, [&](const Strip& s, std::int64_t x) {
            cells_.push_back({s.slot + x - s.x, s.stride, coarse.slot(cy, x / k)});
        });
    }
    first_.push_back(static_cast<std::int32_t>(cells_.size()));
    for (std::vector<std::int32_t>& all : neighbours_) {
        all.assign(cells_.size() + Strip::lanes, 0);
    }
    // The numbers of the cells in the rows above, here and below, with one more column at both
    // ends.
    std::vector<std::int32_t> above(static_cast<std::size_t>(fine.cell_columns() + 2)), here = above, below = above;
    const auto number = [&](std::int64_t cy, std::vector<std::int32_t>& row) {
        std::fill(row.begin(), row.end(), 0);
        if (cy < fine.cell_rows()) {
            std::int32_t i = begin(cy);
            for_cells(fine, cy, [&](const Strip&, std::int64_t x) { row[static_cast<std::size_t>(x / k + 1)] = i++; });
        }
    };
    number(0, below);
    for (std::int64_t cy = 0; cy < fine.cell_rows(); ++cy) {
        above.swap(here);
        here.swap(below);
        number(cy + 1, below);
        std::int32_t i = begin(cy);
        for_cells(fine, cy, [&](const Strip&, std::int64_t x) {
            int m = 0;
            for (const auto* row : {&above, &here, &below}) {
                for (std::int64_t at = x / k; at <= x / k + 2; ++at) {
                    neighbours_[m++][static_cast<std::size_t>(i)] = (*row)[static_cast<std::size_t>(at)];
                }
            }
            ++i;
        });
    }
}

simd::CellGroup Cells::group(std::int32_t i, std::int32_t end, std::int64_t k, std::int64_t reach) const {
    simd::CellGroup group{};
    for (int lane = 0; lane < Strip::lanes; ++lane) {
        const bool exists = i + lane < end;
        for (int m = 0; m < 9 && exists; ++m) {
            group.cell[m][lane] = neighbours_[m][static_cast<std::size_t>(i + lane)];
        }
        for (std::int64_t r = 0; r < k + reach + 2; ++r) {
            const std::int64_t y = r - 1 - reach;
            const int dy = y < 0 ? -1 : y < k ? 0 : 1;
            std::int64_t& slot = group.row[r][lane];
            slot = 2 * Strip::lanes;  // slots that hold zeros
            // Whichever neighbour exists: all of them lie in the same strip.
            for (const int dx : {0, -1, 1}) {
                const std::int32_t near = group.neighbour(dy, dx)[lane];
                if (near != 0) {
                    slot = (*this)[near].slot + (y - dy * k) * (*this)[near].stride - dx * k;
                    break;
                }
            }
        }
    }
    return group;
}

template <int B>
void Prolongation<B>::interpolate(const Grid& grid, const float* e, float* u, const Context& context) const {
    for_cell_rows(grid, context, [&](std::int64_t cy) {
        std::int32_t i = cells.begin(cy);
        for (const Strip* s = grid.strips_begin(cy); s != grid.strips_end(cy); ++s) {
            const std::int32_t* const numbers[] = {cells.neighbours(i, -1), cells.neighbours(i, 0),
                                                   cells.neighbours(i, 1)};
            kernels_for<B>().spread(s->width / Patch::k, patches.data(), numbers, e, grid.slots(), s->stride,
                                    u + s->slot);
            i += static_cast<std::int32_t>(s->width / Patch::k);
        }
    });
}

template <int B>
void Prolongation<B>::restrict_to_cells(const Grid& grid, const float* r, float* out, std::int64_t out_slots,
                                        const Context& context) const {
    for_cell_rows(grid, context, [&](std::int64_t cy) {
        for (std::int32_t i = cells.begin(cy); i < cells.end(cy); ++i) {
            const float* at[Patch::side];
            const Cells::Cell& cell = cells[i];
            for (int y = 0; y < Patch::k; ++y) {
                at[y + 1] = r + cell.slot + y * cell.stride - 1;
            }
            // Where there is no cell, the rows of P are zero, and any address will do.
            const std::int32_t above = cells.neighbour(i, -1, 0);
            const std::int32_t below = cells.neighbour(i, 1, 0);
            at[0] = above == 0 ? at[1] : r + cells[above].slot + (Patch::k - 1) * cells[above].stride - 1;
            at[Patch::side - 1] = below == 0 ? at[1] : r + cells[below].slot - 1;
            float sums[columns];
            kernels_for<B>().gather(patches.data() + std::int64_t{Patch::size} * i, at, grid.slots(), sums);
            for (int c = 0; c < columns; ++c) {
                out[c * out_slots + cell.coarse] = sums[c];
            }
        }
    });
}

namespace {

using GroupStage = std::function<void(const simd::CellGroup&)>;

// Runs one stage after the other. On pixels, of which there are many, the stages follow each other
// along the rows of cells, so that what one stage has written is in the cache for the next. (A step
// also writes P in the rows beside its own; a gradient reads its own row only.)
template <int B>
void for_groups_in_turn(const Cells& cells, [[maybe_unused]] const Grid& grid, const std::vector<GroupStage>& stages,
                        const Context& context) {
    if constexpr (B > 1) {
        for (const GroupStage& stage : stages) {
            for_groups<B>(cells, context, stage);
        }
    } else {
        std::vector<RowStage> along_rows;
        for (const GroupStage& stage : stages) {
            along_rows.emplace_back([&](std::int64_t cy, bool) {
                context.monitor.poll();  // the stages take some microseconds per cell
                for_groups<B>(cells, cells.begin(cy), cells.end(cy), stage);
            });
        }
        sweep(grid, along_rows, context);
    }
}

}  // namespace

template <int B>
Prolongation<B> make_prolongation(const LevelMatrix<B>& fine, const Buffer<float>& N, const Grid& coarse,
                                  Buffer<float>& R, const Context& context) {
    Prolongation<B> P{Cells(*fine.grid, coarse), {}};
    // Counts cell 0, whose numbers are all zero.
    const std::int64_t count = std::int64_t{P.cells.count()} + 1;
    const simd::StencilKernels& kernels = kernels_for<B>();
    const std::int64_t n = fine.n();
    constexpr std::int64_t size = Prolongation<B>::Patch::size;
    // Vector loads may read beyond the last patch.
    P.patches = Buffer<float>(size * count + Strip::lanes);
    std::fill_n(P.patches.begin(), size, 0.0f);
    std::fill_n(P.patches.end() - Strip::lanes, Strip::lanes, 0.0f);
    R = Buffer<float>(columns * columns * count);
    std::fill_n(R.begin(), columns * columns, 0.0f);
    Buffer<float> gradient(size * count);
    std::fill_n(gradient.begin(), size, 0.0f);
    std::vector<GroupStage> stages;
    stages.emplace_back(
        [&](const simd::CellGroup& group) { kernels.blend(group, N.data(), n, P.patches.data(), R.data()); });
    for (const float step : energy_steps<B>) {
        stages.emplace_back([&](const simd::CellGroup& group) {
            kernels.gradient(group, fine.blocks, n, P.patches.data(), gradient.data());
        });
        stages.emplace_back([&, step](const simd::CellGroup& group) {
            kernels.take_step(group, gradient.data(), step / static_cast<float>(fine.lmax), R.data(), P.patches.data());
        });
    }
    for_groups_in_turn<B>(P.cells, coarse, stages, context);
    return P;
}

template struct Prolongation<1>;
template struct Prolongation<columns>;
template Prolongation<1> make_prolongation(const LevelMatrix<1>&, const Buffer<float>&, const Grid&, Buffer<float>&,
                                           const Context&);
template Prolongation<columns> make_prolongation(const LevelMatrix<columns>&, const Buffer<float>&, const Grid&,
                                                 Buffer<float>&, const Context&);

}  // namespace trimatte
