#include "solve/graph_multigrid/anchored_rows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "reference/dense_solve.hpp"
#include "support.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// The soft system of a graph: each of n unknowns is coupled to four random ones nearby and one far
// away; `odd` is added to one coupling. Three quarters are known, with a weight of `weight`: a block
// of ones, then one of zeros, with the unknown ones between, and a few of these inside the blocks.
Problem soft_graph(std::int64_t n, double weight, double odd = 0) {
    std::vector<std::map<std::int64_t, double>> rows(static_cast<std::size_t>(n));
    const auto entry = [&](std::int64_t i, std::int64_t j) -> double& { return rows[static_cast<std::size_t>(i)][j]; };
    Random random(3);
    const auto below = [&](std::int64_t limit) {
        return static_cast<std::int64_t>(random() * static_cast<double>(limit));
    };
    Problem problem;
    problem.rhs = Buffer<double>(n);
    problem.pixel = Buffer<std::int32_t>(n);
    problem.height = 1;
    problem.width = n;
    for (std::int64_t i = 0; i < n; ++i) {
        for (int neighbour = 0; neighbour < 5; ++neighbour) {
            const std::int64_t j = neighbour < 4 ? (i + 1 + below(9)) % n : below(n);
            const double w = 0.5 + random();
            if (i != j) {
                entry(i, i) += w;
                entry(j, j) += w;
                entry(i, j) -= w;
                entry(j, i) -= w;
            }
        }
        const std::int64_t quarter = 4 * i / n;
        const bool is_known = quarter != 1 && i % 40 != 0;
        entry(i, i) += is_known ? weight : 0;
        problem.rhs[i] = is_known && quarter == 0 ? weight : 0;
        problem.pixel[i] = static_cast<std::int32_t>(i);
    }
    if (odd != 0) {
        entry(0, 1) += odd;
        entry(1, 0) += odd;
    }
    Csr& A = problem.matrix;
    A.rows = n;
    A.row_start = Buffer<std::int64_t>(n + 1);
    A.row_start[0] = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        A.row_start[i + 1] = A.row_start[i] + static_cast<std::int64_t>(rows[static_cast<std::size_t>(i)].size());
    }
    A.column = Buffer<std::int32_t>(A.row_start[n]);
    A.value = Buffer<double>(A.row_start[n]);
    std::int64_t k = 0;
    for (const auto& row : rows) {
        for (const auto& [column, value] : row) {
            A.column[k] = static_cast<std::int32_t>(column);
            A.value[k++] = value;
        }
    }
    return problem;
}

// The parts of a dense matrix that belong to the free rows, to the anchored rows that are coupled to
// one of them, and to the other anchored rows.
struct Parts {
    std::vector<Eigen::Index> free, touching, others;

    explicit Parts(const Eigen::MatrixXd& A) {
        const Eigen::VectorXd d = A.diagonal();
        const Eigen::VectorXd rest = A.cwiseAbs().rowwise().sum() - d;
        for (Eigen::Index i = 0; i < A.rows(); ++i) {
            if (rest(i) > 0.3 * d(i)) {
                free.push_back(i);
            }
        }
        for (Eigen::Index i = 0; i < A.rows(); ++i) {
            if (rest(i) <= 0.3 * d(i)) {
                const bool is_coupled = A(i, free).cwiseAbs().maxCoeff() > 0;
                (is_coupled ? touching : others).push_back(i);
            }
        }
    }
};

// Solves with several numbers of threads and checks that all give the same bits. Calls
// check(x, info, monitor) for each.
template <class Check>
void solve_with_threads(const Problem& problem, double tolerance, const Check& check) {
    Eigen::VectorXd first;
    for (const int threads : {1, 2, 7}) {
        SolveOptions options;
        options.tolerance = tolerance;
        options.threads = threads;
        Monitor monitor;
        Eigen::VectorXd x = Eigen::VectorXd::Constant(problem.unknowns(), 0.5);
        const SolveInfo info = graph_multigrid(problem, options, x.data(), monitor);
        CHECK(info.converged);
        check(x, info, monitor);
        first = threads == 1 ? x : first;
        CHECK(same_bits(x, first));
    }
}

}  // namespace

