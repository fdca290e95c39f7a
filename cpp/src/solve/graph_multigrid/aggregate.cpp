// Makes the aggregates greedily, in the order of the nodes, on one thread, except that nodes join
// aggregates in parallel. This reads each entry about once, which takes little time beside the
// products of the matrices, and it makes aggregates of neighbours lie side by side.
#include <algorithm>
#include <cmath>

#include "solve/graph_multigrid/aggregates.hpp"

namespace trimatte::graph {
namespace {

constexpr std::int32_t none = -1;

template <class Value, class Body>
void for_nodes(const Strength<Value>& strength, const Context& context, const Body& body) {
    const auto borders = ranges_of_rows(strength.graph.rows, strength.graph.row_start);
    for_ranges(borders, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            if (!strength.is_anchored(i)) {
                body(i);
            }
        }
    });
}

// Calls body(j, a) for the strong neighbours j of i, where a is the size of the entry.
template <class Value, class Body>
void for_strong(const Strength<Value>& strength, std::int64_t i, const Body& body) {
    for (std::int64_t k = strength.graph.row_start[i]; k < strength.graph.row_start[i + 1]; ++k) {
        if (strength.is_strong(i, k)) {
            body(strength.graph.column[k], static_cast<float>(std::abs(strength.graph.value[k])));
        }
    }
}

}  // namespace

template <class Value>
Aggregates aggregate(const Strength<Value>& strength, const Context& context) {
    Aggregates aggregates{0, Buffer<std::int32_t>(strength.graph.rows)};
    Buffer<std::int32_t>& of_node = aggregates.of_node;
    std::fill(of_node.begin(), of_node.end(), none);
    const Context one_thread{1, context.monitor};
    // 1. A node whose strong neighbours are all free forms an aggregate with them.
    for_nodes(strength, one_thread, [&](std::int64_t i) {
        bool is_free = of_node[i] == none;
        bool has_any = false;
        for (std::int64_t k = strength.graph.row_start[i]; is_free && k < strength.graph.row_start[i + 1]; ++k) {
            if (strength.is_strong(i, k)) {
                has_any = true;
                is_free = of_node[strength.graph.column[k]] == none;
            }
        }
        if (is_free && has_any) {
            const auto own = static_cast<std::int32_t>(aggregates.count++);
            of_node[i] = own;
            for_strong(strength, i, [&](std::int64_t j, float) { of_node[j] = own; });
        }
    });
    // 2. The other nodes join the aggregate of their strongest neighbour from step 1.
    Buffer<std::int32_t> joined(of_node.size());
    for_nodes(strength, context, [&](std::int64_t i) {
        joined[i] = of_node[i];
        float strongest = 0;
        if (of_node[i] == none) {
            for_strong(strength, i, [&](std::int64_t j, float a) {
                if (of_node[j] != none && a > strongest) {
                    strongest = a;
                    joined[i] = of_node[j];
                }
            });
        }
    });
    // 3. The nodes that are left form aggregates with their neighbours that are left.
    for_nodes(strength, one_thread, [&](std::int64_t i) {
        if (joined[i] == none) {
            const auto own = static_cast<std::int32_t>(aggregates.count++);
            joined[i] = own;
            for_strong(strength, i, [&](std::int64_t j, float) { joined[j] = joined[j] == none ? own : joined[j]; });
        }
    });
    for_nodes(strength, context, [&](std::int64_t i) { of_node[i] = joined[i]; });
    return aggregates;
}

template Aggregates aggregate(const Strength<float>&, const Context&);
template Aggregates aggregate(const Strength<double>&, const Context&);

}  // namespace trimatte::graph
