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

struct System {
    Rows rows;
    std::vector<double> rhs;

    Problem problem() const { return problem_from(rows, rhs); }
};

// The soft system of a graph: each of n unknowns is coupled to four random ones nearby and one far
// away; `odd` is added to one coupling. Three quarters are known, with a weight of `weight`: a block
// of ones, then one of zeros, with the unknown ones between, and a few of these inside the blocks.
System soft_system(std::int64_t n, double weight, double odd = 0) {
    System system{Rows(static_cast<std::size_t>(n)), std::vector<double>(static_cast<std::size_t>(n))};
    const auto entry = [&](std::int64_t i, std::int64_t j) -> double& {
        return system.rows[static_cast<std::size_t>(i)][j];
    };
    Random random(3);
    const auto below = [&](std::int64_t limit) {
        return static_cast<std::int64_t>(random() * static_cast<double>(limit));
    };
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
        system.rhs[static_cast<std::size_t>(i)] = is_known && quarter == 0 ? weight : 0;
    }
    if (odd != 0) {
        entry(0, 1) += odd;
        entry(1, 0) += odd;
    }
    return system;
}

Problem soft_graph(std::int64_t n, double weight, double odd = 0) { return soft_system(n, weight, odd).problem(); }

// The quantities of the header, from a dense matrix.
struct Twin {
    std::vector<Eigen::Index> F, T, anchored;
    Eigen::MatrixXd A, to_T, B;  // to_T = -A_FT; B: the matrix of the reduced system
    Eigen::VectorXd b, c, d;
    Eigen::VectorXd q, C, g;  // q on T, the diagonal of C, and g

