// Finds the strong couplings between unknowns, and the aggregates that they form.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "solve/graph_multigrid/sparse_matrix.hpp"

namespace trimatte::graph {

// A node is one unknown on the finest level. On the other levels it consists of all unknowns that
// come from one aggregate of the finer level. The unknowns of a node have consecutive numbers.
// Aggregates consist of nodes.
struct Nodes {
    std::int64_t count = 0;
    // The first unknown of each node, count + 1 numbers; empty if every node has one unknown.
    Buffer<std::int32_t> first;

    std::int32_t begin(std::int64_t node) const {
        return first.size() == 0 ? static_cast<std::int32_t>(node) : first[node];
    }
    std::int32_t end(std::int64_t node) const { return begin(node + 1); }
    bool are_single() const { return first.size() == 0; }
};

// The strength of the couplings between nodes, for a matrix with entries of type float or double.
template <class Value>
struct Strength {
    // The entry between two nodes, or the Frobenius norm of the block of their unknowns.
    MatrixViewOf<Value> graph;
    SparseMatrix norms;  // the matrix that `graph` shows if nodes have several unknowns
    // The largest absolute value off the diagonal in each row. It is infinite in an
    // anchored row, where smoothing is enough.
    Buffer<float> largest;

    bool is_anchored(std::int64_t i) const { return std::isinf(largest[i]); }
    // Whether entry k of row i is strong. The entry on the other side of the diagonal is strong,
    // too.
    bool is_strong(std::int64_t i, std::int64_t k) const {
        const std::int32_t j = graph.column[k];
        const Value a = graph.value[k];
        return a * a >= threshold * threshold * largest[i] * largest[j] && j != i;
    }
    // Couplings that are weaker than this part of the strongest ones of both nodes (in the
    // geometric mean) do not hold an aggregate together.
    static constexpr float threshold = 0.25f;
};
Strength<float> measure_strength(const MatrixView& A, const Nodes& nodes, const float* near_null,
                                 const Context& context);
// Every unknown is a node here, and the near-null vector is the constant.
Strength<double> measure_strength(const MatrixViewOf<double>& A, const Context& context);

// The aggregate of each node; -1 for anchored ones. It depends on the order of the nodes
// only.
struct Aggregates {
    std::int64_t count = 0;
    Buffer<std::int32_t> of_node;
};
template <class Value>
Aggregates aggregate(const Strength<Value>& strength, const Context& context);

}  // namespace trimatte::graph
