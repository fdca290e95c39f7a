#include "solve/graph_multigrid/graph_multigrid.hpp"

#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <cmath>
#include <map>
#include <numeric>

#include "reference/dense_solve.hpp"
#include "solve/graph_multigrid/hierarchy.hpp"
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

using Entries = std::map<std::pair<std::int64_t, std::int64_t>, double>;

Csr csr_of(std::int64_t n, const Entries& entries) {
    Csr matrix;
    matrix.rows = n;
    const auto count = static_cast<std::int64_t>(entries.size());
    matrix.row_start = Buffer<std::int64_t>(n + 1);
    matrix.column = Buffer<std::int32_t>(count);
    matrix.value = Buffer<double>(count);
    std::fill(matrix.row_start.begin(), matrix.row_start.end(), 0);
    std::int64_t k = 0;
    for (const auto& [place, value] : entries) {
        ++matrix.row_start[place.first + 1];
        matrix.column[k] = static_cast<std::int32_t>(place.second);
        matrix.value[k++] = value;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        matrix.row_start[i + 1] += matrix.row_start[i];
    }
    return matrix;
}

// Adds the matrix of the energy w (x_i - x_j)^2.
void couple(Entries& entries, std::int64_t i, std::int64_t j, double w) {
    entries[{i, i}] += w;
    entries[{j, j}] += w;
    entries[{i, j}] -= w;
    entries[{j, i}] -= w;
}

// The graph of a grid in which each node has four neighbours with random weights. The corner is
// tied to a known value by `anchor`.
Csr grid_graph(std::int64_t side, double anchor = 1) {
    Entries entries;
    Random random(7);
    for (std::int64_t y = 0; y < side; ++y) {
        for (std::int64_t x = 0; x < side; ++x) {
            const std::int64_t i = y * side + x;
            if (x + 1 < side) {
                couple(entries, i, i + 1, 0.5 + random());
            }
            if (y + 1 < side) {
                couple(entries, i, i + side, 0.5 + random());
            }
        }
    }
    entries[{0, 0}] += anchor;
    return csr_of(side * side, entries);
}

// The graph of points of the unit cube in cells of about four points. Each point is coupled to all
// points of its cell and of the next cell along each axis. One point in fifty is tied to a known
// value.
Csr scattered_graph(std::int64_t n) {
    Entries entries;
    Random random(11);
    std::vector<std::array<double, 3>> points(static_cast<std::size_t>(n));
    for (auto& point : points) {
        point = {random(), random(), random()};
    }
    std::sort(points.begin(), points.end());
    const auto cells = static_cast<std::int64_t>(std::cbrt(static_cast<double>(n) / 4)) + 1;
    std::map<std::array<std::int64_t, 3>, std::vector<std::int64_t>> cell;
    for (std::int64_t i = 0; i < n; ++i) {
        std::array<std::int64_t, 3> at{};
        for (std::size_t d = 0; d < 3; ++d) {
            at[d] = static_cast<std::int64_t>(points[static_cast<std::size_t>(i)][d] * static_cast<double>(cells));
        }
        cell[at].push_back(i);
    }
    for (const auto& [at, members] : cell) {
        for (const std::array<std::int64_t, 3> step :
             {std::array<std::int64_t, 3>{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}}) {
            const auto other = cell.find({at[0] + step[0], at[1] + step[1], at[2] + step[2]});
            for (const std::int64_t i : members) {
                for (std::size_t m = 0; other != cell.end() && m < other->second.size(); ++m) {
                    if (const std::int64_t j = other->second[m]; i < j || other->first != at) {
                        couple(entries, i, j, 1);
                    }
                }
            }
        }
    }
    for (std::int64_t i = 0; i < n; i += 50) {
        entries[{i, i}] += 1;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        entries[{i, i}] += 1e-9;  // this keeps points without a neighbour positive definite
    }
    return csr_of(n, entries);
}

struct Scaled {
    Csr A;
    Buffer<float> near_null;

    ScaledMatrix matrix() const {
        Monitor monitor;
        return ScaledMatrix(A, {1, monitor});
    }
};

// Returns D^-1/2 A D^-1/2, and D^1/2 times the constant.
Scaled unit_diagonal(Csr A) {
    std::vector<double> root(static_cast<std::size_t>(A.rows));
    Scaled scaled{{}, Buffer<float>(A.rows)};
    for (std::int64_t i = 0; i < A.rows; ++i) {
        root[static_cast<std::size_t>(i)] = std::sqrt(A.value[A.diagonal(i)]);
        scaled.near_null[i] = static_cast<float>(root[static_cast<std::size_t>(i)]);
    }
    for (std::int64_t i = 0; i < A.rows; ++i) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            A.value[k] /= root[static_cast<std::size_t>(i)] * root[static_cast<std::size_t>(A.column[k])];
        }
    }
    scaled.A = std::move(A);
    return scaled;
}

Eigen::MatrixXd dense(const graph::SparseMatrix& matrix) {
    Eigen::MatrixXd full = Eigen::MatrixXd::Zero(matrix.rows, matrix.columns);
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        for (std::int64_t k = matrix.row_start[i]; k < matrix.row_start[i + 1]; ++k) {
            full(i, matrix.column[k]) += matrix.value[k];
        }
    }
    return full;
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
    const Eigen::MatrixXd A = test::dense(scaled.A);
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
    const Eigen::MatrixXd whole = test::dense(scaled.A);
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

