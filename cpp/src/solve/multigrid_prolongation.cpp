#include "multigrid_prolongation.hpp"

#include <Eigen/Core>
#include <array>

#include "multigrid_setup.hpp"
#include "near_null.hpp"

namespace trimatte {
namespace {

constexpr float ramp = 1.0f / 3;  // part of a neighbouring cell at a cell's outer nodes

// Steps towards least energy, in units of 1 / lmax: inverse roots of Chebyshev polynomials for the upper part of the
// spectrum. Cells are few, and what P lacks there costs more iterations than what it lacks on pixels.
template <int B>
constexpr std::array<float, 3> energy_steps{1.06f, 1.74f, 4.83f};
template <>
constexpr std::array<float, 2> energy_steps<1>{1.15f, 2.4f};

// Cell `cell`'s part of a node: row and lane of its patch, and its share in the blend.
struct Share {
    std::int32_t cell;
    int row, lane;
    float weight;
};
// The shares of node (y, x) of cell i; returns how many. A cell that lies across a corner has its share by way
// of the one beside.
template <int B>
int shares(const Cells& cells, std::int32_t i, int y, int x, Share* out) {
    constexpr int k = Prolongation<B>::k;
    const int dy = y == 0 ? -1 : y == k - 1 ? 1 : 0;
    const int dx = x == 0 ? -1 : x == k - 1 ? 1 : 0;
    const std::int32_t beside = dx == 0 ? 0 : cells.neighbour(i, 0, dx);
    int count = 0;
    const auto add_column = [&](std::int32_t cell, int lane, float weight) {
        const std::int32_t other = dy == 0 ? 0 : cells.neighbour(cell, dy, 0);
        if (cell != 0) {
            out[count++] = {cell, y + 1, lane, other == 0 ? weight : weight * (1 - ramp)};
        }
        if (other != 0) {
            out[count++] = {other, y + 1 - dy * k, lane, weight * ramp};
        }
    };
    add_column(i, x + 1, beside == 0 ? 1 : 1 - ramp);
    add_column(beside, x + 1 - dx * k, ramp);
    return count;
}

// Place of number b of a node, column 0, in the patches.
template <int B>
std::int64_t place(const Share& s, int b) {
    return s.cell * std::int64_t{patch_size<B>} + (s.row * B + b) * columns * side_of<B> + s.lane;
}

// body(i) for all cells, in parallel.
template <class Body>
void for_all_cells(const Cells& cells, const Context& context, const Body& body) {
    parallel_ranges(cells.count(), context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin + 1; i <= end; ++i) {
            body(static_cast<std::int32_t>(i));
        }
    });
}

// P = the near-null vectors times the shares.
template <int B>
void blend(const Grid& grid, const float* N, Prolongation<B>& P, const Context& context) {
    constexpr int k = Prolongation<B>::k;
    for_all_cells(P.cells, context, [&](std::int32_t i) {
        const Cells::Cell& cell = P.cells[i];
        for (int y = 0; y < k; ++y) {
            for (int x = 0; x < k; ++x) {
                Share share[4];
                const int count = shares<B>(P.cells, i, y, x, share);
                const std::int64_t slot = cell.slot + y * cell.stride + x;
                for (int j = 0; j < count; ++j) {
                    for (int b = 0; b < B; ++b) {
                        float* to = P.patches.data() + place<B>(share[j], b);
                        for (int c = 0; c < columns; ++c) {
                            to[c * side_of<B>] = share[j].weight * N[(b * columns + c) * grid.slots() + slot];
                        }
                    }
                }
            }
        }
    });
}

// Makes the columns of each patch orthonormal; R: the factors, cell by cell.
template <int B>
void orthonormalise_patches(Prolongation<B>& P, float* R, const Context& context) {
    for_all_cells(P.cells, context, [&](std::int32_t i) {
        float* patch = P.patches.data() + std::int64_t{patch_size<B>} * i;
        double gram[columns * columns];
        kernels_for<B>().patch_gram(patch, gram);
        const Orthonormal<columns> factor(gram);
        kernels_for<B>().patch_transform(factor.W[0], patch);
        for (int p = 0; p < columns * columns; ++p) {
            R[columns * columns * std::int64_t{i} + p] = static_cast<float>(factor.R[p / columns][p % columns]);
        }
    });
}

