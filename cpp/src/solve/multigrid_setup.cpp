#include "multigrid_setup.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include "near_null.hpp"
#include "trimatte/stencil.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t cells_per_cell = 3;  // along a side
constexpr std::int64_t coarsest_cells = 40;

template <int C>
using Block = Eigen::Matrix<double, C, C, Eigen::RowMajor>;

// The forward offsets of a reach, in the order of the planes.
template <int R>
constexpr std::array<std::array<int, 2>, R + R * (2 * R + 1)> forward_offsets() {
    std::array<std::array<int, 2>, R + R * (2 * R + 1)> offsets{};
    std::size_t f = 0;
    for (int dy = 0; dy <= R; ++dy) {
        for (int dx = dy == 0 ? 1 : -R; dx <= R; ++dx) {
            offsets[f++] = {dy, dx};
        }
    }
    return offsets;
}

template <int B>
constexpr int reach_of = B == 1 ? 2 : 1;

template <class Body>
void for_cells(const Grid& grid, std::int64_t cell_row, const Body& body) {
    for (const Strip* s = grid.strips_begin(cell_row); s != grid.strips_end(cell_row); ++s) {
        for (std::int64_t x = s->x; x < s->x + s->width; x += grid.cell()) {
            body(*s, x);
        }
    }
}

// The last level: a dense inverse.
template <int C>
class DenseSolver : public CoarseSolver {
public:
    DenseSolver(CoarseMatrix<C>&& matrix, const Context& context)
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
                        const double a = matrix.A[(static_cast<std::int64_t>(f) * C * C + k) * grid_.slots() + at];
                        const auto u = static_cast<Eigen::Index>(i * C) + k / C;
                        const auto v = static_cast<Eigen::Index>(j * C) + k % C;
                        A(u, v) = A(v, u) = a;
                    }
                }
            }
        }
        // Float32 entries may have lost definiteness by a rounding error.
        A.diagonal().array() += 1e-6;
        const Eigen::LLT<Eigen::MatrixXd> factor(A);
        inverse_ = factor.solve(Eigen::MatrixXd::Identity(n, n)).cast<float>();
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
    std::size_t bytes() const override {
        return grid_.bytes() + b_.bytes() + x_.bytes() + static_cast<std::size_t>(inverse_.size()) * sizeof(float);
    }

private:
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

// A level between the finest and the last.
template <int C>
class CellSolver : public CoarseSolver {
public:
    CellSolver(CoarseMatrix<C>&& matrix, Buffer<float>&& null, const Context& context)
        : grid_(std::move(matrix.grid)),
          A_(std::move(matrix.A)),
          b_(zeros<float>(C * grid_.slots(), context)),
          smoother_(make_smoother<C, C>(grid_, A_.data(), std::move(null), context)) {}

    float* b() override { return b_.data(); }
    const float* x() override { return smoother_->x(); }
    const Grid& grid() const override { return grid_; }
    void cycle() override {
        smoother_->cycle({[this](std::int64_t y) {
                             for_row(y, [&](std::int64_t at, std::int64_t size) {
                                 std::copy_n(b_.data() + at, size, smoother_->r() + at);
                                 simd::kernels().start(size, smoother_->first_step(), smoother_->r() + at,
                                                       smoother_->d() + at, smoother_->x() + at);
                             });
                         }},
                         {});
    }
    bool exact() const override { return false; }
    std::size_t bytes() const override { return grid_.bytes() + A_.bytes() + b_.bytes() + smoother_->bytes(); }

private:
    template <class Body>
    void for_row(std::int64_t y, const Body& body) {
        for (const Strip* s = grid_.strips_begin(y / grid_.cell()); s != grid_.strips_end(y / grid_.cell()); ++s) {
            for (int c = 0; c < C; ++c) {
                body(c * grid_.slots() + s->slot + y % grid_.cell() * s->stride, Smoother<C, C>::padded(*s));
            }
        }
    }
    Grid grid_;
    Buffer<float> A_;
    Buffer<float> b_;
    std::unique_ptr<Smoother<C, C>> smoother_;
};

