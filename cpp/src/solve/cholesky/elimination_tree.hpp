// What elimination does to the pattern of a sparse symmetric matrix: the elimination tree and the columns' lengths.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/monitor.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// The pattern of a matrix whose unknowns are eliminated in a given order: place k is taken by unknown order[k].
struct OrderedPattern {
    const Csr& matrix;
    std::vector<std::int32_t> order;
    std::vector<std::int32_t> place;  // inverse of the order

    OrderedPattern(const Csr& A, std::vector<std::int32_t> eliminated);
    // The new order's place k is taken by what is at places[k] of the present one.
    void reorder(const std::vector<std::int32_t>& places);

    std::int32_t size() const { return static_cast<std::int32_t>(order.size()); }
    // body(j) for the places of all unknowns that the one at place k is coupled to, itself included.
    template <class Body>
    void for_coupled(std::int32_t k, const Body& body) const {
        const std::int32_t row = order[static_cast<std::size_t>(k)];
        for (std::int64_t p = matrix.row_start[row]; p < matrix.row_start[row + 1]; ++p) {
            body(place[static_cast<std::size_t>(matrix.column[p])]);
        }
    }
};

// parent[k]: the first place after k whose column has an entry that eliminating k creates or finds; -1 for none.
std::vector<std::int32_t> elimination_tree(const OrderedPattern& pattern, Monitor& monitor);

// The nodes of a forest, children before their parents and each subtree together. Children keep their order.
std::vector<std::int32_t> postorder(const std::vector<std::int32_t>& parent);

// Entries of each column of the factor, the diagonal included. The tree must be postordered.
std::vector<std::int32_t> column_counts(const OrderedPattern& pattern, const std::vector<std::int32_t>& parent,
                                        Monitor& monitor);

}  // namespace trimatte
