#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "reference/dense_solve.hpp"
#include "reference/orthonormal.hpp"
#include "solve/multigrid/hierarchy.hpp"
#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"
#include "trimatte/stencil.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// A picture of smooth colours with a little noise. All pixels are unknown except the outer columns
// and a hole.
Problem matting_problem(std::int64_t height, std::int64_t width) {
    Picture image(height, width, 3);
    Random random(5);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            for (int c = 0; c < 3; ++c) {
                image.at(y, x, c) = 0.4 + 0.2 * std::sin(0.3 * static_cast<double>((c + 1) * x + y)) + 0.02 * random();
            }
        }
    }
    std::vector<Label> labels = columns_known(height, width);
    for (std::int64_t y = 2; y < 5; ++y) {
        labels[static_cast<std::size_t>(y * width + 4)] = Label::foreground;
    }
    Monitor monitor;
    return closed_form(image.view(), labels.data(), {1e-5, 1, 1, false}, monitor);
}

SolveOptions to(double tolerance, int threads = 1, std::int64_t max_iterations = 1000) {
    return {Solver::multigrid, 0, max_iterations, threads, tolerance};
}

// The B numbers of a node follow each other in the dense matrices below.

// Makes the dense matrix column by column, with the kernel that multiplies.
template <int B>
Eigen::MatrixXd dense_operator(const Grid& grid, const float* A) {
    const auto slots = places(grid);
    const auto n = static_cast<Eigen::Index>(slots.size()) * B;
    Eigen::MatrixXd full(n, n);
    for (Eigen::Index j = 0; j < n; ++j) {
        std::vector<float> v(static_cast<std::size_t>(B * grid.slots()), 0.0f), Av(v);
        std::vector<float> carry(static_cast<std::size_t>(carry_planes<B> * grid.slots()), 0.0f);
        v[static_cast<std::size_t>(j % B * grid.slots() + slots[static_cast<std::size_t>(j / B)])] = 1;
        for (std::int64_t y = 0; y < grid.height(); ++y) {
            kernels_for<B>().product(A, grid.slots(), grid.pieces_begin(y), grid.pieces_end(y), carry.data(),
                                     y % 3 != 0, v.data(), Av.data());
        }
        for (Eigen::Index i = 0; i < n; ++i) {
            full(i, j) = Av[static_cast<std::size_t>(i % B * grid.slots() + slots[static_cast<std::size_t>(i / B)])];
        }
    }
    return full;
}

// The near-null vectors as a dense matrix: (numbers of all nodes) x columns.
template <int B>
Eigen::MatrixXd dense_vectors(const Grid& grid, const Buffer<float>& N) {
    const auto slots = places(grid);
    Eigen::MatrixXd full(static_cast<Eigen::Index>(slots.size()) * B, columns);
    for (Eigen::Index i = 0; i < full.rows(); ++i) {
        for (int c = 0; c < columns; ++c) {
            full(i, c) = N[(i % B * columns + c) * grid.slots() + slots[static_cast<std::size_t>(i / B)]];
        }
    }
    return full;
}

// Makes P dense column by column, with interpolate: (numbers of all nodes) x (columns of all
// cells), with the cells in the order of their numbers.
template <int B>
Eigen::MatrixXd dense_prolongation(const Grid& grid, const Prolongation<B>& P, const Context& context) {
    const auto slots = places(grid);
    Eigen::MatrixXd full(static_cast<Eigen::Index>(slots.size()) * B, P.cells.count() * columns);
    for (Eigen::Index j = 0; j < full.cols(); ++j) {
        std::vector<float> e(static_cast<std::size_t>(full.cols() + columns), 0.0f);
        std::vector<float> u(static_cast<std::size_t>(B * grid.slots()), 0.0f);
        e[static_cast<std::size_t>(columns + j)] = 1;
        P.interpolate(grid, e.data(), u.data(), context);
        for (Eigen::Index i = 0; i < full.rows(); ++i) {
            const auto at = static_cast<std::size_t>(i % B * grid.slots() + slots[static_cast<std::size_t>(i / B)]);
            full(i, j) = u[at];
        }
    }
    return full;
}

