#include "solve/multigrid/hierarchy.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include "trimatte/stencil.hpp"

namespace trimatte {
namespace {

// Nodes along a side of a cell of cells.
constexpr std::int64_t cells_per_cell = simd::PatchOf<columns>::k;
static_assert(Stencil::pixels_per_cell == simd::PatchOf<1>::k);
// A level of at most this number of cells is the last one.
constexpr std::int64_t coarsest_cells = 40;
// Energy, relative to the scaled matrix, below which a column of a cell or a combination of columns
// in P^T A P is rounding error of float32.
constexpr double least_energy = 1e-6;
// All blocks off the diagonal are multiplied by this factor, which acts as if every coarse unknown
// had `least_energy` more energy. Where colours are flat, A has eigenvalues of 1e-8, which rounding
// of its entries may make negative.
constexpr auto shrunk = static_cast<float>(1 - least_energy);

constexpr int C = columns;
using Block = Eigen::Matrix<double, C, C, Eigen::RowMajor>;

// The last level is solved by a dense inverse.
class DenseSolver : public CoarseSolver {
public:
    DenseSolver(CoarseMatrix&& matrix, const Context& context)
        : grid_(std::move(matrix.grid)),
          b_(zeros<float>(C * grid_.slots(), context)),
          x_(zeros<float>(C * grid_.slots(), context)) {
        for (std::int64_t y = 0; y < grid_.height(); ++y) {
            for (std::int64_t x = 0; x < grid_.width(); ++x) {
                if (grid_.slot(y, x) >= 0) {
                    places_.push_back({y, x});
                }
            }
        }
        const auto n = static_cast<Eigen::Index>(places_.size() * C);
        Eigen::MatrixXd A = Eigen::MatrixXd::Identity(n, n);
        constexpr auto offsets = forward_offsets<1>();
        for (std::size_t i = 0; i < places_.size(); ++i) {
            for (std::size_t j = 0; j < places_.size(); ++j) {
                for (std::size_t f = 0; f < offsets.size(); ++f) {
                    if (places_[j][0] - places_[i][0] != offsets[f][0] ||
                        places_[j][1] - places_[i][1] != offsets[f][1]) {
                        continue;
                    }
                    const std::int64_t at = grid_.slot(places_[i][0], places_[i][1]);
                    for (int k = 0; k < C * C; ++k) {
                        const double a = matrix.A[entry_of_cell(at, static_cast<int>(f) * C * C + k)];
                        const auto u = static_cast<Eigen::Index>(i * C) + k / C;
                        const auto v = static_cast<Eigen::Index>(j * C) + k % C;
                        A(u, v) = A(v, u) = a;
                    }
                }
            }
        }
        inverse_ = sound_inverse(std::move(A)).cast<float>();
        inverse_ = (0.5f * (inverse_ + inverse_.transpose())).eval();
    }
    float* b() override { return b_.data(); }
    const float* x() override { return x_.data(); }
    const Grid& grid() const override { return grid_; }
    void cycle() override {
        Eigen::VectorXf b(inverse_.rows());
        for_each([&](Eigen::Index i, std::int64_t at) { b[i] = b_[at]; });
        const Eigen::VectorXf x = inverse_ * b;
        for_each([&](Eigen::Index i, std::int64_t at) { x_[at] = x[i]; });
    }
    bool exact() const override { return true; }
    std::int64_t entries() const override { return inverse_.size(); }
    std::size_t bytes() const override {
        return grid_.bytes() + b_.bytes() + x_.bytes() + static_cast<std::size_t>(inverse_.size()) * sizeof(float);
    }

private:
    // Inverts A after adding `least_energy` to its diagonal. Where columns of neighbouring cells
    // depend on each other, rounding of the float32 entries makes A indefinite by up to 1e-5; the
    // diagonal then grows until the inverse is bounded.
    static Eigen::MatrixXd sound_inverse(Eigen::MatrixXd A) {
        Eigen::MatrixXd inverse;
        for (double more = least_energy; more < 1; more *= 4) {
            A.diagonal().array() += more;
            const Eigen::LLT<Eigen::MatrixXd> factor(A);
            inverse = factor.solve(Eigen::MatrixXd::Identity(A.rows(), A.cols()));
            if (factor.info() == Eigen::Success && inverse.diagonal().maxCoeff() <= 1 / least_energy) {
                break;
            }
        }
        return inverse;
    }

