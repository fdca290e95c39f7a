#include "solve/graph_multigrid/graph_multigrid.hpp"

#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <numeric>

#include "graphs.hpp"
#include "reference/dense_solve.hpp"
#include "solve/graph_multigrid/split_rows.hpp"
#include "support.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// Solves A x = rhs, whose unknowns lie in one row of a picture. near_null holds the constant, then
// `columns` - 1 other vectors.
SolveInfo solve_sparse(const Csr& A, const double* rhs, const float* near_null, int columns, double tolerance,
                       std::int64_t max_iterations, int threads, double* x, Monitor& monitor) {
    Problem problem;
    problem.matrix.rows = A.rows;
    const auto copy = [](auto& to, const auto& from) {
        to = std::remove_reference_t<decltype(to)>(from.size());
        std::copy(from.begin(), from.end(), to.begin());
    };
    copy(problem.matrix.row_start, A.row_start);
    copy(problem.matrix.column, A.column);
    copy(problem.matrix.value, A.value);
    problem.rhs = Buffer<double>(A.rows);
    std::copy_n(rhs, A.rows, problem.rhs.data());
    problem.pixel = Buffer<std::int32_t>(A.rows);
    std::iota(problem.pixel.begin(), problem.pixel.end(), 0);
    problem.height = 1;
    problem.width = A.rows;
    problem.channels = columns - 1;
    problem.colours = Buffer<float>(problem.channels * A.rows);
    std::copy_n(near_null + A.rows, problem.colours.size(), problem.colours.data());
    check_rows(problem.matrix, {threads, monitor});
    SolveOptions options;
    options.tolerance = tolerance;
    options.max_iterations = max_iterations;
    options.threads = threads;
    return graph_multigrid(problem, options, x, monitor);
}

Eigen::MatrixXd dense_inverse(Preconditioner& M, std::int64_t n) {
    Eigen::MatrixXd inverse(n, n);
    for (std::int64_t i = 0; i < n; ++i) {
        const Eigen::VectorXd e = Eigen::VectorXd::Unit(n, i);
        M.apply(e.data(), inverse.col(i).data());
    }
    return inverse;
}

// Returns the eigenvalues of M^-1 A, where A has unit diagonal and M^-1 has to be symmetric.
Eigen::VectorXd eigenvalues(const Scaled& scaled, int columns = 1) {
    Monitor monitor;
    const ScaledMatrix matrix = scaled.matrix();
    const auto M = make_graph_multigrid(matrix, scaled.near_null, columns, {}, {1, monitor});
    const Eigen::MatrixXd inverse = dense_inverse(*M, scaled.A.rows);
    CHECK((inverse - inverse.transpose()).cwiseAbs().maxCoeff() < 1e-5 * inverse.cwiseAbs().maxCoeff());
    const Eigen::MatrixXd symmetric = 0.5 * (inverse + inverse.transpose());
    const Eigen::LLT<Eigen::MatrixXd> factor(symmetric);
    CHECK(factor.info() == Eigen::Success);
    const Eigen::MatrixXd L = factor.matrixL();
    const Eigen::MatrixXd A = dense(scaled.A);
    return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(L.transpose() * A * L).eigenvalues();
}

Csr copy_of(const Csr& A) {
    Csr copy;
    copy.rows = A.rows;
    copy.row_start = Buffer<std::int64_t>(A.row_start.size());
    copy.column = Buffer<std::int32_t>(A.nonzeros());
    copy.value = Buffer<double>(A.nonzeros());
    std::copy(A.row_start.begin(), A.row_start.end(), copy.row_start.begin());
    std::copy(A.column.begin(), A.column.end(), copy.column.begin());
    std::copy(A.value.begin(), A.value.end(), copy.value.begin());
    return copy;
}

SolveInfo solve_random(const Csr& A, Eigen::VectorXd& x, int threads = 1) {
    Monitor monitor;
    Random random(3);
    Eigen::VectorXd exact(A.rows), b(A.rows);
    for (std::int64_t i = 0; i < A.rows; ++i) {
        exact(i) = random();
    }
    multiply(A, exact.data(), b.data(), 1, monitor);
    const std::vector<float> ones(static_cast<std::size_t>(A.rows), 1.0f);
    x = Eigen::VectorXd::Zero(A.rows);
    const SolveInfo info = solve_sparse(copy_of(A), b.data(), ones.data(), 1, 1e-3, 200, threads, x.data(), monitor);
    x -= exact;
    return info;
}

}  // namespace

