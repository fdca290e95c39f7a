#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "reference/dense_solve.hpp"
#include "solve/multigrid_setup.hpp"
#include "solve/near_null.hpp"
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
        std::vector<float> carry(static_cast<std::size_t>(carry_planes<B> * grid.slots()), 0.0f);
        v[static_cast<std::size_t>(j % B * grid.slots() + slots[static_cast<std::size_t>(j / B)])] = 1;
        for (std::int64_t y = 0; y < grid.height(); ++y) {
            kernels_for<B>().product(A, grid.slots(), grid.pieces_begin(y), grid.pieces_end(y), carry.data(), y % 3 != 0,
                                     v.data(), Av.data());
        }
        for (Eigen::Index i = 0; i < n; ++i) {
            full(i, j) = Av[static_cast<std::size_t>(i % B * grid.slots() + slots[static_cast<std::size_t>(i / B)])];
        }
    }
    return full;
}

// Dense near-null vectors: a node's numbers x columns.
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

// Column by column, with interpolate: a node's numbers x the cells' columns, cells in the order of their numbers.
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

// Factors R, one above the other.
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

// In the order of the cells' numbers.
template <int B>
Eigen::MatrixXd dense_blocks(const CoarseMatrix& coarse, const Prolongation<B>& P) {
    const auto slots = places(coarse.grid);
    Eigen::MatrixXd full = dense_operator<columns>(coarse.grid, coarse.A.data());
    Eigen::MatrixXd sorted(P.cells.count() * columns, P.cells.count() * columns);
    std::vector<Eigen::Index> row_of;  // of the cells, in `full`
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

// P keeps the near-null vectors, has less energy than without its steps, and interpolates as it restricts; the products
// with it are those of dense matrices. Returns P^T A P and the near-null vectors in planes of its grid.
template <int B>
CoarseMatrix check_level(const LevelMatrix<B>& matrix, const Buffer<float>& N, Buffer<float>& coarse_N,
                         const Context& context) {
    const Grid& grid = *matrix.grid;
    Buffer<float> R;
    const Prolongation<B> P = make_prolongation(matrix, N, coarse_grid(grid), R, context);
    const Eigen::MatrixXd full = dense_prolongation<B>(grid, P, context);
    const Eigen::MatrixXd vectors = dense_vectors<B>(grid, N);
    CHECK((full * dense_factors<B>(P, R) - vectors).cwiseAbs().maxCoeff() < 1e-5 * vectors.cwiseAbs().maxCoeff());

    const Eigen::MatrixXd A = dense_operator<B>(grid, matrix.A);
    LevelMatrix<B> without_steps = matrix;
    without_steps.lmax = 1e30;
    Buffer<float> same_R;
    const Prolongation<B> blend = make_prolongation(without_steps, N, coarse_grid(grid), same_R, context);
    const Eigen::MatrixXd blend_full = dense_prolongation<B>(grid, blend, context);
    const Eigen::MatrixXd gram = blend_full.transpose() * blend_full;
    for (Eigen::Index i = 0; i < gram.cols(); i += columns) {  // the columns of a cell
        const Eigen::Matrix4d own = gram.block<columns, columns>(i, i);
        CHECK((own - Eigen::Matrix4d(own.diagonal().asDiagonal())).cwiseAbs().maxCoeff() < 1e-5);
        CHECK((own(0, 0) == 0 || own(0, 0) == doctest::Approx(1)));
    }
    CHECK((full.transpose() * A * full).trace() < 0.9 * (blend_full.transpose() * A * blend_full).trace());

    const auto slots = places(grid);
    Eigen::VectorXd r(full.rows());
    Random random(7);
    std::vector<float> r_slots(static_cast<std::size_t>(B * grid.slots()), 0.0f);
    for (Eigen::Index i = 0; i < r.size(); ++i) {
        const auto at = static_cast<std::size_t>(i % B * grid.slots() + slots[static_cast<std::size_t>(i / B)]);
        r_slots[at] = static_cast<float>(random() - 0.5);
        r[i] = r_slots[at];
    }
    Grid below = coarse_grid(grid);
    std::vector<float> restricted(static_cast<std::size_t>(columns * below.slots()), 0.0f);
    P.restrict_to_cells(grid, r_slots.data(), restricted.data(), below.slots(), context);
    const Eigen::VectorXd expected = full.transpose() * r;
    for (std::int32_t i = 1; i <= P.cells.count(); ++i) {
        for (int c = 0; c < columns; ++c) {
            CHECK(restricted[static_cast<std::size_t>(c * below.slots() + P.cells[i].coarse)] ==
                  doctest::Approx(expected[(i - 1) * columns + c]).epsilon(1e-4));
        }
    }

    Buffer<float> fast(P.patches.size()), slow(P.patches.size());
    patch_gradients<B>(matrix, P, fast.data(), context);
    patch_gradients_of_any<B>(matrix, P, slow.data(), context);
    const Eigen::MatrixXd AP = A * full;
    for (std::int32_t i = 1; i <= P.cells.count(); ++i) {
        const auto column = AP.middleCols((i - 1) * columns, columns);
        double largest = 0;  // the patch's part of A P, found by its sum of squares with P's own entries
        double product = 0;
        for (std::int64_t j = std::int64_t{patch_size<B>} * i; j < std::int64_t{patch_size<B>} * (i + 1); ++j) {
            largest = std::max<double>(largest, std::abs(fast[j] - slow[j]));
            product += static_cast<double>(fast[j]) * static_cast<double>(P.patches[j]);
        }
        CHECK(largest < 1e-5);
        CHECK(
            product ==
            doctest::Approx((full.middleCols((i - 1) * columns, columns).transpose() * column).trace()).epsilon(1e-4));
    }

    const Eigen::MatrixXd PAP = full.transpose() * A * full;
    CHECK((dense_blocks<B>(galerkin_of_any<B>(matrix, P, coarse_grid(grid), context), P) - PAP).cwiseAbs().maxCoeff() <
          1e-5);
    CoarseMatrix coarse = galerkin<B>(matrix, P, std::move(below), context);
    CHECK((dense_blocks<B>(coarse, P) - PAP).cwiseAbs().maxCoeff() < 1e-5);
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

TEST_CASE("prolongation and coarse matrix, on pixels and on cells, are what the dense ones are") {
    // With a hole, and corners where fewer than four cells meet.
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
