#include "solve/cholesky/cholesky.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "allocations.hpp"
#include "reference/dense_solve.hpp"
#include "solve/cholesky/elimination_tree.hpp"
#include "support.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

Eigen::VectorXd run(const Problem& problem) {
    Monitor monitor;
    Eigen::VectorXd x(problem.unknowns());
    const SolveInfo info = cholesky(problem, {}, x.data(), monitor);
    CHECK(info.solver == Solver::cholesky);
    CHECK(info.converged);
    CHECK(info.iterations == 0);
    CHECK(info.relative_residual < 1e-10);
    return x;
}

Eigen::VectorXd dense_solution(const Problem& problem) {
    return dense_solve(dense(problem.matrix), dense(problem.rhs));
}

// The Laplacian of a random graph on the marked pixels of a picture, with a small number added to
// the diagonal. Each pixel is coupled to those at most `reach` rows and columns away, or to about
// half of them if `sparse`.
Problem grid_problem(std::int64_t height, std::int64_t width, std::int64_t reach, const std::vector<char>& marked,
                     bool sparse = false) {
    Random random(7);
    std::vector<std::int32_t> pixel, number(marked.size(), -1);
    for (std::size_t p = 0; p < marked.size(); ++p) {
        if (marked[p] != 0) {
            number[p] = static_cast<std::int32_t>(pixel.size());
            pixel.push_back(static_cast<std::int32_t>(p));
        }
    }
    const auto n = static_cast<std::int64_t>(pixel.size());
    Eigen::MatrixXd A = Eigen::MatrixXd::Zero(n, n);
    for (std::int64_t i = 0; i < n; ++i) {
        A(i, i) += 0.01;
        for (std::int64_t j = 0; j < i; ++j) {
            const std::int64_t p = pixel[static_cast<std::size_t>(i)], q = pixel[static_cast<std::size_t>(j)];
            if (std::abs(p / width - q / width) <= reach && std::abs(p % width - q % width) <= reach &&
                !(sparse && random() < 0.5)) {
                const double weight = random() + 0.01;
                A(i, j) = A(j, i) = -weight;
                A(i, i) += weight;
                A(j, j) += weight;
            }
        }
    }
    Problem problem;
    problem.height = height;
    problem.width = width;
    problem.reach = reach;
    problem.pixel = Buffer<std::int32_t>(n);
    std::copy(pixel.begin(), pixel.end(), problem.pixel.begin());
    problem.rhs = Buffer<double>(n);
    std::generate(problem.rhs.begin(), problem.rhs.end(), random);
    problem.matrix.rows = n;
    problem.matrix.row_start = Buffer<std::int64_t>(n + 1);
    const std::int64_t entries = (A.array() != 0).count();
    problem.matrix.column = Buffer<std::int32_t>(entries);
    problem.matrix.value = Buffer<double>(entries);
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        problem.matrix.row_start[i] = at;
        for (std::int64_t j = 0; j < n; ++j) {
            if (A(i, j) != 0) {
                problem.matrix.column[at] = static_cast<std::int32_t>(j);
                problem.matrix.value[at++] = A(i, j);
            }
        }
    }
    problem.matrix.row_start[n] = at;
    return problem;
}

std::vector<char> all_of(std::int64_t height, std::int64_t width) {
    return std::vector<char>(static_cast<std::size_t>(height * width), 1);
}

std::vector<char> some_of(std::int64_t height, std::int64_t width, double share) {
    Random random(3);
    std::vector<char> marked = all_of(height, width);
    std::generate(marked.begin(), marked.end(), [&] { return random() < share; });
    return marked;
}

void check_solution(const Problem& problem) {
    CHECK((run(problem) - dense_solution(problem)).cwiseAbs().maxCoeff() < 1e-9);
}