// The factors R of all cells, one above the other.
template <int B>
Eigen::MatrixXd dense_factors(const Prolongation<B>& P, const Buffer<float>& R) {
    Eigen::MatrixXd full(P.cells.count() * columns, columns);
    for (Eigen::Index i = 0; i < full.rows(); ++i) {
        for (int c = 0; c < columns; ++c) {
            full(i, c) = R[(columns + i) * columns + c];
        }
    }
    return full;
}

// The cells are in the order of their numbers.
template <int B>
Eigen::MatrixXd dense_blocks(const CoarseMatrix& coarse, const Prolongation<B>& P) {
    const auto slots = places(coarse.grid);
    Eigen::MatrixXd full = dense_operator<columns>(coarse.grid, coarse.A.data());
    Eigen::MatrixXd sorted(P.cells.count() * columns, P.cells.count() * columns);
    std::vector<Eigen::Index> row_of;  // the row of each cell in `full`
    for (std::int32_t i = 1; i <= P.cells.count(); ++i) {
        const auto at = std::find(slots.begin(), slots.end(), P.cells[i].coarse) - slots.begin();
        row_of.push_back(static_cast<Eigen::Index>(at) * columns);
        for (int p = 0; p < columns * columns; ++p) {
            full(row_of.back() + p / columns, row_of.back() + p % columns) =
                coarse.diagonal[p * coarse.grid.slots() + P.cells[i].coarse];
        }
    }
    for (std::size_t i = 0; i < row_of.size(); ++i) {
        for (std::size_t j = 0; j < row_of.size(); ++j) {
            sorted.block<columns, columns>(static_cast<Eigen::Index>(i) * columns,
                                           static_cast<Eigen::Index>(j) * columns) =
                full.block<columns, columns>(row_of[i], row_of[j]);
        }
    }
    return sorted;
}

// Returns the cells that share a node with cell i, and their shares of it.
std::vector<std::pair<std::int32_t, double>> shares(const Cells& cells, std::int64_t k, std::int32_t i, std::int64_t y,
                                                    std::int64_t x) {
    const int dy = y == 0 ? -1 : y == k - 1 ? 1 : 0;
    const int dx = x == 0 ? -1 : x == k - 1 ? 1 : 0;
    const std::int32_t beside = dx == 0 ? 0 : cells.neighbour(i, 0, dx);
    std::vector<std::pair<std::int32_t, double>> all;
    for (const auto& [cell, part] : {std::pair{i, beside == 0 ? 1 : 2.0 / 3}, std::pair{beside, 1.0 / 3}}) {
        const std::int32_t other = dy == 0 || cell == 0 ? 0 : cells.neighbour(cell, dy, 0);
        if (cell != 0) {
            all.emplace_back(cell, other == 0 ? part : part * 2 / 3);
        }
        if (other != 0) {
            all.emplace_back(other, part / 3);
        }
    }
    return all;
}

