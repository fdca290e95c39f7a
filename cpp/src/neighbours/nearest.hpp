// The nearest neighbours of points in a space of 2 to 16 dimensions, such as [R, G, B, y, x] of the
// pixels of a picture.
#pragma once

#include <cstdint>

#include "simd/kernels.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// A k-d tree (Bentley, Communications of the ACM 18(9), 1975) whose leaves hold 16 points and whose
// nodes have 8 children: three splits in one, each across the widest side of the points' box, at a
// border of leaves near the median. All leaves but the last are full, so that the place of every
// node is known and no pointers are stored. One vector holds a number of all points of a leaf, or
// of all children of a node.
//
// A distance is the sum of the squared float differences, added in the order of the dimensions, as
// a float. If two points are at the same distance, the one with the lower number counts as nearer.
// So the answer is exactly that of comparing all points, for any number of threads and any
// instruction set, and points that are all equal take no more time than others.
class Nearest {
public:
    // The numbers of a point may be at most this large, so that no distance overflows.
    static constexpr float largest = 1e18f;

    // Takes `count` points, one row of `dimensions` floats each, and makes the tree. Point i has the
    // number i. subset: if not null, only the points with these `held` numbers, which must differ,
    // are held. Throws std::invalid_argument if there are fewer than 2 or more than 16 dimensions,
    // or if a number of a point is not finite or too large. The points are copied.
    Nearest(const float* points, std::int64_t count, int dimensions, const Context& context,
            const std::int32_t* subset = nullptr, std::int64_t held = 0);

    // Finds the k nearest points of `count` queries, one row of `dimensions` floats each. excluded:
    // if not null, the number of a point for each query that is left out of its answer, such as the
    // query itself; -1 leaves out none. number and distance have k places for each query: the
    // nearest points first, then -1 and infinity if there are fewer than k points. Queries that lie
    // near each other should follow each other. Throws std::invalid_argument if k < 1, or if a
    // number of a query is not finite or too large.
    void find(const float* queries, std::int64_t count, int k, const std::int32_t* excluded, std::int32_t* number,
              float* distance, const Context& context) const;

    // Sets may[i], for each row i of points, to 0 if none of the k points that lie nearest to point i,
    // without itself, is marked (marked[j] != 0), and else to 1. It compares each point with some of
    // the points near it only, so that it sets 1 more often than it has to. All points must be held.
    void find_near_marked(const std::uint8_t* marked, int k, std::uint8_t* may, const Context& context) const;

    std::int64_t points() const { return held_; }
    // Returns the numbers of the points held, in an order in which points that lie near each other
    // follow each other. Searches for them are quickest in this order.
    const std::int32_t* order() const { return numbers_.data(); }
    std::size_t bytes() const { return leaves_.bytes() + numbers_.bytes() + boxes_.bytes() + least_.bytes(); }

private:
    void fill_leaves(const float* points, const std::int32_t* order, const Context& context);
    void make_boxes(const Context& context);

    int dimensions_;
    std::int64_t held_;
    Buffer<float> leaves_, boxes_;
    Buffer<std::int32_t> numbers_, least_;
    simd::PointTree tree_{};
};

}  // namespace trimatte
