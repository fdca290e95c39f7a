// The symbolic part of the multifrontal factorisation finds the order, the fronts and the tree that
// they form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "solve/cholesky/front.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// A front stands for the columns first ... first + columns - 1 of the factor, which share their
// rows below. Fronts are numbered in postorder.
struct Front {
    std::int32_t first;
    std::int32_t columns;
    std::int32_t below;    // rows below the columns
    std::int32_t parent;   // parent front; -1 for a root
    std::int32_t subtree;  // the first front of its subtree, which ends with itself
    std::int64_t row;      // place of the first row below in Symbolic::rows
    std::int64_t value;    // place of the front's panel (a Trapezoid) in the numbers of the factor

    std::int64_t rows() const { return std::int64_t{columns} + below; }
    std::int64_t panel_size() const { return Trapezoid::size(rows(), columns); }
    // Counts the numbers that the front passes to its parent.
    std::int64_t update_size() const { return Trapezoid::size(below, below); }
    double work() const { return front_work(rows(), columns); }
};

struct Symbolic {
    std::vector<std::int32_t> order;  // the unknown that is eliminated as the k-th
    std::vector<std::int32_t> place;  // the inverse of `order`
    std::vector<Front> fronts;
    std::vector<std::int32_t> rows;     // the rows of all fronts below their columns, ascending
    std::vector<std::int32_t> child;    // first child of each front, -1 for none
    std::vector<std::int32_t> sibling;  // next child of the same parent, -1 for none
    std::int64_t values = 0;            // numbers in the factor
    double work = 0;                    // multiplications, each with an addition

    std::size_t bytes() const;
};

Symbolic analyse(const Csr& matrix, std::vector<std::int32_t> order, Monitor& monitor);

// A schedule divides the fronts among threads. Each of `subtrees` is given to one thread, the
// largest first; the fronts above them follow, and all threads work within one of these.
struct Schedule {
    int threads = 1;                     // the number of threads that is worth starting
    std::vector<std::int32_t> subtrees;  // the roots of the subtrees
    std::vector<std::int32_t> top;       // the fronts above the subtrees, ascending
    std::int64_t subtree_stack = 0;      // numbers that the updates of a subtree take at most
    std::int64_t top_stack = 0;          // the same for the fronts of `top`
    std::int64_t passed = 0;             // numbers that the subtrees pass on, all held at once
};

Schedule schedule(const Symbolic& symbolic, int threads);

// The substitution's schedule does not depend on the number of threads.
Schedule substitution_schedule(const Symbolic& symbolic);

}  // namespace trimatte
