// The elimination tree and the lengths of columns say what elimination does to the pattern of a
// symmetric matrix.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/monitor.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// This is the pattern of a matrix whose unknowns are eliminated in a given order: unknown order[k]
// takes place k.
struct OrderedPattern {
    const Csr& matrix;
    std::vector<std::int32_t> order;
    std::vector<std::int32_t> place;  // inverse of the order

    OrderedPattern(const Csr& A, std::vector<std::int32_t> eliminated);
    // What is at places[k] of the present order takes place k of the new one.
    void reorder(const std::vector<std::int32_t>& places);

    std::int32_t size() const { return static_cast<std::int32_t>(order.size()); }
    // Calls body(j) for the places of all unknowns that the one at place k is coupled to, itself
    // included.
    template <class Body>
    void for_coupled(std::int32_t k, const Body& body) const {
        const std::int32_t row = order[static_cast<std::size_t>(k)];
        for (std::int64_t p = matrix.row_start[row]; p < matrix.row_start[row + 1]; ++p) {
            body(place[static_cast<std::size_t>(matrix.column[p])]);
        }
    }
};

// parent[k] is the first row below the diagonal in column k of the factor; -1 stands for none.
std::vector<std::int32_t> elimination_tree(const OrderedPattern& pattern, Monitor& monitor);

// Lists the nodes of a forest, children before their parents and each subtree together. Children
// keep their order.
std::vector<std::int32_t> postorder(const std::vector<std::int32_t>& parent);

// Counts the entries of each column of the factor, the diagonal included. The tree must be
// postordered.
std::vector<std::int32_t> column_counts(const OrderedPattern& pattern, const std::vector<std::int32_t>& parent,
                                        Monitor& monitor);

}  // namespace trimatte