    explicit Twin(const Problem& problem)
        : A(dense(problem.matrix)), b(dense(problem.rhs)), c(A.rowwise().sum()), d(A.diagonal()) {
        for (Eigen::Index i = 0; i < A.rows(); ++i) {
            (d(i) - c(i) > 0.3 * d(i) ? F : anchored).push_back(i);
        }
        for (const Eigen::Index i : anchored) {
            if (A(i, F).cwiseAbs().maxCoeff() > 0) {
                T.push_back(i);
            }
        }
        to_T = -A(F, T);
        q = (to_T.transpose().rowwise().sum()).cwiseQuotient(d(T));
        C = to_T * q;
        g = to_T * c(T).cwiseQuotient(d(T));
        B = A(F, F);
        B.diagonal() -= C;
    }
    Eigen::VectorXd rhs(const Eigen::VectorXd& x) const { return b(F) + to_T * x(T) - C.cwiseProduct(x(F)); }
    // The largest |r_i| / c_i of the anchored rows.
    double of_anchored(const Eigen::VectorXd& x) const {
        return (b - A * x)(anchored).cwiseQuotient(c(anchored)).cwiseAbs().maxCoeff();
    }
    // The largest |s_f| / g_f of the free rows that T is coupled to.
    double of_free(const Eigen::VectorXd& x, const Eigen::VectorXd& rhs_before) const {
        const Eigen::VectorXd s = rhs(x) - rhs_before;
        double largest = 0;
        for (Eigen::Index n = 0; n < s.size(); ++n) {
            largest = std::max(largest, g(n) > 0 ? std::abs(s(n)) / g(n) : 0.0);
        }
        return largest;
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

TEST_CASE("the reduced system, its right-hand side, and the steps between are those of dense matrices") {
    const Problem problem = soft_graph(300, 100);
    Monitor monitor;
    const Context context{1, monitor};
    const auto rows = graph::AnchoredRows::make(problem, context);
    REQUIRE(rows);
    const Twin twin(problem);
    const auto &F = twin.F, &T = twin.T;
    REQUIRE(T.size() > 10);
    REQUIRE(twin.anchored.size() > T.size() + 10);
    CHECK((dense(rows->reduced().matrix) - twin.B).cwiseAbs().maxCoeff() < 1e-12);

    // The start is what an anchored row has if its neighbours agree with it.
    Eigen::VectorXd x = Eigen::VectorXd::Constant(300, 0.5);
    rows->start(x.data(), context);
    CHECK(x(twin.anchored).isApprox(twin.b(twin.anchored).cwiseQuotient(twin.c(twin.anchored))));
    const Eigen::VectorXd pulls = twin.to_T * twin.q.cwiseProduct(x(T));
    for (std::size_t n = 0; n < F.size(); ++n) {
        const auto at = static_cast<Eigen::Index>(n);
        CHECK(x(F[n]) == doctest::Approx(twin.C(at) > 0 ? pulls(at) / twin.C(at) : 0.5));
    }
    rows->prepare(x.data(), context);
    CHECK((dense(rows->reduced().rhs) - twin.rhs(x)).cwiseAbs().maxCoeff() < 1e-12);

    Eigen::VectorXd reduced(static_cast<Eigen::Index>(F.size()));
    rows->get(x.data(), reduced.data(), context);
    CHECK(reduced == x(F));
    Random random(8);
    const auto move_free = [&] {
        for (double& value : reduced) {
            value = random();
        }
    };
    // The first step takes the anchored neighbours of T to agree, the next one knows the residual.
    move_free();
    const Eigen::VectorXd before = x;
    rows->set(reduced.data(), x.data(), context);
    const Eigen::VectorXd pulled =
        twin.to_T.transpose() * reduced - (twin.q.cwiseProduct(twin.d(T))).cwiseProduct(before(T));
    CHECK((x(T) - before(T) - pulled.cwiseQuotient(twin.d(T))).cwiseAbs().maxCoeff() < 1e-12);
    CHECK(x(F) == reduced);
    rows->measure(x.data(), context);
    move_free();
    Eigen::VectorXd after = x;
    after(F) = reduced;
    after(T) += (twin.b - twin.A * after)(T).cwiseQuotient(twin.d(T));
    rows->set(reduced.data(), x.data(), context);
    CHECK((x - after).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("rho bounds the error where the reduced system is solved exactly, and sweeps make it smaller") {
    const Problem problem = soft_graph(300, 100);
    Monitor monitor;
    const Context context{1, monitor};
    const auto rows = graph::AnchoredRows::make(problem, context);
    REQUIRE(rows);
    const Twin twin(problem);
    const Eigen::VectorXd exact = dense_solve(twin.A, twin.b);
    Eigen::VectorXd x = Eigen::VectorXd::Constant(300, 0.5);
    rows->start(x.data(), context);
    double before = 10;
    for (int round = 0; round < 4; ++round) {
        rows->prepare(x.data(), context);
        const Eigen::VectorXd rhs = dense(rows->reduced().rhs);
        const Eigen::VectorXd reduced = dense_solve(twin.B, rhs);
        rows->set(reduced.data(), x.data(), context);
        const double rho = rows->measure(x.data(), context);
        CHECK(rho == doctest::Approx(twin.of_anchored(x) + twin.of_free(x, rhs)));
        CHECK((x - exact).cwiseAbs().maxCoeff() <= rho);
        CHECK((x - exact).cwiseAbs().maxCoeff() > 0.01 * rho);
        CHECK(rho < 0.3 * before);
        CHECK(rows->relative_residual(reduced.data(), x.data(), context) ==
              doctest::Approx(relative_residual(problem, x.data(), 1, monitor)));
        before = rho;
        const double of_anchored = twin.of_anchored(x);
        rows->sweep(0.1 * of_anchored, x.data(), context);
        CHECK(twin.of_anchored(x) < 0.5 * of_anchored);
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
    const auto rows = graph::AnchoredRows::make(problem, context);
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

TEST_CASE("where eight rounds are not enough, the whole system is solved") {
    // A round divides rho by about twenty, so that eight rounds do not reach this tolerance.
    const Problem problem = soft_graph(2000, 35);
    Monitor monitor;
    const Context context{1, monitor};
    REQUIRE(graph::AnchoredRows::make(problem, context));
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
    System system = soft_system(2000, 100);
    const Problem symmetric = system.problem();
    const Eigen::VectorXd exact = dense_solve(dense(symmetric.matrix), dense(symmetric.rhs));
    // The row of an unknown in the middle gets the entry of a known pixel that is not coupled to it,
    // and the other way round.
    for (const auto& [row, column] : {std::pair<std::size_t, std::int64_t>{740, 1900}, {1901, 741}}) {
        REQUIRE(system.rows[row].count(column) == 0);
        system.rows[row][column] = -1e-12;
    }
    Monitor monitor;
    Eigen::VectorXd x = Eigen::VectorXd::Constant(2000, 0.5);
    CHECK(graph_multigrid(system.problem(), {}, x.data(), monitor).converged);
    CHECK((x - exact).cwiseAbs().maxCoeff() < 1e-3);
}

TEST_CASE("nothing is taken out where the bound does not hold or little is anchored") {
    Monitor monitor;
    const Context context{1, monitor};
    const auto applies = [&](const Problem& problem) { return graph::AnchoredRows::make(problem, context) != nullptr; };
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
