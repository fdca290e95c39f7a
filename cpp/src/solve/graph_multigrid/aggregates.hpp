// Which unknowns hang together strongly, and the aggregates that they form.
#pragma once

#include <cstdint>
#include <vector>

#include "solve/graph_multigrid/sparse_matrix.hpp"

namespace trimatte::graph {

// A node is what an aggregate is made of: one unknown on the finest level, and all unknowns of one
// aggregate of the level above on the others. Unknowns of a node have consecutive numbers.
struct Nodes {
    std::int64_t count = 0;
    Buffer<std::int32_t> first;  // count + 1; empty if every node has one unknown

    std::int32_t begin(std::int64_t node) const {
        return first.size() == 0 ? static_cast<std::int32_t>(node) : first[node];
    }
    std::int32_t end(std::int64_t node) const { return begin(node + 1); }
    bool are_single() const { return first.size() == 0; }
};

// How strongly nodes are coupled.
struct Strength {
    MatrixView graph;            // of nodes: their entry, or the Frobenius norm of the block of their unknowns
    SparseMatrix norms;          // what graph shows, if nodes have several unknowns
    Buffer<float> largest;       // of each row off the diagonal, in absolute value
    Buffer<std::uint8_t> alone;  // 1: the diagonal outweighs the rest of the row, so that smoothing is enough

    // Whether entry k of row i is strong; so is then the entry on the other side of the diagonal.
    bool is_strong(std::int64_t i, std::int64_t k) const {
        const std::int64_t j = graph.column[k];
        const float a = graph.value[k];
        return j != i && alone[j] == 0 && a * a >= threshold * threshold * largest[i] * largest[j];
    }
    // Couplings weaker than this, beside the strongest ones of the two nodes, do not hold an
    // aggregate together.
    static constexpr float threshold = 0.25f;
};
Strength measure_strength(const MatrixView& A, const Nodes& nodes, const float* near_null, const Context& context);

// The aggregate of each node, -1 for nodes that are alone. Depends on the order of the nodes only.
struct Aggregates {
    std::int64_t count = 0;
    Buffer<std::int32_t> of_node;
};
Aggregates aggregate(const Strength& strength, const Context& context);

}  // namespace trimatte::graph
