#include <doctest/doctest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "graphs.hpp"
#include "solve/graph_multigrid/hierarchy.hpp"
#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

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
    const Eigen::MatrixXd expected = P.transpose() * dense(scaled.A) * P;
    CHECK((dense(levels[1].matrix) - expected).cwiseAbs().maxCoeff() < 1e-5);
    CHECK((dense(levels[0].R) - P.transpose()).cwiseAbs().maxCoeff() == 0);
    // The constant lies in the range of P.
    const Eigen::VectorXd N = dense(scaled.near_null);
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
            const Eigen::MatrixXd A = &level == &levels[0] ? dense(scaled.A) : dense(level.matrix);
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