    template <class Body>
    void for_each(const Body& body) const {
        Eigen::Index i = 0;
        for (const auto& [y, x] : places_) {
            for (int c = 0; c < C; ++c) {
                body(i++, c * grid_.slots() + grid_.slot(y, x));
            }
        }
    }
    Grid grid_;
    std::vector<std::array<std::int64_t, 2>> places_;
    Buffer<float> b_, x_;
    Eigen::MatrixXf inverse_;
};

// A level between the pixels and the last level.
class CellSolver : public CoarseSolver {
public:
    CellSolver(CoarseMatrix&& matrix, Buffer<float>&& null, const Context& context)
        : grid_(std::move(matrix.grid)),
          A_(std::move(matrix.A)),
          b_(zeros<float>(C * grid_.slots(), context)),
          smoother_(make_smoother<C>(grid_, A_.data(), std::move(null), context)) {}

    float* b() override { return b_.data(); }
    const float* x() override { return smoother_->x(); }
    const Grid& grid() const override { return grid_; }
    void cycle() override {
        smoother_->cycle({[this](std::int64_t y, bool) {
                             for_strips(grid_, y, [&](const Strip& s, std::int64_t slot) {
                                 for (int c = 0; c < C; ++c) {
                                     const std::int64_t at = c * grid_.slots() + slot;
                                     std::copy_n(b_.data() + at, s.padded(), smoother_->r() + at);
                                     simd::kernels().start(s.padded(), smoother_->first_step(), smoother_->r() + at,
                                                           smoother_->d() + at, smoother_->x() + at);
                                 }
                             });
                         }},
                         {}, b_.data());
    }
    bool exact() const override { return false; }
    std::int64_t entries() const override { return smoother_->entries(); }
    std::size_t bytes() const override { return grid_.bytes() + A_.bytes() + b_.bytes() + smoother_->bytes(); }

private:
    Grid grid_;
    Buffer<float> A_;
    Buffer<float> b_;
    std::unique_ptr<Smoother<C>> smoother_;
};

// A diagonal block D = G G^T, and G^-1.
struct BlockFactor {
    Block G, inverse;
};

// Factorises a diagonal block. Empty columns get a one on the diagonal, and the diagonal grows
// until the trace of D^-1, by which the rounding errors of all blocks grow, is at most 1 /
// least_energy.
BlockFactor factorise_block(Block D) {
    for (int u = 0; u < C; ++u) {
        if (D(u, u) <= 0) {  // the column was dropped, or rounding has left nothing of it
            D.row(u).setZero();
            D.col(u).setZero();
            D(u, u) = 1;
        }
    }
    BlockFactor result;
    for (double more = least_energy;; more *= 2) {
        const Eigen::LLT<Block> factor(D);
        result.G = factor.matrixL();
        result.inverse = factor.matrixL().solve(Block(Block::Identity()));
        const double trace = result.inverse.squaredNorm();
        if ((factor.info() == Eigen::Success && trace <= 1 / least_energy) || more > 1) {
            return result;
        }
        D.diagonal().array() += more;
    }
}

// Makes the diagonal blocks D = G G^T of the coarse matrix identities. The coarse unknowns e become
// G^T e, P becomes P G^-T, the coarse near-null vectors become G^T R, and an off-diagonal block
// becomes G_i^-1 A_ij G_j^-T. P is finished afterwards. Returns the near-null vectors in planes of
// the coarse grid.
template <int B>
Buffer<float> scale_to_identity(Prolongation<B>& P, CoarseMatrix& coarse, const float* R, const Context& context) {
    const Cells& cells = P.cells;
    const std::int64_t n = coarse.grid.slots();
    Buffer<float> near_null = zeros<float>(C * C * n, context);
    Buffer<float> inverses(C * C * std::int64_t{cells.count() + 1});  // G^-1 of each cell
    using Small = Eigen::Matrix<float, C, C, Eigen::RowMajor | Eigen::DontAlign>;
    const auto inverse_of = [&](std::int32_t i) {
        return Eigen::Map<Small>(inverses.data() + C * C * std::int64_t{i});
    };
    const auto for_cells_of = [&](const simd::CellGroup& group, const auto& body) {
        for (int lane = 0; lane < Strip::lanes; ++lane) {
            if (group.neighbour(0, 0)[lane] != 0) {
                body(group.neighbour(0, 0)[lane], lane);
            }
        }
    };
    const auto factorise = [&](std::int32_t i, Block& W) {
        const std::int64_t at = cells[i].coarse;
        Block D, null;
        for (int k = 0; k < C * C; ++k) {
            D(k / C, k % C) = coarse.diagonal[k * n + at];
            null(k / C, k % C) = R[C * C * std::int64_t{i} + k];
        }
        const BlockFactor factor = factorise_block(D);
        const Block scaled = factor.G.transpose() * null;
        for (int k = 0; k < C * C; ++k) {
            near_null[k * n + at] = static_cast<float>(scaled(k / C, k % C));
        }
        inverse_of(i) = factor.inverse.cast<float>();
        W = factor.inverse.transpose();
    };
    for_groups<B>(cells, context, [&](const simd::CellGroup& group) {
        float lanes[C * C][Strip::lanes] = {};
        for_cells_of(group, [&](std::int32_t i, int lane) {
            Block W;
            factorise(i, W);
            for (int k = 0; k < C * C; ++k) {
                lanes[k][lane] = static_cast<float>(W(k / C, k % C));
            }
        });
        kernels_for<B>().finish_patches(group, lanes[0], P.patches.data());
    });
    constexpr auto offsets = forward_offsets<1>();
    const auto scale = [&](std::int32_t i, int) {
        const std::int64_t at = cells[i].coarse;
        for (std::size_t f = 0; f < offsets.size(); ++f) {
            const std::int32_t other = cells.neighbour(i, offsets[f][0], offsets[f][1]);
            if (other == 0) {
                continue;
            }
            const auto entry = [&](int k) -> float& {
                return coarse.A[entry_of_cell(at, static_cast<int>(f) * C * C + k)];
            };
            Small block;
            for (int k = 0; k < C * C; ++k) {
                block(k / C, k % C) = entry(k);
            }
            const Small scaled = shrunk * (inverse_of(i) * block * inverse_of(other).transpose());
            for (int k = 0; k < C * C; ++k) {
                entry(k) = scaled(k / C, k % C);
            }
        }
    };
    for_groups<B>(cells, context, [&](const simd::CellGroup& group) { for_cells_of(group, scale); });
    return near_null;
}

}  // namespace

Grid coarse_grid(const Grid& fine) {
    const std::int64_t height = fine.cell_rows();
    const std::int64_t width = fine.cell_columns();
    const std::int64_t cell = cells_per_cell;
    const std::int64_t across = (width + cell - 1) / cell;
    std::vector<std::uint8_t> active(static_cast<std::size_t>((height + cell - 1) / cell * across), 0);
    for (std::int64_t cy = 0; cy < height; ++cy) {
        for_cells(fine, cy, [&](const Strip&, std::int64_t x) {
            active[static_cast<std::size_t>(cy / cell * across + x / fine.cell() / cell)] = 1;
        });
    }
    Grid grid(height, width, cell, 1, active);
    std::vector<std::uint8_t> is_node(static_cast<std::size_t>(grid.slots()), 0);
    for (std::int64_t cy = 0; cy < height; ++cy) {
        for_cells(fine, cy, [&](const Strip&, std::int64_t x) {
            is_node[static_cast<std::size_t>(grid.slot(cy, x / fine.cell()))] = 1;
        });
    }
    grid.trim([&](std::int64_t slot) { return is_node[static_cast<std::size_t>(slot)] != 0; });
    return grid;
}

// On pixels, 10 steps of Lanczos' method find a value that is up to a tenth too small, and the
// single smoothing step tolerates what the safety factor does not correct. On cells, 15 steps find
// a value that is up to 2 % too small, and the smoother needs a close bound.
template <int B>
constexpr int lanczos_steps = B == 1 ? 10 : 15;
template <int B>
constexpr double lanczos_safety = B == 1 ? 1.06 : 1.04;

template <int B>
double largest_eigenvalue(const Grid& grid, const float* A, const Context& context) {
    constexpr int steps = lanczos_steps<B>;
    const std::int64_t n = grid.slots();
    Buffer<float> v = zeros<float>(B * n, context), old = zeros<float>(B * n, context);
    Buffer<float> w = zeros<float>(B * n, context);
    Buffer<float> carry = zeros<float>(carry_planes<B> * n, context);
    std::vector<double> part(static_cast<std::size_t>(grid.height()));
    // Calls body for the row of each plane.
    const auto for_parts = [&](std::int64_t y, const auto& body) {
        for_strips(grid, y, [&](const Strip& s, std::int64_t slot) {
            for (int b = 0; b < B; ++b) {
                body(b * n + slot, s.padded(), s.width);
            }
        });
    };
    const auto sum_rows = [&](const auto& row) {
        for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                part[static_cast<std::size_t>(y)] = row(y, y > begin);
            }
        });
        double sum = 0;
        for (const double p : part) {
            sum += p;
        }
        return sum;
    };
    const simd::Kernels& kernels = simd::kernels();
    // The start may be any vector that is not orthogonal to the rough modes. This one is the same
    // on every machine.
    double norm2 = sum_rows([&](std::int64_t y, bool) {
        double sum = 0;
        for_parts(y, [&](std::int64_t at, std::int64_t size, std::int64_t width) {
            for (std::int64_t i = at; i < at + width; ++i) {
                v[i] =
                    static_cast<float>((static_cast<std::uint32_t>(i) * 2654435761u >> 8) & 0xffff) / 65536.0f - 0.5f;
            }
            sum += kernels.dot(size, v.data() + at, v.data() + at);
        });
        return sum;
    });
    Eigen::VectorXd alpha(steps), beta(steps);
    double old_norm = 1;
    int done = 0;
    for (; done < steps && norm2 > 1e-24; ++done) {
        const double norm = std::sqrt(norm2);
        beta[done] = norm;
        const double vw = sum_rows([&](std::int64_t y, bool follows) {
            double sum = 0;
            kernels_for<B>().product(A, n, grid.pieces_begin(y), grid.pieces_end(y), carry.data(), follows, v.data(),
                                     w.data());
            for_parts(y, [&](std::int64_t at, std::int64_t size, std::int64_t) {
                sum += kernels.dot(size, v.data() + at, w.data() + at);
            });
            return sum;
        });
        alpha[done] = vw / norm2;
        const auto a = static_cast<float>(1 / norm);
        const auto b = static_cast<float>(alpha[done] / norm);
        const auto c = done == 0 ? 0.0f : static_cast<float>(norm / old_norm);
        norm2 = sum_rows([&](std::int64_t y, bool) {
            double sum = 0;
            for_parts(y, [&](std::int64_t at, std::int64_t size, std::int64_t) {
                kernels.combine(size, a, w.data() + at, b, v.data() + at, c, old.data() + at);
                sum += kernels.dot(size, old.data() + at, old.data() + at);
            });
            return sum;
        });
        old_norm = norm;
        std::swap(v, old);
    }
    if (done == 0) {
        return 1;
    }
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
    solver.computeFromTridiagonal(alpha.head(done), beta.segment(1, done - 1), Eigen::EigenvaluesOnly);
    return lanczos_safety<B> * solver.eigenvalues().maxCoeff();
}