// A change of a node's rows of P must not change P R: what lies in the space of the factors R of the node's cells, one
// above the other, is taken out of it. Q: an orthonormal basis of that space.
class Constraint {
public:
    // share: the cells of a node and of the others that the constraint is for.
    Constraint(const float* R, const Share* share, int count) {
        count_ = count;
        Eigen::Matrix<double, columns, columns, Eigen::RowMajor> factors[4];
        Eigen::Matrix<double, columns, columns, Eigen::RowMajor> gram;
        gram.setZero();
        for (int j = 0; j < count; ++j) {
            factors[j] = Eigen::Map<const Square>(R + columns * columns * std::int64_t{share[j].cell}).cast<double>();
            gram.noalias() += factors[j].transpose() * factors[j];
        }
        const Orthonormal<columns> basis(gram.data());
        const Eigen::Map<const Eigen::Matrix<double, columns, columns, Eigen::RowMajor>> W(basis.W[0]);
        for (int j = 0; j < count; ++j) {
            Q_[j] = (factors[j] * W).cast<float>();
        }
    }

    using Change = Eigen::Matrix<float, 1, columns>[4];  // of each cell
    void apply(Change& change) const {
        Eigen::Matrix<float, 1, columns> along;
        along.setZero();
        for (int j = 0; j < count_; ++j) {
            along.noalias() += change[j] * Q_[j];
        }
        for (int j = 0; j < count_; ++j) {
            change[j].noalias() -= along * Q_[j].transpose();
        }
    }

private:
    using Square = Eigen::Matrix<float, columns, columns, Eigen::RowMajor>;
    int count_;
    Square Q_[4];
};

// P -= step gradient, under the constraint.
template <int B>
void take_step(Prolongation<B>& P, const float* gradient, float step, const float* R, const Context& context) {
    constexpr int k = Prolongation<B>::k;
    constexpr int side = side_of<B>;
    const Cells& cells = P.cells;
    const auto move = [&](const Share* share, int count, const Constraint& constraint) {
        for (int b = 0; b < B; ++b) {
            Constraint::Change change;
            for (int j = 0; j < count; ++j) {
                const float* from = gradient + place<B>(share[j], b);
                for (int u = 0; u < columns; ++u) {
                    change[j][u] = from[u * side];
                }
            }
            constraint.apply(change);
            for (int j = 0; j < count; ++j) {
                float* to = P.patches.data() + place<B>(share[j], b);
                for (int u = 0; u < columns; ++u) {
                    to[u * side] -= step * change[j][u];
                }
            }
        }
    };
    // Nodes that belong to the same cells have the same constraint. They are moved with the first of those cells; the
    // first of `share` is the first node's, which lies in the last row or column of that cell.
    const auto move_all = [&](const Share* share, int count, int height, int width) {
        const Constraint constraint(R, share, count);
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                Share moved[4];
                for (int j = 0; j < count; ++j) {
                    moved[j] = {share[j].cell, share[j].row + y, share[j].lane + x, 0};
                }
                move(moved, count, constraint);
            }
        }
    };
    for_all_cells(cells, context, [&](std::int32_t i) {
        const std::int32_t right = cells.neighbour(i, 0, 1);
        const std::int32_t below = cells.neighbour(i, 1, 0);
        const std::int32_t across = cells.neighbour(i, 1, 1);
        if (right != 0) {
            const Share share[] = {{i, 2, k, 0}, {right, 2, 0, 0}};
            move_all(share, 2, k - 2, 2);
        }
        if (below != 0) {
            const Share share[] = {{i, k, 2, 0}, {below, 0, 2, 0}};
            move_all(share, 2, 2, k - 2);
        }
        if (right != 0 && below != 0 && across != 0) {
            const Share share[] = {{i, k, k, 0}, {right, k, 0, 0}, {below, 0, k, 0}, {across, 0, 0, 0}};
            move_all(share, 4, 2, 2);
        }
        // Corners where fewer than four cells meet.
        for (const int dy : {-1, 1}) {
            for (const int dx : {-1, 1}) {
                if (cells.neighbour(i, 0, dx) != 0 && cells.neighbour(i, dy, 0) != 0 &&
                    cells.neighbour(i, dy, dx) != 0) {
                    continue;
                }
                Share share[4];
                const int count = shares<B>(cells, i, dy < 0 ? 0 : k - 1, dx < 0 ? 0 : k - 1, share);
                if (count > 1) {  // else the near-null vectors leave no choice
                    move(share, count, Constraint(R, share, count));
                }
            }
        }
    });
}

}  // namespace