// Returns the rows of each column of the factor, the diagonal included, by carrying out the
// elimination on the pattern.
std::vector<std::int32_t> dense_counts(const Eigen::MatrixXd& A, const std::vector<std::int32_t>& order) {
    const Eigen::VectorXi p = Eigen::Map<const Eigen::VectorXi>(order.data(), static_cast<Eigen::Index>(order.size()));
    Eigen::MatrixXi coupled = (A(p, p).array() != 0).cast<int>();
    std::vector<std::int32_t> counts;
    for (Eigen::Index k = 0; k < coupled.rows(); ++k) {
        const Eigen::VectorXi below = coupled.col(k).tail(coupled.rows() - k);
        counts.push_back(below.sum());
        coupled.bottomRightCorner(below.size(), below.size()).array() += (below * below.transpose()).array();
        coupled = coupled.cwiseMin(1);
    }
    return counts;
}

}  // namespace

TEST_CASE("random grids are solved as a dense LDLT does") {
    SUBCASE("a full picture") { check_solution(grid_problem(25, 31, 2, all_of(25, 31))); }
    SUBCASE("a front wider than a block") { check_solution(grid_problem(20, 60, 5, all_of(20, 60))); }
    SUBCASE("a part of the couplings") { check_solution(grid_problem(30, 30, 2, all_of(30, 30), true)); }
    SUBCASE("disconnected regions and single pixels") { check_solution(grid_problem(60, 60, 1, some_of(60, 60, 0.2))); }
    SUBCASE("a row of pixels") { check_solution(grid_problem(1, 500, 2, all_of(1, 500))); }
    SUBCASE("a column of pixels") { check_solution(grid_problem(500, 1, 1, all_of(500, 1))); }
    SUBCASE("no unknown") { CHECK(run(grid_problem(3, 3, 2, std::vector<char>(9, 0))).size() == 0); }
}

TEST_CASE("without geometry the order comes from the pattern") {
    Problem problem = grid_problem(20, 30, 2, some_of(20, 30, 0.8), true);
    problem.reach = 0;
    check_solution(problem);
    Monitor monitor;
    const std::vector<std::int32_t> order = elimination_order(problem, {1, monitor});
    std::vector<std::int32_t> natural(order.size());
    std::iota(natural.begin(), natural.end(), 0);
    CHECK(CholeskyPlan(problem.matrix, order, monitor).factor_entries() <
          CholeskyPlan(problem.matrix, natural, monitor).factor_entries());
}

TEST_CASE("columns are counted as elimination fills them") {
    for (const bool sparse : {false, true}) {
        const Problem problem = grid_problem(17, 19, 2, some_of(17, 19, 0.7), sparse);
        Monitor monitor;
        OrderedPattern pattern(problem.matrix, elimination_order(problem, {1, monitor}));
        pattern.reorder(postorder(elimination_tree(pattern, monitor)));
        const std::vector<std::int32_t> parent = elimination_tree(pattern, monitor);
        CHECK(column_counts(pattern, parent, monitor) == dense_counts(dense(problem.matrix), pattern.order));
    }
}

TEST_CASE("a plan tells what the factorisation holds and does") {
    const Problem problem = grid_problem(40, 40, 2, some_of(40, 40, 0.9));
    Monitor monitor;
    const CholeskyPlan plan(problem.matrix, elimination_order(problem, {1, monitor}), monitor);
    const Symbolic& symbolic = plan.symbolic();
    // Every front holds the columns that elimination fills, and some zeros.
    const std::vector<std::int32_t> counts = dense_counts(dense(problem.matrix), symbolic.order);
    std::int64_t entries = 0, filled = 0;
    double work = 0, least_work = 0;
    for (const Front& front : symbolic.fronts) {
        for (std::int32_t j = 0; j < front.columns; ++j) {
            const std::int64_t rows = front.rows() - j;
            CHECK(rows >= counts[static_cast<std::size_t>(front.first + j)]);
            filled += rows;
            work += static_cast<double>(rows * (rows - 1) / 2);
        }
        entries += front.panel_size();
    }
    for (const std::int32_t c : counts) {
        least_work += c * (c - 1) / 2.0;
    }
    CHECK(plan.factor_entries() == entries);
    CHECK(entries >= filled);
    CHECK(plan.multiply_adds() == doctest::Approx(work));
    CHECK(work < 2 * least_work);
    CHECK(static_cast<double>(entries) < 2 * std::accumulate(counts.begin(), counts.end(), 0.0));
}