// Makes the diagonal blocks D = G G^T identities: the coarse unknowns e become G^T e. T becomes T G^-T, the coarse
// near-null vectors G^T R, an off-diagonal block G_i^-1 A_ij G_j^-T.
template <int B, int C>
void scale_to_identity(const Grid& fine, float* T, CoarseMatrix<C>& coarse, float* null, const Context& context) {
    const Grid& grid = coarse.grid;
    const std::int64_t n = grid.slots();
    Buffer<float> inverse = zeros<float>(C * C * n, context);  // of G
    for_rows(grid, context, [&](std::int64_t y_begin, std::int64_t y_end) {
        for (std::int64_t cy = y_begin; cy < y_end; ++cy) {
            for_cells(fine, cy, [&](const Strip&, std::int64_t x) {
                const std::int64_t at = grid.slot(cy, x / fine.cell());
                Block<C> D, R;
                for (int k = 0; k < C * C; ++k) {
                    D(k / C, k % C) = coarse.diagonal[k * n + at];
                    R(k / C, k % C) = null[k * n + at];
                }
                for (int u = 0; u < C; ++u) {
                    if (D(u, u) <= 0) {  // a column that was dropped, or lost to rounding
                        D.row(u).setZero();
                        D.col(u).setZero();
                        D(u, u) = 1;
                    }
                }
                Block<C> G = Block<C>::Zero();
                const Eigen::LLT<Block<C>> factor(D);
                if (factor.info() == Eigen::Success) {
                    G = factor.matrixL();
                } else {
                    G.diagonal() = D.diagonal().cwiseSqrt();
                }
                const Block<C> G_inverse =
                    G.template triangularView<Eigen::Lower>().solve(Block<C>(Block<C>::Identity()));
                const Block<C> scaled = G.transpose() * R;
                for (int k = 0; k < C * C; ++k) {
                    inverse[k * n + at] = static_cast<float>(G_inverse(k / C, k % C));
                    null[k * n + at] = static_cast<float>(scaled(k / C, k % C));
                }
            });
        }
    });
    const auto block_at = [n](const Buffer<float>& planes, std::int64_t first, std::int64_t at) {
        Eigen::Matrix<float, C, C, Eigen::RowMajor> a;
        for (int k = 0; k < C * C; ++k) {
            a(k / C, k % C) = planes[(first + k) * n + at];
        }
        return a;
    };
    constexpr auto offsets = forward_offsets<1>();
    for_rows(grid, context, [&](std::int64_t y_begin, std::int64_t y_end) {
        for (std::int64_t cy = y_begin; cy < y_end; ++cy) {
            for_cells(fine, cy, [&](const Strip& s, std::int64_t x) {
                const std::int64_t cx = x / fine.cell();
                const std::int64_t at = grid.slot(cy, cx);
                const auto left = block_at(inverse, 0, at);
                for (std::size_t f = 0; f < offsets.size(); ++f) {
                    const std::int64_t other = grid.slot(cy + offsets[f][0], cx + offsets[f][1]);
                    if (other < 0) {
                        continue;
                    }
                    const auto plane = static_cast<std::int64_t>(f) * C * C;
                    const Eigen::Matrix<float, C, C, Eigen::RowMajor> scaled =
                        left * block_at(coarse.A, plane, at) * block_at(inverse, 0, other).transpose();
                    for (int k = 0; k < C * C; ++k) {
                        coarse.A[(plane + k) * n + at] = scaled(k / C, k % C);
                    }
                }
                for (int b = 0; b < B; ++b) {
                    for (std::int64_t y = 0; y < fine.cell(); ++y) {
                        float* row = T + b * C * fine.slots() + s.slot + y * s.stride + x - s.x;
                        for (std::int64_t i = 0; i < fine.cell(); ++i) {
                            float old[C];
                            for (int c = 0; c < C; ++c) {
                                old[c] = row[c * fine.slots() + i];
                            }
                            for (int c = 0; c < C; ++c) {
                                float sum = 0;
                                for (int d = 0; d <= c; ++d) {
                                    sum += old[d] * left(c, d);
                                }
                                row[c * fine.slots() + i] = sum;
                            }
                        }
                    }
                }
            });
        }
    });
}

}  // namespace