// The twin of make_prolongation with dense matrices in double; rows and columns are those of
// dense_prolongation.
template <int B>
Eigen::MatrixXd slow_prolongation(const Grid& grid, const Cells& cells, const Eigen::MatrixXd& A,
                                  const Eigen::MatrixXd& N, double lmax, bool with_steps) {
    const auto slots = places(grid);
    const std::int64_t k = grid.cell();
    Eigen::MatrixXd P = Eigen::MatrixXd::Zero(N.rows(), cells.count() * columns);
    Eigen::MatrixXd R = Eigen::MatrixXd::Zero(P.cols(), columns);
    // Calls body(row of the first number of the node, shares).
    const auto for_nodes = [&](const auto& body) {
        for (std::int32_t i = 1; i <= cells.count(); ++i) {
            for (std::int64_t y = 0; y < k; ++y) {
                for (std::int64_t x = 0; x < k; ++x) {
                    const auto at = std::find(slots.begin(), slots.end(), cells[i].slot + y * cells[i].stride + x);
                    if (at != slots.end()) {
                        body((at - slots.begin()) * B, shares(cells, k, i, y, x));
                    }
                }
            }
        }
    };
    for_nodes([&](Eigen::Index row, const auto& all) {
        for (const auto& [cell, part] : all) {
            P.block<B, columns>(row, (cell - 1) * columns) = part * N.middleRows<B>(row);
        }
    });
    using Square = Eigen::Matrix<double, columns, columns, Eigen::RowMajor>;
    for (Eigen::Index i = 0; i < P.cols(); i += columns) {
        const Square gram = P.middleCols<columns>(i).transpose() * P.middleCols<columns>(i);
        const Orthonormal<columns> factor(gram.data());
        P.middleCols<columns>(i) *= Eigen::Map<const Square>(factor.W[0]);
        R.middleRows<columns>(i) = Eigen::Map<const Square>(factor.R[0]);
    }
    for (std::size_t s = 0; with_steps && s < energy_steps<B>.size(); ++s) {
        const Eigen::MatrixXd gradient = A * P;
        for_nodes([&](Eigen::Index row, const auto& all) {
            const auto count = static_cast<Eigen::Index>(all.size());
            Eigen::MatrixXd factors(count * columns, columns), change(B, count * columns);
            for (Eigen::Index j = 0; j < count; ++j) {
                const Eigen::Index at = (all[static_cast<std::size_t>(j)].first - 1) * columns;
                factors.middleRows<columns>(j * columns) = R.middleRows<columns>(at);
                change.middleCols<columns>(j * columns) = gradient.block<B, columns>(row, at);
            }
            const Square gram = factors.transpose() * factors;
            const Orthonormal<columns> basis(gram.data());
            const Eigen::MatrixXd Q = factors * Eigen::Map<const Square>(basis.W[0]);
            change -= (change * Q * Q.transpose()).eval();
            for (Eigen::Index j = 0; j < count; ++j) {
                const Eigen::Index at = (all[static_cast<std::size_t>(j)].first - 1) * columns;
                P.block<B, columns>(row, at) -= energy_steps<B>[s] / lmax * change.middleCols<columns>(j * columns);
            }
        });
    }
    return P;
}

// Checks that P equals its twin, keeps the near-null vectors, has less energy than without its
// steps, and restricts by the transpose of its interpolation, and that the coarse matrix equals the
// dense one. Returns P^T A P and the near-null vectors in planes of its grid.
template <int B>
CoarseMatrix check_level(const LevelMatrix<B>& matrix, const Buffer<float>& N, Buffer<float>& coarse_N,
                         const Context& context) {
    const Grid& grid = *matrix.grid;
    Buffer<float> R;
    Prolongation<B> P = make_prolongation(matrix, N, coarse_grid(grid), R, context);
    CoarseMatrix coarse = galerkin<B>(matrix, P, coarse_grid(grid), context);
    float identity[columns * columns][Strip::lanes] = {};
    for (int c = 0; c < columns; ++c) {
        std::fill_n(identity[c * columns + c], Strip::lanes, 1.0f);
    }
    for_groups<B>(P.cells, context, [&](const simd::CellGroup& group) {
        kernels_for<B>().finish_patches(group, identity[0], P.patches.data());
    });
    const Eigen::MatrixXd full = dense_prolongation<B>(grid, P, context);
    const Eigen::MatrixXd vectors = dense_vectors<B>(grid, N);
    CHECK((full * dense_factors<B>(P, R) - vectors).cwiseAbs().maxCoeff() < 1e-5 * vectors.cwiseAbs().maxCoeff());

    const Eigen::MatrixXd A = dense_operator<B>(grid, matrix.A);
    CHECK((full - slow_prolongation<B>(grid, P.cells, A, vectors, matrix.lmax, true)).cwiseAbs().maxCoeff() < 1e-4);
    const Eigen::MatrixXd blend = slow_prolongation<B>(grid, P.cells, A, vectors, matrix.lmax, false);
    CHECK((full.transpose() * A * full).trace() < 0.9 * (blend.transpose() * A * blend).trace());

    const auto slots = places(grid);
    Eigen::VectorXd r(full.rows());
    Random random(7);
    std::vector<float> r_slots(static_cast<std::size_t>(B * grid.slots()), 0.0f);
    for (Eigen::Index i = 0; i < r.size(); ++i) {
        const auto at = static_cast<std::size_t>(i % B * grid.slots() + slots[static_cast<std::size_t>(i / B)]);
        r_slots[at] = static_cast<float>(random() - 0.5);
        r[i] = r_slots[at];
    }
    std::vector<float> restricted(static_cast<std::size_t>(columns * coarse.grid.slots()), 0.0f);
    P.restrict_to_cells(grid, r_slots.data(), restricted.data(), coarse.grid.slots(), context);
    const Eigen::VectorXd expected = full.transpose() * r;
    for (std::int32_t i = 1; i <= P.cells.count(); ++i) {
        for (int c = 0; c < columns; ++c) {
            CHECK(restricted[static_cast<std::size_t>(c * coarse.grid.slots() + P.cells[i].coarse)] ==
                  doctest::Approx(expected[(i - 1) * columns + c]).epsilon(1e-4));
        }
    }

    CHECK((dense_blocks<B>(coarse, P) - full.transpose() * A * full).cwiseAbs().maxCoeff() < 1e-5);
    coarse_N = zeros<float>(columns * columns * coarse.grid.slots(), context);
    for (std::int32_t i = 1; i <= P.cells.count(); ++i) {
        for (int p = 0; p < columns * columns; ++p) {
            coarse_N[p * coarse.grid.slots() + P.cells[i].coarse] = R[columns * columns * std::int64_t{i} + p];
        }
    }
    return coarse;
}