TEST_CASE("a plan tells the most bytes that are held at once, and threads change no bit") {
    const std::int64_t side = 300;  // the system is large enough for many subtrees
    const Picture image = random_picture(side, side, 3);
    const std::vector<Label> labels = columns_known(side, side);
    Monitor monitor;
    const Problem problem = closed_form(image.view(), labels.data(), {1e-3, 1, 1}, monitor);
    std::vector<double> first;
    for (const int threads : {1, 2, 4}) {
        const std::size_t before = bytes_held();
        const CholeskyPlan plan(problem.matrix, elimination_order(problem, {1, monitor}), monitor);
        reset_peak();
        CholeskyStorage storage;
        const CholeskyFactor factor(plan, problem.matrix, {threads, monitor}, storage);
        std::vector<double> x(problem.rhs.begin(), problem.rhs.end());
        factor.solve(x.data(), {threads, monitor});
        const auto held = static_cast<double>(peak_bytes_held() - before);
        const auto told = static_cast<double>(plan.peak_bytes(threads));
        // Large arrays begin and end with a huge page: the factor, the stack, what subtrees pass
        // on, and one stack for each thread.
        const double pages = (threads == 1 ? 2 : 3 + threads) * 4194304.0;
        CHECK(held < 1.02 * told + pages);
        // With several threads, one may wait while the others work.
        CHECK(held > (threads == 1 ? 0.98 : 0.8) * told);
        if (threads == 1) {
            first = x;
        } else {
            CHECK(schedule(plan.symbolic(), threads).subtrees.size() > 8);
        }
        CHECK(same_bits(x, first));
    }
}

TEST_CASE("the bits do not depend on the number of threads") {
    const Problem problem = grid_problem(45, 45, 3, some_of(45, 45, 0.95));
    Monitor monitor;
    const CholeskyPlan plan(problem.matrix, elimination_order(problem, {1, monitor}), monitor);
    std::vector<double> first;
    CholeskyStorage storage;
    for (const int threads : {1, 2, 7}) {
        const CholeskyFactor factor(plan, problem.matrix, {threads, monitor}, storage);
        std::vector<double> x(problem.rhs.begin(), problem.rhs.end());
        factor.solve(x.data(), {threads, monitor});
        if (threads == 1) {
            first = x;
        }
        CHECK(same_bits(x, first));
    }
}

TEST_CASE("matting problems are solved as a dense LDLT does") {
    for (const int radius : {1, 2}) {
        const Picture image = random_picture(17, 23, 3);
        const std::vector<Label> labels = columns_known(17, 23);
        Monitor monitor;
        SUBCASE("exact") {
            const Problem problem = closed_form(image.view(), labels.data(), {1e-3, radius, 1}, monitor);
            CHECK((run(problem) - dense_solution(problem)).cwiseAbs().maxCoeff() < 1e-9);
        }
        SUBCASE("soft") {
            const Problem problem = closed_form_soft(image.view(), labels.data(), 100, {1e-3, radius, 1}, monitor);
            CHECK((run(problem) - dense_solution(problem)).cwiseAbs().maxCoeff() < 1e-9);
        }
    }
}

TEST_CASE("a solution that rounding has spoilt is an error") {
    Eigen::MatrixXd A(2, 2);
    A << 3, 3 - 4e-15, 3 - 4e-15, 3;
    Eigen::VectorXd b(2);
    b << 1, -1;
    const Problem problem = problem_from(A, b);
    Monitor monitor;
    Eigen::VectorXd x(2);
    CHECK_THROWS_AS(cholesky(problem, {}, x.data(), monitor), FactorizationError);
}

