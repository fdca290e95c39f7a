#include "solve/cholesky/elimination_tree.hpp"

namespace trimatte {
namespace {

constexpr std::int32_t poll_every = 1024;  // columns between two polls

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

}  // namespace

OrderedPattern::OrderedPattern(const Csr& A, std::vector<std::int32_t> eliminated)
    : matrix(A), order(std::move(eliminated)), place(order.size()) {
    for (std::int32_t k = 0; k < size(); ++k) {
        place[at(order[at(k)])] = k;
    }
}

void OrderedPattern::reorder(const std::vector<std::int32_t>& places) {
    std::vector<std::int32_t> next(order.size());
    for (std::int32_t k = 0; k < size(); ++k) {
        next[at(k)] = order[at(places[at(k)])];
        place[at(next[at(k)])] = k;
    }
    order = std::move(next);
}

// The algorithm is that of Liu, A compact row storage scheme for Cholesky factors using elimination
// trees, ACM TOMS 12(2), 1986. Paths to the root are shortened as they are walked.
std::vector<std::int32_t> elimination_tree(const OrderedPattern& pattern, Monitor& monitor) {
    const std::int32_t n = pattern.size();
    std::vector<std::int32_t> parent(at(n), -1), ancestor(at(n), -1);
    for (std::int32_t k = 0; k < n; ++k) {
        pattern.for_coupled(k, [&](std::int32_t j) {
            while (j < k && j >= 0) {
                const std::int32_t next = ancestor[at(j)];
                ancestor[at(j)] = k;
                if (next < 0) {
                    parent[at(j)] = k;
                }
                j = next;
            }
        });
        if (k % poll_every == 0) {
            monitor.poll();
        }
    }
    return parent;
}

std::vector<std::int32_t> postorder(const std::vector<std::int32_t>& parent) {
    const auto n = static_cast<std::int32_t>(parent.size());
    std::vector<std::int32_t> child(at(n), -1), sibling(at(n), -1), order;
    order.reserve(at(n));
    std::int32_t root = -1;
    for (std::int32_t k = n - 1; k >= 0; --k) {
        std::int32_t& first = parent[at(k)] < 0 ? root : child[at(parent[at(k)])];
        sibling[at(k)] = first;
        first = k;
    }
    for (; root >= 0; root = sibling[at(root)]) {
        for (std::int32_t k = root;;) {
            while (child[at(k)] >= 0) {
                k = child[at(k)];
            }
            order.push_back(k);
            while (k != root && sibling[at(k)] < 0) {
                k = parent[at(k)];
                order.push_back(k);
            }
            if (k == root) {
                break;
            }
            k = sibling[at(k)];
        }
    }
    return order;
}

// The algorithm is that of Gilbert, Ng, Peyton, An efficient algorithm to compute row and column
// counts for sparse Cholesky factorization, SIAM J. Matrix Anal. Appl. 15(4), 1994. Row i of the
// factor is a subtree of the elimination tree, and the length of a column is the number of row
// subtrees that hold it. A row subtree adds one at each of its leaves and takes one away where the
// paths from two of its leaves meet. Summed towards the root, this counts the subtree once in each
// of its nodes.
std::vector<std::int32_t> column_counts(const OrderedPattern& pattern, const std::vector<std::int32_t>& parent,
                                        Monitor& monitor) {
    const std::int32_t n = pattern.size();
    std::vector<std::int32_t> count(at(n), 1), first(at(n)), seen(at(n), -1), last_leaf(at(n), -1), top(at(n));
    for (std::int32_t j = 0; j < n; ++j) {
        first[at(j)] = j;  // the first node of its subtree, as far as it is known
        // The top of the part of the tree above j that has been walked; it is shortened as it is
        // used.
        top[at(j)] = j;
    }
    for (std::int32_t j = 0; j < n; ++j) {
        const std::int32_t p = parent[at(j)];
        if (p >= 0) {
            first[at(p)] = std::min(first[at(p)], first[at(j)]);
        }
    }
    for (std::int32_t j = 0; j < n; ++j) {
        if (first[at(j)] < j) {
            count[at(j)] = 0;  // only a leaf begins the row subtree of its own row
        }
    }
    for (std::int32_t j = 0; j < n; ++j) {
        const std::int32_t p = parent[at(j)];
        if (p >= 0) {
            --count[at(p)];  // the row subtree of j ends at j
        }
        pattern.for_coupled(j, [&](std::int32_t i) {
            if (i <= j || first[at(j)] <= seen[at(i)]) {
                // The entry is not below the diagonal, or not a leaf of the row subtree of i.
                return;
            }
            ++count[at(j)];
            if (last_leaf[at(i)] >= 0) {
                std::int32_t meet = last_leaf[at(i)];
                while (top[at(meet)] != meet) {
                    meet = top[at(meet)];
                }
                for (std::int32_t k = last_leaf[at(i)]; k != meet;) {
                    const std::int32_t next = top[at(k)];
                    top[at(k)] = meet;
                    k = next;
                }
                --count[at(meet)];
            }
            seen[at(i)] = j;
            last_leaf[at(i)] = j;
        });
        if (p >= 0) {
            top[at(j)] = p;
        }
        if (j % poll_every == 0) {
            monitor.poll();
        }
    }
    for (std::int32_t j = 0; j < n; ++j) {
        if (parent[at(j)] >= 0) {
            count[at(parent[at(j)])] += count[at(j)];
        }
    }
    return count;
}

}  // namespace trimatte
