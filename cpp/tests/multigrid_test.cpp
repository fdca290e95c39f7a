#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "reference/dense_solve.hpp"
#include "solve/multigrid_setup.hpp"
#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"
#include "trimatte/stencil.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// Smooth colours with a little noise; unknown but for the outer columns and a hole.
Problem matting_problem(std::int64_t height, std::int64_t width, bool stencil = false) {
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
    return closed_form(image.view(), labels.data(), {1e-5, 1, 1, stencil}, monitor);
}

SolveOptions to(double tolerance, int threads = 1, std::int64_t max_iterations = 1000) {
    return {Solver::multigrid, 0, max_iterations, threads, tolerance};
}

// The slots of a grid's places, in order; a node's B numbers follow each other in the dense matrices below.
std::vector<std::int64_t> places(const Grid& grid) {
    std::vector<std::int64_t> slots;
    for (std::int64_t y = 0; y < grid.height(); ++y) {
        for (std::int64_t x = 0; x < grid.width(); ++x) {
            if (grid.slot(y, x) >= 0) {
                slots.push_back(grid.slot(y, x));
            }
        }
    }
    return slots;
}

// Column by column, with the kernel that multiplies.
template <int B>
Eigen::MatrixXd dense_operator(const Grid& grid, const float* A) {
    const auto slots = places(grid);
    const auto n = static_cast<Eigen::Index>(slots.size()) * B;
    Eigen::MatrixXd full(n, n);
    for (Eigen::Index j = 0; j < n; ++j) {
        std::vector<float> v(static_cast<std::size_t>(B * grid.slots()), 0.0f), Av(v);
        v[static_cast<std::size_t>(j % B * grid.slots() + slots[static_cast<std::size_t>(j / B)])] = 1;
        for (std::int64_t y = 0; y < grid.height(); ++y) {
            kernels_for<B>().product(A, grid.slots(), grid.pieces_begin(y), grid.pieces_end(y), v.data(), Av.data());
        }
        for (Eigen::Index i = 0; i < n; ++i) {
            full(i, j) = Av[static_cast<std::size_t>(i % B * grid.slots() + slots[static_cast<std::size_t>(i / B)])];
        }
    }
    return full;
}

// Dense T (or N): a node's numbers x the columns of its cell.
template <int B, int C>
Eigen::MatrixXd dense_columns(const Grid& grid, const float* T, const Grid& coarse) {
    const auto slots = places(grid);
    const auto cells = places(coarse);
    Eigen::MatrixXd full =
        Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(slots.size()) * B, static_cast<Eigen::Index>(cells.size()) * C);
    Eigen::Index i = 0;
    for (std::int64_t y = 0; y < grid.height(); ++y) {
        for (std::int64_t x = 0; x < grid.width(); ++x) {
            const std::int64_t at = grid.slot(y, x);
            if (at < 0) {
                continue;
            }
            const std::int64_t cell = coarse.slot(y / grid.cell(), x / grid.cell());
            const auto j = std::find(cells.begin(), cells.end(), cell) - cells.begin();
            for (int b = 0; b < B; ++b) {
                for (int c = 0; c < C; ++c) {
                    full(i * B + b, j * C + c) = T[(b * C + c) * grid.slots() + at];
                }
            }
            ++i;
        }
    }
    return full;
}

template <int C>
Eigen::MatrixXd dense_blocks(const CoarseMatrix<C>& coarse) {
    const auto cells = places(coarse.grid);
    Eigen::MatrixXd full = dense_operator<C>(coarse.grid, coarse.A.data());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        for (int p = 0; p < C * C; ++p) {
            full(static_cast<Eigen::Index>(i) * C + p / C, static_cast<Eigen::Index>(i) * C + p % C) =
                coarse.diagonal[p * coarse.grid.slots() + cells[i]];
        }
    }
    return full;
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

TEST_CASE("cells: T is orthonormal and reproduces the near-null space; the coarse matrix is P^T A P") {
    const Problem problem = matting_problem(25, 31);
    const Stencil stencil = make_stencil(problem);
    Monitor monitor;
    const Context context{2, monitor};
    const Grid& grid = stencil.grid;
    const Grid coarse = coarse_grid(grid);

    Buffer<float> T = near_null_of(stencil);
    const Eigen::MatrixXd N = dense_columns<1, 4>(grid, T.data(), coarse);
    const Buffer<float> R = orthonormalise_cells<1, 4>(grid, T.data(), coarse, context);
    const Eigen::MatrixXd T_full = dense_columns<1, 4>(grid, T.data(), coarse);
    const Eigen::MatrixXd gram = T_full.transpose() * T_full;
    for (Eigen::Index i = 0; i < gram.rows(); ++i) {
        CHECK((std::abs(gram(i, i) - 1) < 1e-5 || gram(i, i) == 0));
    }
    CHECK((gram - Eigen::MatrixXd(gram.diagonal().asDiagonal())).cwiseAbs().maxCoeff() < 1e-5);
    const auto cells = places(coarse);
    Eigen::MatrixXd R_full = Eigen::MatrixXd::Zero(T_full.cols(), T_full.cols());
    for (std::size_t i = 0; i < cells.size(); ++i) {
        for (int p = 0; p < 16; ++p) {
            R_full(static_cast<Eigen::Index>(4 * i) + p / 4, static_cast<Eigen::Index>(4 * i) + p % 4) =
                R[p * coarse.slots() + cells[i]];
        }
    }
    CHECK((T_full * R_full - N).cwiseAbs().maxCoeff() < 1e-4);

    const LevelMatrix<1> matrix{&grid, stencil.hi.data(), 2.2};
    const Eigen::MatrixXd A = dense_operator<1>(grid, stencil.hi.data());
    const Eigen::MatrixXd P = T_full - matrix.omega() * A * T_full;
    const CoarseMatrix<4> fast = galerkin_of_pixels<4>(matrix, T.data(), context);
    CHECK((dense_blocks(fast) - P.transpose() * A * P).cwiseAbs().maxCoeff() < 1e-5);
    const CoarseMatrix<4> slow = galerkin<1, 4>(matrix, T.data(), context);
    CHECK((dense_blocks(slow) - P.transpose() * A * P).cwiseAbs().maxCoeff() < 1e-5);

    // One level further: four numbers a node.
    const Grid coarser = coarse_grid(fast.grid);
    Buffer<float> T2 = zeros<float>(16 * coarse.slots(), context);
    std::copy(R.begin(), R.end(), T2.begin());
    orthonormalise_cells<4, 4>(fast.grid, T2.data(), coarser, context);
    const Eigen::MatrixXd T2_full = dense_columns<4, 4>(fast.grid, T2.data(), coarser);
    const LevelMatrix<4> matrix2{&fast.grid, fast.A.data(), 2.2};
    const Eigen::MatrixXd A2 = dense_operator<4>(fast.grid, fast.A.data());
    const Eigen::MatrixXd P2 = T2_full - matrix2.omega() * A2 * T2_full;
    const CoarseMatrix<4> third = galerkin<4, 4>(matrix2, T2.data(), context);
    CHECK((dense_blocks(third) - P2.transpose() * A2 * P2).cwiseAbs().maxCoeff() < 1e-5);
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
    const Problem problem = matting_problem(90, 200);
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