TEST_CASE("M^-1 is symmetric, positive definite, and near the inverse") {
    for (const bool is_grid : {true, false}) {
        const Scaled scaled = unit_diagonal(is_grid ? grid_graph(30) : scattered_graph(900));
        const Eigen::VectorXd lambda = eigenvalues(scaled);
        CHECK(lambda.minCoeff() > 0.1);
        CHECK(lambda.maxCoeff() < 1.1);
    }
}

TEST_CASE("rows whose diagonal outweighs the rest are split off, and M^-1 stays what it has to be") {
    Csr A = scattered_graph(900);
    for (std::int64_t i = 0; i < A.rows; ++i) {  // these rows act as known pixels of a soft system
        A.value[A.diagonal(i)] += i % 3 != 0 ? 100 : 0;
    }
    const Scaled scaled = unit_diagonal(std::move(A));
    Monitor monitor;
    const graph::SplitRows split = graph::split_rows(scaled.matrix(), scaled.near_null, 1, {1, monitor});
    REQUIRE(split.is_worthwhile());
    CHECK(split.anchored.size() >= 600);
    CHECK(split.anchored.size() + split.coupled.size() == 900);
    const Eigen::MatrixXd whole = dense(scaled.A);
    const auto block = [&](const Buffer<std::int32_t>& rows, const Buffer<std::int32_t>& columns) {
        return whole(std::vector<int>(rows.begin(), rows.end()), std::vector<int>(columns.begin(), columns.end()));
    };
    CHECK((dense(split.matrix) - block(split.coupled, split.coupled)).cwiseAbs().maxCoeff() < 1e-6);
    CHECK((dense(split.to_anchored) - block(split.coupled, split.anchored)).cwiseAbs().maxCoeff() < 1e-6);
    CHECK((dense(split.to_coupled) - block(split.anchored, split.coupled)).cwiseAbs().maxCoeff() < 1e-6);
    const Eigen::VectorXd lambda = eigenvalues(scaled);
    CHECK(lambda.minCoeff() > 0.3);
    CHECK(lambda.maxCoeff() < 1.5);
}

TEST_CASE("right-hand sides side by side get the results that each has alone") {
    constexpr int lanes = 4;
    for (const bool is_split : {false, true}) {
        Csr A = grid_graph(30);
        for (std::int64_t i = 0; i < 600 && is_split; ++i) {
            A.value[A.diagonal(i)] += 100;
        }
        const Scaled scaled = unit_diagonal(std::move(A));
        Monitor monitor;
        const ScaledMatrix matrix = scaled.matrix();
        const std::int64_t n = matrix.A.rows;
        for (const int degree : {1, 2, 3}) {
            const auto M = make_graph_multigrid(matrix, scaled.near_null, 1, {degree, lanes}, {1, monitor});
            Random random(7);
            std::vector<float> r(static_cast<std::size_t>(lanes * n)), z(r.size()), own(static_cast<std::size_t>(n)),
                alone(own.size());
            for (float& number : r) {
                number = static_cast<float>(random() - 0.5);
            }
            M->apply_side_by_side(lanes, r.data(), z.data());
            for (std::size_t c = 0; c < lanes; ++c) {
                for (std::size_t i = 0; i < own.size(); ++i) {
                    own[i] = r[lanes * i + c];
                }
                M->apply_side_by_side(1, own.data(), alone.data());
                float difference = 0, largest = 0;
                for (std::size_t i = 0; i < own.size(); ++i) {
                    difference = std::max(difference, std::abs(z[lanes * i + c] - alone[i]));
                    largest = std::max(largest, std::abs(alone[i]));
                }
                CHECK(difference < 1e-5f * largest);
            }
        }
    }
}

TEST_CASE("iterations do not grow with the graph") {
    Eigen::VectorXd error;
    for (const std::int64_t side : {40, 120, 240}) {
        const SolveInfo info = solve_random(grid_graph(side), error);
        CHECK(info.converged);
        CHECK(info.iterations <= 14);
        CHECK(error.cwiseAbs().maxCoeff() < 1e-3);
        CHECK(info.operator_complexity < 1.5);
    }
    for (const std::int64_t n : {2000, 20000}) {
        const SolveInfo info = solve_random(scattered_graph(n), error);
        CHECK(info.converged);
        CHECK(info.iterations <= 14);
        CHECK(info.operator_complexity < 1.5);
    }
}