template <int B>
std::unique_ptr<Smoother<B>> make_smoother(const Grid& grid, const float* A, Buffer<float>&& N,
                                           const Context& context) {
    LevelMatrix<B> matrix{&grid, A, largest_eigenvalue<B>(grid, A, context), A};
    Buffer<float> blocks;
    if constexpr (B > 1) {
        blocks = in_one_piece(matrix, context);
        matrix.blocks = blocks.data();
    }
    Grid below = coarse_grid(grid);
    Buffer<float> R;
    Prolongation<B> P = make_prolongation(matrix, N, below, R, context);
    N = {};
    CoarseMatrix coarse = galerkin<B>(matrix, P, std::move(below), context);
    blocks = {};
    matrix.blocks = nullptr;
    Buffer<float> near_null = scale_to_identity<B>(P, coarse, R.data(), context);
    R = {};
    std::unique_ptr<CoarseSolver> solver;
    if (P.cells.count() <= coarsest_cells) {
        solver = std::make_unique<DenseSolver>(std::move(coarse), context);
    } else {
        solver = std::make_unique<CellSolver>(std::move(coarse), std::move(near_null), context);
    }
    return std::make_unique<Smoother<B>>(matrix, std::move(P), std::move(solver), context);
}

template std::unique_ptr<Smoother<1>> make_smoother(const Grid&, const float*, Buffer<float>&&, const Context&);
// The tests call it.
template double largest_eigenvalue<1>(const Grid&, const float*, const Context&);

}  // namespace trimatte