TEST_CASE("small and degenerate systems are solved") {
    SUBCASE("one unknown") {
        const Problem problem = problem_from(Eigen::MatrixXd::Constant(1, 1, 4), Eigen::VectorXd::Constant(1, 2));
        CHECK(run(problem)(0) == 0.5);
    }
    SUBCASE("a diagonal") {
        const Eigen::VectorXd d = Eigen::VectorXd::LinSpaced(9, 1, 9);
        const Problem problem = problem_from(d.asDiagonal(), d);
        CHECK((run(problem) - Eigen::VectorXd::Ones(9)).norm() < 1e-15);
    }
    SUBCASE("nothing on the right-hand side") {
        const Problem problem = problem_from(Eigen::MatrixXd::Identity(4, 4), Eigen::VectorXd::Zero(4));
        CHECK(run(problem).norm() == 0);
    }
}

TEST_CASE("a matrix that is not positive definite is refused") {
    Eigen::MatrixXd A(2, 2);
    SUBCASE("indefinite") { A << 1, 2, 2, 1; }
    SUBCASE("negative") { A << -1, 0, 0, -1; }
    SUBCASE("zero") { A.setZero(); }
    const Problem problem = problem_from(A, Eigen::VectorXd::Ones(2));
    Monitor monitor;
    double x[2];
    CHECK_THROWS_AS(cholesky(problem, {}, x, monitor), FactorizationError);
}

TEST_CASE("phases are timed") {
    const Problem problem = problem_from(Eigen::MatrixXd::Identity(4, 4), Eigen::VectorXd::Ones(4));
    Monitor monitor;
    double x[4];
    cholesky(problem, {}, x, monitor);
    REQUIRE(monitor.seconds().size() == 3);
    CHECK(monitor.seconds()[0].first == "ordering");
    CHECK(monitor.seconds()[1].first == "factorisation");
    CHECK(monitor.seconds()[2].first == "substitution");
}

TEST_CASE("a stop is heard in each part") {
    const int n = 500;  // a dense matrix is one front of several blocks
    const Eigen::MatrixXd A = Eigen::MatrixXd::Ones(n, n) + n * Eigen::MatrixXd::Identity(n, n);
    const Problem problem = problem_from(A, Eigen::VectorXd::Ones(n));
    Monitor calm;
    StopsAtOnce stopped;
    CHECK_THROWS_AS(stopped.phase("asked to stop"), Cancelled);  // every poll throws from here on
    const std::vector<std::int32_t> order = elimination_order(problem, {1, calm});
    CHECK_THROWS_AS(elimination_order(problem, {1, stopped}), Cancelled);
    CHECK_THROWS_AS(CholeskyPlan(problem.matrix, order, stopped), Cancelled);
    const CholeskyPlan plan(problem.matrix, order, calm);
    CholeskyStorage storage;
    for (const int threads : {1, 2}) {
        CHECK_THROWS_AS(CholeskyFactor(plan, problem.matrix, {threads, stopped}, storage), Cancelled);
    }
    std::vector<double> x(n);
    const CholeskyFactor factor(plan, problem.matrix, {1, calm}, storage);
    CHECK_THROWS_AS(factor.solve(x.data(), {1, stopped}), Cancelled);
}

TEST_CASE("a stop at the beginning of a phase leaves the seconds of those before") {
    const Problem problem = problem_from(Eigen::MatrixXd::Identity(4, 4), Eigen::VectorXd::Ones(4));
    const std::string phases[] = {"ordering", "factorisation", "substitution"};
    for (std::size_t i = 0; i < 3; ++i) {
        class StopsBefore : public Monitor {
        public:
            explicit StopsBefore(std::string name) : name_(std::move(name)) {}

        protected:
            bool report(const std::string& phase, double) override { return phase != name_; }

        private:
            std::string name_;
        } monitor(phases[i]);
        double x[4];
        CHECK_THROWS_AS(cholesky(problem, {}, x, monitor), Cancelled);
        CHECK(monitor.seconds().size() == i);
    }
}