Grid coarse_grid(const Grid& fine) {
    const std::int64_t height = fine.cell_rows();
    const std::int64_t width = fine.cell_columns();
    const std::int64_t cell = cells_per_cell;
    const std::int64_t columns = (width + cell - 1) / cell;
    std::vector<std::uint8_t> active(static_cast<std::size_t>((height + cell - 1) / cell * columns), 0);
    for (std::int64_t cy = 0; cy < height; ++cy) {
        for_cells(fine, cy, [&](const Strip&, std::int64_t x) {
            active[static_cast<std::size_t>(cy / cell * columns + x / fine.cell() / cell)] = 1;
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

template <int B>
double largest_eigenvalue(const Grid& grid, const float* A, const Context& context) {
    constexpr int steps = 8;
    const std::int64_t n = grid.slots();
    Buffer<float> v = zeros<float>(B * n, context), old = zeros<float>(B * n, context);
    Buffer<float> w = zeros<float>(B * n, context);
    std::vector<double> part(static_cast<std::size_t>(grid.height()));
    const auto for_strips = [&](std::int64_t y, const auto& body) {
        for (const Strip* s = grid.strips_begin(y / grid.cell()); s != grid.strips_end(y / grid.cell()); ++s) {
            for (int b = 0; b < B; ++b) {
                body(b * n + s->slot + y % grid.cell() * s->stride, Smoother<B, 4>::padded(*s), s->width);
            }
        }
    };
    const auto sum_rows = [&](const auto& row) {
        for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t y = begin; y < end; ++y) {
                part[static_cast<std::size_t>(y)] = row(y);
            }
        });
        double sum = 0;
        for (const double p : part) {
            sum += p;
        }
        return sum;
    };
    const simd::Kernels& kernels = simd::kernels();
    // Any vector that is not orthogonal to the rough modes; this one is the same on every machine.
    double norm2 = sum_rows([&](std::int64_t y) {
        double sum = 0;
        for_strips(y, [&](std::int64_t at, std::int64_t size, std::int64_t width) {
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
        const double vw = sum_rows([&](std::int64_t y) {
            double sum = 0;
            kernels_for<B>().product(A, n, grid.pieces_begin(y), grid.pieces_end(y), v.data(), w.data());
            for_strips(y, [&](std::int64_t at, std::int64_t size, std::int64_t) {
                sum += kernels.dot(size, v.data() + at, w.data() + at);
            });
            return sum;
        });
        alpha[done] = vw / norm2;
        const auto a = static_cast<float>(1 / norm);
        const auto b = static_cast<float>(alpha[done] / norm);
        const auto c = done == 0 ? 0.0f : static_cast<float>(norm / old_norm);
        norm2 = sum_rows([&](std::int64_t y) {
            double sum = 0;
            for_strips(y, [&](std::int64_t at, std::int64_t size, std::int64_t) {
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
    return 1.1 * solver.eigenvalues().maxCoeff();
}

template <int B, int C>
Buffer<float> orthonormalise_cells(const Grid& grid, float* N, const Grid& coarse, const Context& context) {
    const std::int64_t k = grid.cell();
    Buffer<float> R = zeros<float>(C * C * coarse.slots(), context);
    for_cell_rows(grid, context, [&](std::int64_t cy) {
        std::vector<double> rows(static_cast<std::size_t>(k * k * B * C));
        for_cells(grid, cy, [&](const Strip& s, std::int64_t x) {
            const auto for_entries = [&](const auto& body) {
                std::size_t i = 0;
                for (std::int64_t y = 0; y < k; ++y) {
                    for (std::int64_t dx = 0; dx < k; ++dx) {
                        for (int p = 0; p < B * C; ++p) {
                            body(rows[i++], N[p * grid.slots() + s.slot + y * s.stride + x - s.x + dx]);
                        }
                    }
                }
            };
            for_entries([](double& row, float value) { row = static_cast<double>(value); });
            double factor[C * C];
            orthonormalise<C>(rows.data(), k * k * B, factor);
            for_entries([](double row, float& value) { value = static_cast<float>(row); });
            const std::int64_t at = coarse.slot(cy, x / k);
            for (int p = 0; p < C * C; ++p) {
                R[p * coarse.slots() + at] = static_cast<float>(factor[p]);
            }
        });
    });
    return R;
}

// One cell j after the other: T, A T, A A T on the cell and what they reach; then P_i^T A P_j with the cells i whose
// forward neighbour j is.
template <int B, int C>
CoarseMatrix<C> galerkin(const LevelMatrix<B>& fine, const float* T, const Context& context) {
    constexpr int R = reach_of<B>;
    constexpr auto offsets = forward_offsets<R>();
    constexpr auto coarse_offsets = forward_offsets<1>();
    const Grid& grid = *fine.grid;
    const std::int64_t n = grid.slots();
    const std::int64_t k = grid.cell();
    const std::int64_t side = k + 4 * R;  // of the patch that A P of a cell covers
    CoarseMatrix<C> coarse{coarse_grid(grid), {}, {}};
    const std::int64_t cells = coarse.grid.slots();
    coarse.diagonal = zeros<float>(C * C * cells, context);
    coarse.A = zeros<float>(static_cast<std::int64_t>(coarse_offsets.size()) * C * C * cells, context);

    const std::int64_t patch = side * side * B * C;
    std::vector<float> P_of(static_cast<std::size_t>(patch * cells));  // on the same patch
    const auto make_patches = [&](std::int64_t cy, std::int64_t x, float* P, float* AP) {
        std::vector<std::int64_t> slot(static_cast<std::size_t>(side * side));
        std::vector<float> M(static_cast<std::size_t>(patch), 0.0f);
        std::fill(P, P + patch, 0.0f);
        std::fill(AP, AP + patch, 0.0f);
        for (std::int64_t i = 0; i < side * side; ++i) {
            const std::int64_t y = i / side - 2 * R;
            const std::int64_t dx = i % side - 2 * R;
            const std::int64_t at = grid.slot(cy * k + y, x + dx);
            slot[static_cast<std::size_t>(i)] = at;
            if (y >= 0 && y < k && dx >= 0 && dx < k) {
                for (int p = 0; p < B * C; ++p) {
                    P[i * B * C + p] = T[p * n + at];
                }
            }
        }
        // out += A in, where `in` is zero on the outer `border` nodes of the patch.
        const auto add_product = [&](const float* in, std::int64_t border, float* out) {
            const auto inside = [&](std::int64_t y, std::int64_t x_there) {
                return std::min(y, x_there) >= border && std::max(y, x_there) < side - border;
            };
            for (std::int64_t i = 0; i < side * side; ++i) {
                const std::int64_t at = slot[static_cast<std::size_t>(i)];
                if (at < 0) {
                    continue;
                }
                const bool from_i = inside(i / side, i % side);
                const float* in_i = in + i * B * C;
                float* out_i = out + i * B * C;
                for (int p = 0; p < B * C; ++p) {
                    out_i[p] += in_i[p];
                }
                for (std::size_t f = 0; f < offsets.size(); ++f) {
                    const std::int64_t y = i / side + offsets[f][0];
                    const std::int64_t x_there = i % side + offsets[f][1];
                    if (y >= side || x_there < 0 || x_there >= side) {
                        continue;
                    }
                    const std::int64_t j = y * side + x_there;
                    const bool from_j = inside(y, x_there);
                    if (!from_i && !from_j) {
                        continue;
                    }
                    float a[B * B];
                    for (int p = 0; p < B * B; ++p) {
                        a[p] = fine.A[(static_cast<std::int64_t>(f) * B * B + p) * n + at];
                    }
                    const float* in_j = in + j * B * C;
                    float* out_j = out + j * B * C;
                    for (int u = 0; u < B; ++u) {
                        float ahead[C] = {}, back[C] = {};
                        for (int v = 0; v < B; ++v) {
                            for (int c = 0; c < C; ++c) {
                                ahead[c] += a[u * B + v] * in_j[v * C + c];
                                back[c] += a[v * B + u] * in_i[v * C + c];
                            }
                        }
                        for (int c = 0; c < C; ++c) {
                            out_i[u * C + c] += ahead[c];
                            out_j[u * C + c] += back[c];
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
    // P_i^T A P_j, the patch of i lying (dy, dx) nodes from that of j.
    const auto contract = [&](const float* P, const float* AP, std::int64_t dy, std::int64_t dx, double* out) {
        std::fill(out, out + C * C, 0.0);
        for (std::int64_t y = std::max<std::int64_t>(0, dy); y < std::min(side, side + dy); ++y) {
            for (std::int64_t x = std::max<std::int64_t>(0, dx); x < std::min(side, side + dx); ++x) {
                for (int b = 0; b < B; ++b) {
                    const float* p = P + (((y - dy) * side + x - dx) * B + b) * C;
                    const float* ap = AP + ((y * side + x) * B + b) * C;
                    for (int u = 0; u < C; ++u) {
                        for (int v = 0; v < C; ++v) {
                            out[u * C + v] += static_cast<double>(p[u]) * ap[v];
                        }
                    }
                }
            }
        }
    };
    Buffer<float> AP_of(patch * cells);
    for_cell_rows(grid, context, [&](std::int64_t cy) {
        for_cells(grid, cy, [&](const Strip&, std::int64_t x) {
            const std::int64_t j = coarse.grid.slot(cy, x / k);
            make_patches(cy, x, P_of.data() + j * patch, AP_of.data() + j * patch);
        });
    });
    for_cell_rows(grid, context, [&](std::int64_t cy) {
        for_cells(grid, cy, [&](const Strip&, std::int64_t x) {
            const std::int64_t j = coarse.grid.slot(cy, x / k);
            const float* AP = AP_of.data() + j * patch;
            double block[C * C];
            contract(P_of.data() + j * patch, AP, 0, 0, block);
            for (int p = 0; p < C * C; ++p) {
                coarse.diagonal[p * cells + j] = static_cast<float>(0.5 * (block[p] + block[p % C * C + p / C]));
            }
            for (std::size_t f = 0; f < coarse_offsets.size(); ++f) {
                const std::int64_t i = coarse.grid.slot(cy - coarse_offsets[f][0], x / k - coarse_offsets[f][1]);
                if (i < 0) {
                    continue;
                }
                contract(P_of.data() + i * patch, AP, -k * coarse_offsets[f][0], -k * coarse_offsets[f][1], block);
                for (int p = 0; p < C * C; ++p) {
                    coarse.A[(static_cast<std::int64_t>(f) * C * C + p) * cells + i] = static_cast<float>(block[p]);
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
            for (const Strip* s = grid.strips_begin(cy); s != grid.strips_end(cy); ++s) {
                for (std::int64_t x = s->x; x < s->x + s->width; x += k) {
                    const std::int64_t in_chunk = (x - s->x) % (chunk * k);
                    if (in_chunk == 0) {
                        lay_out(cy, x - margin);
                    }
                    const std::int64_t cx = x / k;
                    float* mine = P.data() + cx * P_size;
                    kernels.patches(S.data() + in_chunk + margin - 5, width, T + s->slot + x - s->x, n, s->stride,
                                    fine.omega(), mine, only_P ? nullptr : AP.data());
                    if (only_P) {
                        continue;
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
                    if (x > s->x) {
                        couple(P.data(), 0, 0, -1);
                    }
                    for (int dx = -1; dx <= 1; ++dx) {
                        if (grid.slot(cy * k - 1, x + dx * k) >= 0) {
                            couple(P_above.data(), 2 - dx, -1, dx);
                        }
                    }
                }
            }
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

template <int B, int C>
std::unique_ptr<Smoother<B, C>> make_smoother(const Grid& grid, const float* A, Buffer<float>&& N,
                                              const Context& context) {
    const LevelMatrix<B> matrix{&grid, A, largest_eigenvalue<B>(grid, A, context)};
    Buffer<float> T = std::move(N);
    Grid below = coarse_grid(grid);
    Buffer<float> null = orthonormalise_cells<B, C>(grid, T.data(), below, context);
    CoarseMatrix<C> coarse;
    if constexpr (B == 1) {
        coarse = galerkin_of_pixels<C>(matrix, T.data(), context);
    } else {
        coarse = galerkin<B, C>(matrix, T.data(), context);
    }
    scale_to_identity<B, C>(grid, T.data(), coarse, null.data(), context);
    std::int64_t cells = 0;
    for (std::int64_t cy = 0; cy < grid.cell_rows(); ++cy) {
        for_cells(grid, cy, [&](const Strip&, std::int64_t) { ++cells; });
    }
    std::unique_ptr<CoarseSolver> solver;
    if (cells <= coarsest_cells) {
        solver = std::make_unique<DenseSolver<C>>(std::move(coarse), context);
    } else {
        solver = std::make_unique<CellSolver<C>>(std::move(coarse), std::move(null), context);
    }
    return std::make_unique<Smoother<B, C>>(matrix, std::move(T), std::move(solver), context);
}

template std::unique_ptr<Smoother<1, 4>> make_smoother(const Grid&, const float*, Buffer<float>&&, const Context&);
template std::unique_ptr<Smoother<1, 5>> make_smoother(const Grid&, const float*, Buffer<float>&&, const Context&);
// For the tests:
template double largest_eigenvalue<1>(const Grid&, const float*, const Context&);
template Buffer<float> orthonormalise_cells<1, 4>(const Grid&, float*, const Grid&, const Context&);
template Buffer<float> orthonormalise_cells<4, 4>(const Grid&, float*, const Grid&, const Context&);
template CoarseMatrix<4> galerkin_of_pixels(const LevelMatrix<1>&, const float*, const Context&);
template CoarseMatrix<4> galerkin<1, 4>(const LevelMatrix<1>&, const float*, const Context&);
template CoarseMatrix<4> galerkin<4, 4>(const LevelMatrix<4>&, const float*, const Context&);

}  // namespace trimatte
