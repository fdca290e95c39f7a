// Measures the strength of couplings symmetrically: a_ij^2 is compared with the product of the
// largest entries of both rows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "solve/graph_multigrid/aggregates.hpp"

namespace trimatte::graph {
namespace {

// Returns the Frobenius norms of the blocks between nodes.
SparseMatrix norms_of_blocks(const MatrixView& A, const Nodes& nodes, const Context& context) {
    Buffer<std::int32_t> node_of(A.rows);
    Buffer<std::int64_t> start(nodes.count + 1);  // the first entry of each node
    start[nodes.count] = A.nonzeros();
    parallel_ranges(nodes.count, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t node = begin; node < end; ++node) {
            start[node] = A.row_start[nodes.begin(node)];
            for (std::int32_t i = nodes.begin(node); i < nodes.end(node); ++i) {
                node_of[i] = static_cast<std::int32_t>(node);
            }
        }
    });
    const auto ranges = ranges_of_rows(nodes.count, start.data());
    SparseMatrix norms = build_rows(nodes.count, nodes.count, ranges, context, [&](std::int64_t node, RowSum& sum) {
        for (std::int64_t k = start[node]; k < start[node + 1]; ++k) {
            const double a = A.value[k];
            sum.add(node_of[A.column[k]], a * a);
        }
    });
    parallel_ranges(norms.nonzeros(), context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) {
            norms.value[k] = std::sqrt(norms.value[k]);
        }
    });
    return norms;
}

// Fills strength.largest. weight(j): the near-null vector at node j.
template <class Value, class Weight>
void find_largest(Strength<Value>& strength, const Weight& weight, const Context& context) {
    const MatrixViewOf<Value>& graph = strength.graph;
    strength.largest = Buffer<float>(graph.rows);
    const auto borders = ranges_of_rows(graph.rows, graph.row_start);
    for_ranges(borders, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            float largest = 0;
            double rest = 0, diagonal = 0;  // in the units of the near-null vector
            for (std::int64_t k = graph.row_start[i]; k < graph.row_start[i + 1]; ++k) {
                const std::int64_t j = graph.column[k];
                const Value a = std::abs(graph.value[k]);
                if (j == i) {
                    diagonal = a * weight(j);
                } else {
                    rest += a * weight(j);
                    largest = std::max(largest, static_cast<float>(a));
                }
            }
            const bool is_anchored = rest <= anchored_at_most * diagonal;
            strength.largest[i] = is_anchored ? std::numeric_limits<float>::infinity() : largest;
        }
    });
}

}  // namespace

Strength<float> measure_strength(const MatrixView& A, const Nodes& nodes, const float* near_null,
                                 const Context& context) {
    Strength<float> strength;
    if (nodes.are_single()) {
        strength.graph = A;
    } else {
        strength.norms = norms_of_blocks(A, nodes, context);
        strength.graph = strength.norms.view();
    }
    const bool are_single = nodes.are_single();
    find_largest(
        strength, [&](std::int64_t j) { return are_single ? static_cast<double>(std::abs(near_null[j])) : 1.0; },
        context);
    return strength;
}

Strength<double> measure_strength(const MatrixViewOf<double>& A, const Context& context) {
    Strength<double> strength;
    strength.graph = A;
    find_largest(strength, [](std::int64_t) { return 1.0; }, context);
    return strength;
}

}  // namespace trimatte::graph