Cells::Cells(const Grid& fine, const Grid& coarse) {
    const std::int64_t k = fine.cell();
    std::vector<std::int32_t> number(static_cast<std::size_t>(coarse.slots()), 0);
    cells_.push_back({});
    for (std::int64_t cy = 0; cy < fine.cell_rows(); ++cy) {
        first_.push_back(static_cast<std::int32_t>(cells_.size()));
        for_cells(fine, cy, [&](const Strip& s, std::int64_t x) {
            const std::int64_t at = coarse.slot(cy, x / k);
            number[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(cells_.size());
            cells_.push_back({s.slot + x - s.x, s.stride, at});
        });
    }
    first_.push_back(static_cast<std::int32_t>(cells_.size()));
    for (std::vector<std::int32_t>& all : neighbours_) {
        all.assign(cells_.size() + Strip::lanes, 0);
    }
    for (std::int64_t y = 0; y < coarse.height(); ++y) {
        for (const Piece* p = coarse.pieces_begin(y); p != coarse.pieces_end(y); ++p) {
            for (std::int64_t j = 0; j < p->size; ++j) {
                const std::int32_t i = number[static_cast<std::size_t>(p->at[2] + j)];
                for (int dy = -1; i != 0 && dy <= 1; ++dy) {
                    for (int dx = -1; dx <= 1; ++dx) {
                        neighbours_[3 * (dy + 1) + dx + 1][static_cast<std::size_t>(i)] =
                            number[static_cast<std::size_t>(p->at[2 + dy] + j + dx)];
                    }
                }
            }
        }
    }
}

template <int B>
void Prolongation<B>::interpolate(const Grid& grid, const float* e, float* u, const Context& context) const {
    for_cell_rows(grid, context, [&](std::int64_t cy) {
        std::int32_t i = cells.begin(cy);
        for (const Strip* s = grid.strips_begin(cy); s != grid.strips_end(cy); ++s) {
            const std::int32_t* const numbers[] = {cells.neighbours(i, -1), cells.neighbours(i, 0),
                                                   cells.neighbours(i, 1)};
            kernels_for<B>().spread(s->width / k, patches.data(), numbers, e, grid.slots(), s->stride, u + s->slot);
            i += static_cast<std::int32_t>(s->width / k);
        }
    });
}

template <int B>
void Prolongation<B>::restrict_to_cells(const Grid& grid, const float* r, float* out, std::int64_t out_slots,
                                        const Context& context) const {
    for_cell_rows(grid, context, [&](std::int64_t cy) {
        for (std::int32_t i = cells.begin(cy); i < cells.end(cy); ++i) {
            const float* rows[side];
            const Cells::Cell& cell = cells[i];
            for (int y = 0; y < k; ++y) {
                rows[y + 1] = r + cell.slot + y * cell.stride - 1;
            }
            // Where there is no cell, P is zero.
            const std::int32_t above = cells.neighbour(i, -1, 0);
            const std::int32_t below = cells.neighbour(i, 1, 0);
            rows[0] = above == 0 ? rows[1] : r + cells[above].slot + (k - 1) * cells[above].stride - 1;
            rows[side - 1] = below == 0 ? rows[1] : r + cells[below].slot - 1;
            float sums[columns];
            kernels_for<B>().gather(patches.data() + std::int64_t{patch_size<B>} * i, rows, grid.slots(), sums);
            for (int c = 0; c < columns; ++c) {
                out[c * out_slots + cell.coarse] = sums[c];
            }
        }
    });
}

template <int B>
Prolongation<B> make_prolongation(const LevelMatrix<B>& fine, const Buffer<float>& N, const Grid& coarse,
                                  Buffer<float>& R, const Context& context) {
    Prolongation<B> P{Cells(*fine.grid, coarse), {}};
    const std::int64_t size = std::int64_t{patch_size<B>} * (P.cells.count() + 1) + 8;  // read in vectors
    P.patches = zeros<float>(size, context);
    R = Buffer<float>(columns * columns * std::int64_t{P.cells.count() + 1});
    blend<B>(*fine.grid, N.data(), P, context);
    orthonormalise_patches<B>(P, R.data(), context);
    Buffer<float> gradient(size);
    for (const float step : energy_steps<B>) {
        patch_gradients<B>(fine, P, gradient.data(), context);
        take_step<B>(P, gradient.data(), step / static_cast<float>(fine.lmax), R.data(), context);
    }
    return P;
}

template struct Prolongation<1>;
template struct Prolongation<columns>;
template Prolongation<1> make_prolongation(const LevelMatrix<1>&, const Buffer<float>&, const Grid&, Buffer<float>&,
                                           const Context&);
template Prolongation<columns> make_prolongation(const LevelMatrix<columns>&, const Buffer<float>&, const Grid&,
                                                 Buffer<float>&, const Context&);

}  // namespace trimatte