Buffer<float> near_null_of(const Stencil& stencil) {
    const std::int64_t n = stencil.grid.slots();
    Buffer<float> N(4 * n);
    for (std::int64_t i = 0; i < n; ++i) {
        const double inverse = stencil.scale[i] > 0 ? 1 / stencil.scale[i] : 0;
        N[i] = static_cast<float>(inverse);
        for (int c = 0; c < 3; ++c) {
            N[(c + 1) * n + i] = stencil.scale[i] > 0 ? static_cast<float>(stencil.colours[c * n + i] * inverse) : 0.0f;
        }
    }
    return N;
}

}  // namespace

TEST_CASE("vectors become orthonormal by their Gram matrix; one that depends on others becomes zero") {
    Random random(1);
    Eigen::MatrixXd X(30, 4);
    for (Eigen::Index i = 0; i < X.rows(); ++i) {
        X.row(i) << 1, 0.5 + 0.01 * random(), random(), 0;
        X(i, 3) = 2 * X(i, 1) - 0.3;
    }
    const Eigen::Matrix<double, 4, 4, Eigen::RowMajor> gram = X.transpose() * X;
    const Orthonormal<4> factor(gram.data());
    using Square = Eigen::Matrix<double, 4, 4, Eigen::RowMajor>;
    const Eigen::MatrixXd T = X * Eigen::Map<const Square>(factor.W[0]);
    Eigen::Matrix4d expected = Eigen::Matrix4d::Identity();
    expected(3, 3) = 0;
    CHECK((T.transpose() * T - expected).cwiseAbs().maxCoeff() < 1e-8);
    CHECK((T * Eigen::Map<const Square>(factor.R[0]) - X).cwiseAbs().maxCoeff() < 1e-8);
}

TEST_CASE("prolongation and coarse matrix equal their dense twins, on pixels and on cells") {
    // The picture has a hole, and corners where fewer than four cells meet.
    const Problem problem = matting_problem(25, 31);
    Picture image(37, 45, 3);
    Random random(5);
    std::vector<Label> labels(static_cast<std::size_t>(37 * 45), Label::background);
    for (std::int64_t y = 0; y < 37; ++y) {
        for (std::int64_t x = 0; x < 45; ++x) {
            for (int c = 0; c < 3; ++c) {
                image.at(y, x, c) = 0.4 + 0.2 * std::sin(0.3 * static_cast<double>((c + 1) * x + y)) + 0.05 * random();
            }
            const bool ring = std::abs((y - 18) * (y - 18) + (x - 20) * (x - 20) - 200) < 60;
            if (ring || (y > 30 && x > 30) || (x > 38 && y % 9 == 0)) {
                labels[static_cast<std::size_t>(y * 45 + x)] = Label::unknown;
            }
        }
    }
    labels[0] = Label::foreground;
    Monitor monitor;
    const Problem ragged = closed_form(image.view(), labels.data(), {1e-5, 1, 1, false}, monitor);
    for (const Problem* each : {&problem, &ragged}) {
        const Stencil stencil = make_stencil(*each);
        const Context context{2, monitor};
        const LevelMatrix<1> matrix{&stencil.grid, stencil.hi.data(), 2.4, stencil.hi.data()};
        Buffer<float> N2, N3;
        const CoarseMatrix second = check_level<1>(matrix, near_null_of(stencil), N2, context);
        LevelMatrix<columns> matrix2{&second.grid, second.A.data(), 4, nullptr};
        const Buffer<float> blocks = in_one_piece(matrix2, context);
        matrix2.blocks = blocks.data();
        check_level<columns>(matrix2, N2, N3, context);
    }
}

