#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <cmath>

#include "reference/dense_solve.hpp"
#include "solve/multigrid_operators.hpp"
#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// Smooth colours with a little noise; unknown but for the outer columns and a hole.
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
    return closed_form(image.view(), labels.data(), {1e-5, 1, 1}, monitor);
}

SolveOptions to(double tolerance, int threads = 1, std::int64_t max_iterations = 1000) {
    return {Solver::multigrid, 0, max_iterations, threads, tolerance};
}

template <class Operator>
Eigen::MatrixXd dense_operator(const Operator& op) {
    constexpr int B = Operator::B;
    Eigen::MatrixXd A = Eigen::MatrixXd::Zero(op.nodes() * B, op.nodes() * B);
    for (std::int64_t i = 0; i < op.nodes(); ++i) {
        op.for_row(i, [&](std::int64_t j, const float* a) {
            for (int u = 0; u < B; ++u) {
                for (int v = 0; v < B; ++v) {
                    A(i * B + u, j * B + v) = a[B * u + v];
                }
            }
        });
    }
    return A;
}

template <int B>
Eigen::MatrixXd dense_prolongation(const Prolongation<B>& P, std::int64_t nodes, std::int64_t cells) {
    Eigen::MatrixXd full = Eigen::MatrixXd::Zero(nodes * B, cells * 4);
    for (std::int64_t e = 0; e < cells * 4; ++e) {
        std::vector<float> unit(static_cast<std::size_t>(cells * 4), 0.0f);
        unit[static_cast<std::size_t>(e)] = 1;
        for (std::int64_t i = 0; i < nodes; ++i) {
            float v[B] = {};
            P.add_row(i, unit.data(), v);
            for (int u = 0; u < B; ++u) {
                full(i * B + u, e) = v[u];
            }
        }
    }
    return full;
}

// P is (I - omega D^-1 A) T for some T that reproduces the near-null space; the coarse operator is P^T A P.
template <class Operator>
CellOperator check_level(const Operator& op, std::int64_t k, const Context& context) {
    constexpr int B = Operator::B;
    const double omega = 0.6;
    std::vector<double> null;
    const auto cells = std::make_shared<const Cells>(make_cells(op, k));
    const auto P = make_prolongation(op, *cells, k, omega, context, null);
    const Eigen::MatrixXd A = dense_operator(op);
    const Eigen::MatrixXd full = dense_prolongation(P, op.nodes(), cells->count());

    Eigen::MatrixXd N(op.nodes() * B, 4), D_inverse_A(A.rows(), A.cols());
    for (std::int64_t i = 0; i < op.nodes(); ++i) {
        double rows[B * 4];
        op.near_null(i, rows);
        for (int u = 0; u < B; ++u) {
            for (int c = 0; c < 4; ++c) {
                N(i * B + u, c) = rows[4 * u + c];
            }
        }
        for (std::int64_t j = 0; j < A.cols(); ++j) {
            float r[B], z[B];
            for (int u = 0; u < B; ++u) {
                r[u] = static_cast<float>(A(i * B + u, j));
            }
            op.divide(i, r, z);
            for (int u = 0; u < B; ++u) {
                D_inverse_A(i * B + u, j) = z[u];
            }
        }
    }
    Eigen::MatrixXd R(cells->count() * 4, 4);
    for (std::int64_t c = 0; c < R.rows(); ++c) {
        for (int v = 0; v < 4; ++v) {
            R(c, v) = null[static_cast<std::size_t>(4 * c + v)];
        }
    }
    const Eigen::MatrixXd smoothed = N - omega * D_inverse_A * N;
    CHECK((full * R - smoothed).cwiseAbs().maxCoeff() < 1e-4 * N.cwiseAbs().maxCoeff());

    const Buffer<float> blocks = galerkin(op, *cells, P, k, context);
    CellOperator coarse(cells, galerkin(op, *cells, P, k, context), std::move(null));
    const Eigen::MatrixXd expected = full.transpose() * A * full;
    Eigen::MatrixXd got = dense_operator(coarse);
    for (Eigen::Index i = 0; i < got.rows(); ++i) {
        if (expected(i, i) == 0) {
            CHECK(got(i, i) == 1);  // a dropped column
            got(i, i) = 0;
        }
    }
    CHECK((got - expected).cwiseAbs().maxCoeff() < 1e-5);
    CHECK(blocks.size() == cells->count() * 9 * 16);
    return coarse;
}

}  // namespace

TEST_CASE("levels: the prolongation keeps the near-null space, the coarse operator is P^T A P") {
    const Problem problem = matting_problem(25, 31);
    Monitor monitor;
    const Context context{1, monitor};
    const PixelOperator fine(problem, context);
    const CellOperator coarse = check_level(fine, 6, context);
    check_level(coarse, 3, context);
}

TEST_CASE("the largest eigenvalue is found from above, closely") {
    const Problem problem = matting_problem(20, 25);
    Monitor monitor;
    const Context context{1, monitor};
    const PixelOperator op(problem, context);
    const double exact = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(dense_operator(op), Eigen::EigenvaluesOnly)
                             .eigenvalues()
                             .maxCoeff();
    const double found = largest_eigenvalue(op, context);
    CHECK(found >= exact);
    CHECK(found <= 1.06 * exact);
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