TEST_CASE("the result has the same bits for any number of threads") {
    const Csr A = grid_graph(230);
    Eigen::VectorXd first;
    solve_random(A, first, 1);
    for (const int threads : {2, 7}) {
        Eigen::VectorXd other;
        solve_random(A, other, threads);
        CHECK(same_bits(first, other));
    }
}

TEST_CASE("rows that are coupled to nothing and parts without known values are solved") {
    Entries entries;
    for (std::int64_t i = 0; i < 500; ++i) {  // a ring that is tied to a known value
        couple(entries, i, (i + 1) % 500, 1);
    }
    entries[{0, 0}] += 1;
    for (std::int64_t i = 500; i < 1000; ++i) {  // rings of five unknowns that are tied to nothing
        couple(entries, i, i % 5 == 4 ? i - 4 : i + 1, 1);
    }
    for (std::int64_t i = 1000; i < 1500; ++i) {
        entries[{i, i}] = 3;
    }
    const Csr A = csr_of(1500, entries);
    Eigen::VectorXd error;
    const SolveInfo info = solve_random(A, error);
    CHECK(info.converged);
    CHECK(error.head(500).cwiseAbs().maxCoeff() < 1e-3);
    CHECK(error.tail(500).cwiseAbs().maxCoeff() < 1e-3);
    for (std::int64_t i = 500; i < 1000; i += 5) {  // the answer is right except for a constant
        CHECK(error.segment(i, 5).maxCoeff() - error.segment(i, 5).minCoeff() < 1e-3);
    }
}

TEST_CASE("a system with an unknown that is coupled to all others is solved") {
    constexpr std::int64_t n = 3000;
    Entries entries;
    for (std::int64_t i = 0; i < n; ++i) {
        couple(entries, i, (i + 1) % n, 1);
        couple(entries, i, (i + 7) % n, 1);
        couple(entries, i, n, 0.1);
        couple(entries, i, n + 1, 1e-3);
    }
    entries[{0, 0}] += 1;
    Eigen::VectorXd error;
    const SolveInfo info = solve_random(csr_of(n + 2, entries), error);
    CHECK(info.converged);
    CHECK(info.iterations < 50);  // two levels give up after 40
    CHECK(error.cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("a matting matrix with the near-null vectors 1, R, G, B and entries of both signs is solved") {
    const Picture image = random_picture(40, 60, 3);
    const std::vector<Label> labels = columns_known(40, 60);
    Monitor monitor;
    const Problem problem = closed_form(image.view(), labels.data(), {1e-5, 1, 1}, monitor);
    const std::int64_t n = problem.unknowns();
    std::vector<float> N(static_cast<std::size_t>(4 * n), 1.0f);
    std::copy(problem.colours.begin(), problem.colours.end(), N.begin() + n);
    Eigen::VectorXd x = Eigen::VectorXd::Zero(n);
    const SolveInfo info =
        solve_sparse(copy_of(problem.matrix), problem.rhs.data(), N.data(), 4, 1e-3, 200, 1, x.data(), monitor);
    CHECK(info.converged);
    CHECK(info.iterations < 60);
    CHECK((x - dense_solve(dense(problem.matrix), dense(problem.rhs))).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("an invalid matrix is refused by an error that names its row") {
    Eigen::VectorXd error;
    CHECK_THROWS_WITH_AS(solve_random(csr_of(2, {{{0, 0}, 1}, {{1, 0}, 1}}), error),
                         "matrix: expected a positive diagonal, row 1 is different", std::invalid_argument);
    CHECK_THROWS_AS(solve_random(csr_of(1, {{{0, 0}, NAN}}), error), std::invalid_argument);
}

TEST_CASE("a stop is heard while levels are made") {
    const Csr A = grid_graph(100);
    const std::vector<double> b(10000, 1);
    const std::vector<float> ones(10000, 1);
    std::vector<double> x(10000, 0);
    for (const int threads : {1, 2}) {
        StopsAtOnce monitor;
        CHECK_THROWS_AS(solve_sparse(copy_of(A), b.data(), ones.data(), 1, 1e-3, 100, threads, x.data(), monitor),
                        Cancelled);
    }
}

TEST_CASE("a problem without unknowns is solved") {
    Eigen::VectorXd error;
    CHECK(solve_random(csr_of(0, {}), error).converged);
}
