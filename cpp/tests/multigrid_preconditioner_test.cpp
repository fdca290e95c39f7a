#include "trimatte/multigrid_preconditioner.hpp"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <stdexcept>

#include "support.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr Solver kinds[] = {Solver::graph_multigrid, Solver::multigrid};

Eigen::MatrixXd dense_inverse(MultigridPreconditioner& inverse) {
    const std::int64_t n = inverse.unknowns();
    Eigen::MatrixXd M(n, n);
    for (std::int64_t i = 0; i < n; ++i) {
        const Eigen::VectorXd unit = Eigen::VectorXd::Unit(n, i);
        inverse.apply(unit.data(), M.data() + i * n);
    }
    return M;
}

// A problem of noise in colours, with unknown pixels between two known columns.
Problem problem_of(std::int64_t height, std::int64_t width, Monitor& monitor) {
    const Picture image = random_picture(height, width, 3);
    const std::vector<Label> labels = columns_known(height, width);
    return closed_form(image.view(), labels.data(), {}, monitor);
}

}  // namespace

TEST_CASE("a preconditioner is symmetric, positive definite, and near the inverse") {
    Monitor monitor;
    for (const Solver kind : kinds) {
        CAPTURE(static_cast<int>(kind));
        Problem problem = problem_of(24, 31, monitor);
        const Eigen::MatrixXd A = dense(problem.matrix);
        MultigridPreconditioner inverse(std::move(problem), kind, {1, monitor});
        REQUIRE(inverse.unknowns() == A.rows());
        const Eigen::MatrixXd M = dense_inverse(inverse);
        CHECK((M - M.transpose()).cwiseAbs().maxCoeff() < 1e-5 * M.cwiseAbs().maxCoeff());
        // The eigenvalues of M A are those of F^T M F, where A = F F^T.
        const Eigen::MatrixXd F = A.llt().matrixL();
        const Eigen::MatrixXd S = 0.5 * (M + M.transpose());
        const Eigen::VectorXd eigenvalues =
            Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(F.transpose() * S * F, Eigen::EigenvaluesOnly).eigenvalues();
        CHECK(eigenvalues.minCoeff() > 0.05);
        CHECK(eigenvalues.maxCoeff() < 2.5);
        CHECK(inverse.bytes() > static_cast<std::size_t>(A.rows()) * 8);
        CHECK(inverse.operator_complexity() >= 1);
        CHECK(inverse.operator_complexity() < 4);
    }
}

TEST_CASE("a preconditioner gives the same bits for any number of threads and at every call") {
    Monitor monitor;
    for (const Solver kind : kinds) {
        const Problem first = problem_of(90, 80, monitor);
        const std::int64_t n = first.unknowns();
        Random random(3);
        const Eigen::VectorXd r = Eigen::VectorXd::NullaryExpr(n, [&] { return random() - 0.5; });
        Eigen::VectorXd expected(n), z(n), other = 2 * r;
        MultigridPreconditioner one(problem_of(90, 80, monitor), kind, {1, monitor});
        one.apply(r.data(), expected.data());
        one.apply(other.data(), z.data());
        CHECK((z - 2 * expected).cwiseAbs().maxCoeff() < 1e-5 * z.cwiseAbs().maxCoeff());
        one.apply(r.data(), z.data());
        CHECK(same_bits(z, expected));
        for (const int threads : {2, 7}) {
            MultigridPreconditioner many(problem_of(90, 80, monitor), kind, {threads, monitor});
            many.apply(r.data(), z.data());
            CHECK(same_bits(z, expected));
        }
    }
}

TEST_CASE("a preconditioner refuses what it cannot take, and stops when it is told to") {
    Monitor monitor;
    const Picture image = random_picture(30, 30, 3);
    const std::vector<Label> labels = columns_known(30, 30);
    const auto wide = [&] { return closed_form(image.view(), labels.data(), {1e-7, 2}, monitor); };
    CHECK_THROWS_AS(MultigridPreconditioner(wide(), Solver::multigrid, {1, monitor}), std::invalid_argument);
    CHECK(MultigridPreconditioner(wide(), Solver::graph_multigrid, {1, monitor}).unknowns() == 30 * 28);
    for (const Solver kind : kinds) {
        StopsAtOnce stops;
        CHECK_THROWS_AS(MultigridPreconditioner(problem_of(300, 300, monitor), kind, {1, stops}), Cancelled);
    }
    Problem bad = problem_of(12, 12, monitor);
    bad.matrix.value[bad.matrix.diagonal(5)] = 0;
    CHECK_THROWS_AS(MultigridPreconditioner(std::move(bad), Solver::graph_multigrid, {1, monitor}), FactorizationError);
}