TEST_CASE("the product in double is that of hi + lo") {
    const Problem problem = matting_problem(30, 41);
    const Stencil stencil = make_stencil(problem);
    const Grid& grid = stencil.grid;
    Eigen::VectorXd x(problem.unknowns()), scale(problem.unknowns());
    Random random(3);
    std::vector<double> v(static_cast<std::size_t>(grid.slots()), 0.0), Av(v);
    std::vector<std::int64_t> slot;
    for (std::int64_t i = 0; i < problem.unknowns(); ++i) {
        slot.push_back(grid.slot(problem.pixel[i] / problem.width, problem.pixel[i] % problem.width));
        x[i] = random() - 0.5;
        scale[i] = stencil.scale[slot.back()];
        v[static_cast<std::size_t>(slot.back())] = x[i];
    }
    for (std::int64_t y = 0; y < grid.height(); ++y) {
        simd::kernels().wide_product(stencil.hi.data(), stencil.lo.data(), grid.slots(), grid.pieces_begin(y),
                                     grid.pieces_end(y), v.data(), Av.data());
    }
    const Eigen::VectorXd expected = scale.asDiagonal() * (dense(problem.matrix) * (scale.asDiagonal() * x));
    for (std::int64_t i = 0; i < problem.unknowns(); ++i) {
        CHECK(Av[static_cast<std::size_t>(slot[static_cast<std::size_t>(i)])] ==
              doctest::Approx(expected[i]).epsilon(1e-11));
    }
}

TEST_CASE("the largest eigenvalue is found from above, closely") {
    const Stencil stencil = make_stencil(matting_problem(20, 25));
    Monitor monitor;
    const double exact = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(
                             dense_operator<1>(stencil.grid, stencil.hi.data()), Eigen::EigenvaluesOnly)
                             .eigenvalues()
                             .maxCoeff();
    const double found = largest_eigenvalue<1>(stencil.grid, stencil.hi.data(), {1, monitor});
    CHECK(found >= exact);
    CHECK(found <= 1.1 * exact);
}

TEST_CASE("the solution is within the tolerance of a dense LDLT") {
    const Problem problem = matting_problem(40, 47);
    const Eigen::VectorXd exact = dense_solve(dense(problem.matrix), dense(problem.rhs));
    for (const double tolerance : {1e-1, 1e-3, 1e-5}) {
        Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
        Monitor monitor;
        const SolveInfo info = multigrid(problem, to(tolerance), x.data(), monitor);
        CHECK(info.solver == Solver::multigrid);
        CHECK(info.converged);
        CHECK((x - exact).cwiseAbs().maxCoeff() <= tolerance);
        CHECK(info.error_estimate <= tolerance);
    }
}

TEST_CASE("any number of threads gives the same bits") {
    // The first has one band of cells, the second several.
    for (const auto& [height, width] : {std::pair{90, 200}, {500, 100}}) {
        const Problem problem = matting_problem(height, width);
        std::vector<Eigen::VectorXd> results;
        for (const int threads : {1, 2, 7}) {
            Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
            Monitor monitor;
            multigrid(problem, to(1e-3, threads), x.data(), monitor);
            results.push_back(x);
        }
        CHECK(results[1] == results[0]);
        CHECK(results[2] == results[0]);
    }
}

TEST_CASE("it says when it has not converged, and refuses what it cannot do") {
    Problem problem = matting_problem(40, 47);
    Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
    Monitor monitor;
    const SolveInfo info = multigrid(problem, to(1e-9, 1, 2), x.data(), monitor);
    CHECK_FALSE(info.converged);
    CHECK(info.iterations == 2);
    problem.reach = 4;
    CHECK_THROWS_AS(multigrid(problem, to(1e-3), x.data(), monitor), std::invalid_argument);
}