TEST_CASE("the reduced system has the free rows, and of T the diagonal and what couples it to them") {
    const Problem problem = soft_graph(300, 100);
    Monitor monitor;
    const Context context{1, monitor};
    const ScaledMatrix scaled(problem.matrix, context);
    const auto rows = graph::AnchoredRows::make(problem, scaled, context);
    REQUIRE(rows);
    const Eigen::MatrixXd A = dense(problem.matrix);
    const Eigen::VectorXd b = dense(problem.rhs), d = A.diagonal();
    const Parts parts(A);
    REQUIRE(parts.touching.size() > 10);
    REQUIRE(parts.others.size() > 10);
    const auto& F = parts.free;
    const auto& T = parts.touching;
    std::vector<Eigen::Index> kept = F;
    kept.insert(kept.end(), T.begin(), T.end());
    std::sort(kept.begin(), kept.end());
    Eigen::MatrixXd expected = A;
    for (const Eigen::Index t : T) {
        for (const Eigen::Index u : T) {
            expected(t, u) = t == u ? d(t) : 0;
        }
    }
    CHECK(dense(rows->reduced().matrix) == expected(kept, kept));

    // The start is what an anchored row has if its neighbours agree with it.
    Eigen::VectorXd x = Eigen::VectorXd::Constant(300, 0.5);
    rows->start(x.data(), context);
    CHECK((A * Eigen::VectorXd::Ones(300))(T).cwiseProduct(x(T)).isApprox(b(T)));
    CHECK(x(F) == Eigen::VectorXd::Constant(static_cast<Eigen::Index>(F.size()), 0.5));

    Random random(8);
    for (Eigen::Index i = 0; i < 300; ++i) {
        x(i) = random();
    }
    rows->prepare(x.data(), context);
    Eigen::VectorXd of_anchored = x, rhs = b;
    of_anchored(F).setZero();
    rhs(T) -= (A * of_anchored)(T)-d(T).cwiseProduct(x(T));
    CHECK((dense(rows->reduced().rhs) - rhs(kept)).cwiseAbs().maxCoeff() < 1e-12);

    Eigen::VectorXd reduced(static_cast<Eigen::Index>(kept.size()));
    rows->get(x.data(), reduced.data(), context);
    CHECK(reduced == x(kept));
    for (double& value : reduced) {
        value = random();
    }
    Eigen::VectorXd after = x;
    after(kept) = reduced;
    Eigen::VectorXd free_only = after;
    free_only(T).setZero();
    free_only(parts.others).setZero();
    after(T) = (rhs - A * free_only)(T).cwiseQuotient(d(T));
    rows->set(reduced.data(), x.data(), context);
    CHECK((x - after).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("rho bounds the error where the free rows have no residual, and sweeps make it smaller") {
    const Problem problem = soft_graph(300, 100);
    Monitor monitor;
    const Context context{1, monitor};
    const ScaledMatrix scaled(problem.matrix, context);
    const auto rows = graph::AnchoredRows::make(problem, scaled, context);
    REQUIRE(rows);
    const Eigen::MatrixXd A = dense(problem.matrix);
    const Eigen::VectorXd b = dense(problem.rhs), d = A.diagonal(), exact = dense_solve(A, b);
    Eigen::VectorXd x = Eigen::VectorXd::Constant(300, 0.5);
    rows->start(x.data(), context);
    double before = 1;
    for (int round = 0; round < 3; ++round) {
        rows->prepare(x.data(), context);
        const Eigen::VectorXd reduced = dense_solve(dense(rows->reduced().matrix), dense(rows->reduced().rhs));
        rows->set(reduced.data(), x.data(), context);
        const graph::AnchoredRows::Residual residual = rows->measure(x.data(), context);
        const Eigen::VectorXd r = b - A * x;
        CHECK(residual.r2 == doctest::Approx(r.cwiseQuotient(d).squaredNorm()));
        CHECK(residual.b2 == doctest::Approx(b.cwiseQuotient(d).squaredNorm()));
        double rho = 0;
        for (const auto& part : {Parts(A).touching, Parts(A).others}) {
            rho = std::max(rho, r(part).cwiseQuotient((A.rowwise().sum())(part)).cwiseAbs().maxCoeff());
        }
        CHECK(residual.rho == doctest::Approx(rho));
        CHECK((x - exact).cwiseAbs().maxCoeff() <= residual.rho);
        CHECK((x - exact).cwiseAbs().maxCoeff() > 0.01 * residual.rho);
        CHECK(residual.rho < 0.2 * before);
        before = residual.rho;
        rows->sweep(0.1 * residual.rho, x.data(), context);
        CHECK(rows->measure(x.data(), context).rho < 0.5 * residual.rho);
    }
}

TEST_CASE("soft systems keep the promise, with the same bits for any number of threads") {
    for (const double weight : {30.0, 100.0, 1e4}) {
        const Problem problem = soft_graph(2000, weight);
        const Eigen::VectorXd exact = dense_solve(dense(problem.matrix), dense(problem.rhs));
        for (const double tolerance : {1e-3, 1e-6}) {
            solve_with_threads(problem, tolerance, [&](const auto& x, const SolveInfo& info, Monitor& monitor) {
                CHECK(info.error_estimate < tolerance);
                CHECK((x - exact).cwiseAbs().maxCoeff() < tolerance);
                CHECK(info.relative_residual == doctest::Approx(relative_residual(problem, x.data(), 1, monitor)));
            });
        }
    }
}

TEST_CASE("the levels are those of the reduced system") {
    const Problem problem = soft_graph(2000, 100);
    Monitor monitor;
    const Context context{1, monitor};
    const ScaledMatrix scaled(problem.matrix, context);
    const auto rows = graph::AnchoredRows::make(problem, scaled, context);
    REQUIRE(rows);
    SolveOptions whole;
    whole.relative_residual = 1e-2;  // a residual is reached on the whole system only
    const auto complexity = [&](const Problem& system, const SolveOptions& options) {
        Eigen::VectorXd x = Eigen::VectorXd::Constant(system.unknowns(), 0.5);
        return graph_multigrid(system, options, x.data(), monitor).operator_complexity;
    };
    CHECK(complexity(problem, {}) == complexity(rows->reduced(), whole));
    CHECK(complexity(problem, {}) != complexity(problem, whole));
}

TEST_CASE("large soft systems have the same bits for any number of threads") {
    solve_with_threads(soft_graph(120000, 100), 1e-3, [](const auto&, const SolveInfo&, Monitor&) {});
}

TEST_CASE("where four rounds are not enough, the whole system is solved") {
    // A round divides rho by ten to a hundred, so that four rounds do not reach this tolerance.
    const Problem problem = soft_graph(2000, 35);
    Monitor monitor;
    const Context context{1, monitor};
    REQUIRE(graph::AnchoredRows::make(problem, ScaledMatrix(problem.matrix, context), context));
    SolveOptions options;
    options.tolerance = 1e-12;
    Eigen::VectorXd x = Eigen::VectorXd::Constant(2000, 0.5);
    const SolveInfo info = graph_multigrid(problem, options, x.data(), monitor);
    CHECK(info.converged);
    CHECK((x - dense_solve(dense(problem.matrix), dense(problem.rhs))).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("no more iterations are made than are allowed, and x stays finite") {
    const Problem problem = soft_graph(2000, 100);
    for (const std::int64_t most : {0, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}) {
        SolveOptions options;
        options.max_iterations = most;
        Monitor monitor;
        Eigen::VectorXd x = Eigen::VectorXd::Constant(2000, 0.5);
        const SolveInfo info = graph_multigrid(problem, options, x.data(), monitor);
        CHECK(info.iterations <= most);
        CHECK(x.allFinite());
        CHECK((!info.converged || info.error_estimate < 1e-3));
    }
}

TEST_CASE("an entry without its mirror image, which rounding may leave, is ignored") {
    Problem problem = soft_graph(2000, 100);
    const Eigen::VectorXd exact = dense_solve(dense(problem.matrix), dense(problem.rhs));
    Csr& A = problem.matrix;
    // The row of an unknown in the middle gets the entry of a known pixel that is not coupled to it.
    const std::int64_t row = 740, column = 1900;
    const auto* place = std::lower_bound(A.column.data() + A.row_start[row], A.column.data() + A.row_start[row + 1],
                                         static_cast<std::int32_t>(column));
    REQUIRE((place == A.column.data() + A.row_start[row + 1] || *place != column));
    const std::int64_t at = place - A.column.data();
    Buffer<std::int32_t> columns(A.column.size() + 1);
    Buffer<double> values(A.value.size() + 1);
    std::copy(A.column.begin(), A.column.end(), columns.begin());
    std::copy(A.value.begin(), A.value.end(), values.begin());
    std::copy_backward(columns.begin() + at, columns.end() - 1, columns.end());
    std::copy_backward(values.begin() + at, values.end() - 1, values.end());
    columns[at] = static_cast<std::int32_t>(column);
    values[at] = -1e-12;
    A.column = std::move(columns);
    A.value = std::move(values);
    for (std::int64_t i = row + 1; i <= A.rows; ++i) {
        ++A.row_start[i];
    }
    Monitor monitor;
    Eigen::VectorXd x = Eigen::VectorXd::Constant(2000, 0.5);
    CHECK(graph_multigrid(problem, {}, x.data(), monitor).converged);
    CHECK((x - exact).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("nothing is taken out where the bound does not hold or little is anchored") {
    Monitor monitor;
    const Context context{1, monitor};
    const auto applies = [&](const Problem& problem) {
        return graph::AnchoredRows::make(problem, ScaledMatrix(problem.matrix, context), context) != nullptr;
    };
    CHECK(applies(soft_graph(300, 100)));
    CHECK_FALSE(applies(soft_graph(300, 100, 5)));  // a positive entry off the diagonal
    CHECK_FALSE(applies(soft_graph(300, 0)));       // nothing is anchored
    CHECK_FALSE(applies(soft_graph(300, 10)));      // the weight is less than the neighbours'
    Problem all = problem_from(Eigen::MatrixXd::Identity(20, 20), Eigen::VectorXd::Ones(20));
    CHECK_FALSE(applies(all));  // nothing is free
    Problem colours = soft_graph(300, 100);
    colours.channels = 1;
    colours.colours = Buffer<float>(300);
    std::fill(colours.colours.begin(), colours.colours.end(), 0.5f);
    CHECK_FALSE(applies(colours));
}

TEST_CASE("a relative residual that is asked for is reached on the whole system") {
    const Problem problem = soft_graph(1000, 100);
    Monitor monitor;
    Eigen::VectorXd x = Eigen::VectorXd::Zero(1000);
    const SolveInfo info = graph_multigrid(problem, {Solver::graph_multigrid, 1e-11}, x.data(), monitor);
    CHECK(info.converged);
    CHECK(relative_residual(problem, x.data(), 1, monitor) < 1.01e-11);
}
