// Strength of coupling, symmetric: a_ij^2 beside the largest entries of both rows.
#include <algorithm>
#include <cmath>

#include "solve/graph_multigrid/aggregates.hpp"

namespace trimatte::graph {
namespace {

// The rest of a row may weigh this much of the diagonal for smoothing alone to solve it.
constexpr double alone_below = 0.3;

// The Frobenius norms of the blocks of nodes.
SparseMatrix norms_of_blocks(const MatrixView& A, const Nodes& nodes, const Context& context) {
    Buffer<std::int32_t> node_of(A.rows);
    for (std::int64_t node = 0; node < nodes.count; ++node) {
        std::fill(node_of.data() + nodes.begin(node), node_of.data() + nodes.end(node),
                  static_cast<std::int32_t>(node));
    }
    std::vector<std::int64_t> entries(static_cast<std::size_t>(nodes.count) + 1);
    for (std::int64_t node = 0; node <= nodes.count; ++node) {
        entries[static_cast<std::size_t>(node)] = A.row_start[nodes.begin(node)];
    }
    SparseMatrix norms = build_rows(nodes.count, nodes.count, ranges_of_rows(nodes.count, entries.data()), context,
                                    [&](std::int64_t node, RowSum& sum) {
                                        for (std::int64_t k = entries[static_cast<std::size_t>(node)];
                                             k < entries[static_cast<std::size_t>(node) + 1]; ++k) {
                                            const double a = A.value[k];
                                            sum.add(node_of[A.column[k]], a * a);
                                        }
                                    });
    for (float& value : norms.value) {
        value = std::sqrt(value);
    }
    return norms;
}

}  // namespace

Strength measure_strength(const MatrixView& A, const Nodes& nodes, const float* near_null, const Context& context) {
    Strength strength;
    if (nodes.are_single()) {
        strength.graph = A;
    } else {
        strength.norms = norms_of_blocks(A, nodes, context);
        strength.graph = strength.norms.view();
    }
    const MatrixView& graph = strength.graph;
    strength.largest = Buffer<float>(graph.rows);
    strength.alone = Buffer<std::uint8_t>(graph.rows);
    const auto borders = ranges_of_rows(graph.rows, graph.row_start);
    for_ranges(borders, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            float largest = 0;
            double rest = 0, diagonal = 0;  // in the units of the vector that costs nothing
            for (std::int64_t k = graph.row_start[i]; k < graph.row_start[i + 1]; ++k) {
                const std::int64_t j = graph.column[k];
                const double weight = nodes.are_single() ? std::abs(near_null[j]) : 1.0;
                const float a = std::abs(graph.value[k]);
                if (j == i) {
                    diagonal = a * weight;
                } else {
                    rest += a * weight;
                    largest = std::max(largest, a);
                }
            }
            strength.largest[i] = largest;
            strength.alone[i] = rest <= alone_below * diagonal ? 1 : 0;
        }
    });
    return strength;
}

}  // namespace trimatte::graph