TEST_CASE("each node belongs to one aggregate, and aggregates hang together") {
    const Scaled scaled = unit_diagonal(grid_graph(40));
    Monitor monitor;
    const Context context{1, monitor};
    std::vector<graph::Level> levels =
        graph::make_levels(graph::level_of(scaled.matrix(), context), scaled.near_null, 1, 1, context);
    const graph::Strength<float> strength =
        graph::measure_strength(levels[0].A, {scaled.A.rows, {}}, scaled.near_null.data(), context);
    const graph::Aggregates aggregates = graph::aggregate(strength, context);
    std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(aggregates.count));
    for (std::int64_t i = 0; i < scaled.A.rows; ++i) {
        const bool is_in_one = aggregates.of_node[i] >= 0 && aggregates.of_node[i] < aggregates.count;
        REQUIRE(is_in_one);
        members[static_cast<std::size_t>(aggregates.of_node[i])].push_back(i);
    }
    for (const std::vector<std::int64_t>& nodes : members) {
        REQUIRE(!nodes.empty());
        // The search spreads over strong couplings within the aggregate, from its first node on.
        std::vector<std::int64_t> reached{nodes[0]};
        for (std::size_t at = 0; at < reached.size(); ++at) {
            for (std::int64_t k = scaled.A.row_start[reached[at]]; k < scaled.A.row_start[reached[at] + 1]; ++k) {
                const std::int64_t j = scaled.A.column[k];
                if (strength.is_strong(reached[at], k) && aggregates.of_node[j] == aggregates.of_node[nodes[0]] &&
                    std::find(reached.begin(), reached.end(), j) == reached.end()) {
                    reached.push_back(j);
                }
            }
        }
        CHECK(reached.size() == nodes.size());
    }
    CHECK(aggregates.count < scaled.A.rows / 4);
}

TEST_CASE("the coarse matrix is P^T A P, and P gives the near-null vector back") {
    const Scaled scaled = unit_diagonal(grid_graph(25, 0));
    Monitor monitor;
    const std::vector<graph::Level> levels =
        graph::make_levels(graph::level_of(scaled.matrix(), {1, monitor}), scaled.near_null, 1, 1, {1, monitor});
    REQUIRE(levels.size() >= 2);
    const Eigen::MatrixXd P = dense(levels[0].P);
    const Eigen::MatrixXd expected = P.transpose() * test::dense(scaled.A) * P;
    CHECK((dense(levels[1].matrix) - expected).cwiseAbs().maxCoeff() < 1e-5);
    CHECK((dense(levels[0].R) - P.transpose()).cwiseAbs().maxCoeff() == 0);
    // The constant lies in the range of P.
    const Eigen::VectorXd N = test::dense(scaled.near_null);
    const Eigen::VectorXd coarse = P.colPivHouseholderQr().solve(N);
    CHECK((P * coarse - N).cwiseAbs().maxCoeff() < 1e-4);
}

TEST_CASE("the bound of the eigenvalues is near the largest one") {
    for (const bool is_grid : {true, false}) {
        const Scaled scaled = unit_diagonal(is_grid ? grid_graph(25) : scattered_graph(700));
        Monitor monitor;
        const std::vector<graph::Level> levels =
            graph::make_levels(graph::level_of(scaled.matrix(), {1, monitor}), scaled.near_null, 1, 1, {1, monitor});
        for (const graph::Level& level : levels) {
            const Eigen::MatrixXd A = &level == &levels[0] ? test::dense(scaled.A) : dense(level.matrix);
            const double largest = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(A).eigenvalues().maxCoeff();
            CHECK(level.lmax > 0.97 * largest);
            CHECK(level.lmax < 1.1 * largest);
        }
    }
}

TEST_CASE("the tentative prolongation is orthonormal and gives all near-null vectors back") {
    constexpr std::int64_t side = 12;
    const Scaled scaled = unit_diagonal(grid_graph(side));
    Monitor monitor;
    const Context context{1, monitor};
    Buffer<float> N(4 * side * side);
    Random random(5);
    for (std::int64_t i = 0; i < side * side; ++i) {
        N[i] = scaled.near_null[i];
        N[side * side + i] = N[i] * static_cast<float>(random());
        N[2 * side * side + i] =
            // The vectors of the first nodes do not have full rank.
            i < 40 ? 2 * N[side * side + i] : N[i] * static_cast<float>(random());
        N[3 * side * side + i] = 0.5f * N[i];
    }
    const graph::Nodes nodes{scaled.A.rows, {}};
    const Buffer<float> values = [&] {
        Buffer<float> v(scaled.A.nonzeros());
        std::copy(scaled.A.value.begin(), scaled.A.value.end(), v.begin());
        return v;
    }();
    const graph::MatrixView A{scaled.A.rows, scaled.A.row_start.data(), scaled.A.column.data(), values.data()};
    const graph::Aggregates aggregates =
        graph::aggregate(graph::measure_strength(A, nodes, N.data(), context), context);
    const graph::Prolongation T = graph::tentative_prolongation(nodes, aggregates, N, 4, context);
    const Eigen::MatrixXd dense_T = dense(T.P);
    CHECK(T.P.columns > 2 * aggregates.count);
    CHECK(T.P.columns <= 3 * aggregates.count);
    CHECK((dense_T.transpose() * dense_T - Eigen::MatrixXd::Identity(T.P.columns, T.P.columns)).cwiseAbs().maxCoeff() <
          1e-5);
    const Eigen::Map<const Eigen::MatrixXf> fine(N.data(), side * side, 4);
    const Eigen::Map<const Eigen::MatrixXf> coarse(T.near_null.data(), T.P.columns, 4);
    CHECK((dense_T * coarse.cast<double>() - fine.cast<double>()).cwiseAbs().maxCoeff() < 1e-3);
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
    CHECK((x - dense_solve(test::dense(problem.matrix), test::dense(problem.rhs))).cwiseAbs().maxCoeff() < 1e-3);
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
