// Makes the fronts from the elimination tree (Liu, The multifrontal method for sparse matrix
// solution: theory and practice, SIAM Review 34(1), 1992).
#include "solve/cholesky/symbolic.hpp"

#include <algorithm>
#include <numeric>

#include "solve/cholesky/elimination_tree.hpp"

namespace trimatte {
namespace {

// multiplications, about a millisecond, from which several threads are worth starting
constexpr double worth_sharing = 1e7;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// A group of columns that are eliminated together, before the final numbering.
struct Group {
    std::int32_t columns;
    std::int32_t below;
    std::int32_t parent;
    std::int32_t merged_into;  // the group itself, or the group that has taken its columns over

    std::int64_t rows() const { return std::int64_t{columns} + below; }
};

// Estimates the nanoseconds that a front takes: to handle it at all, to add up its entries, and to
// eliminate its columns.
double front_cost(std::int64_t columns, std::int64_t below) {
    const double m = static_cast<double>(columns + below);
    return 300 + 0.5 * m * m + 0.1 * front_work(columns + below, columns);
}

// Finds groups of columns that follow each other in the tree and have the same rows below.
std::vector<Group> equal_columns(const std::vector<std::int32_t>& parent, const std::vector<std::int32_t>& count,
                                 std::vector<std::int32_t>& group_of) {
    std::vector<Group> groups;
    const auto n = static_cast<std::int32_t>(parent.size());
    for (std::int32_t j = 0; j < n; ++j) {
        if (j > 0 && parent[at(j - 1)] == j && count[at(j - 1)] == count[at(j)] + 1) {
            ++groups.back().columns;
        } else {
            groups.push_back({1, 0, -1, static_cast<std::int32_t>(groups.size())});
        }
        groups.back().below = count[at(j)] - 1;
        group_of[at(j)] = static_cast<std::int32_t>(groups.size()) - 1;
    }
    std::int32_t last = -1;
    for (Group& group : groups) {
        last += group.columns;
        group.parent = parent[at(last)] < 0 ? -1 : group_of[at(parent[at(last)])];
    }
    return groups;
}

// Gives the columns of a group to its parent where one front with some zeros costs less than two
// fronts. The parents of the groups that remain are found in `merged_into`.
void merge_groups(std::vector<Group>& groups) {
    const auto count = static_cast<std::int32_t>(groups.size());
    std::vector<std::int32_t> child(groups.size(), -1), sibling(groups.size(), -1);
    for (std::int32_t g = 0; g < count; ++g) {
        Group& group = groups[at(g)];
        for (std::int32_t c = child[at(g)]; c >= 0; c = sibling[at(c)]) {
            Group& below = groups[at(c)];
            const std::int64_t columns = std::int64_t{group.columns} + below.columns;
            if (front_cost(columns, group.below) <=
                front_cost(group.columns, group.below) + front_cost(below.columns, below.below)) {
                group.columns = static_cast<std::int32_t>(columns);
                below.merged_into = g;
            }
        }
        if (group.parent >= 0) {
            sibling[at(g)] = child[at(group.parent)];
            child[at(group.parent)] = g;
        }
    }
    for (std::int32_t g = count - 1; g >= 0; --g) {  // parents come after their children
        Group& group = groups[at(g)];
        group.merged_into = groups[at(group.merged_into)].merged_into;
    }
}

// Returns the most numbers that wait on the stack while the subtree of a group is worked through,
// if its children come in the order that needs least (Liu 1992, section 4): first those that need
// much and leave little.
std::vector<std::int32_t> order_children(const std::vector<Group>& groups, const std::vector<std::int32_t>& kept) {
    const auto count = static_cast<std::int32_t>(kept.size());
    std::vector<std::int64_t> need(kept.size()), leave(kept.size());
    std::vector<std::int32_t> number(groups.size(), -1), start(kept.size() + 2, 0), list(kept.size());
    for (std::int32_t i = 0; i < count; ++i) {
        number[at(kept[at(i)])] = i;
    }
    std::vector<std::int32_t> parent(kept.size());
    for (std::int32_t i = 0; i < count; ++i) {
        const std::int32_t p = groups[at(kept[at(i)])].parent;
        parent[at(i)] = p < 0 ? count : number[at(groups[at(p)].merged_into)];
        ++start[at(parent[at(i)]) + 1];
    }
    std::partial_sum(start.begin(), start.end(), start.begin());
    std::vector<std::int32_t> next(start.begin(), start.end() - 1);
    for (std::int32_t i = 0; i < count; ++i) {
        list[at(next[at(parent[at(i)])]++)] = i;
    }
    for (std::int32_t i = 0; i <= count; ++i) {
        const auto begin = list.begin() + start[at(i)], end = list.begin() + start[at(i) + 1];
        std::stable_sort(begin, end, [&](std::int32_t a, std::int32_t b) {
            return need[at(a)] - leave[at(a)] > need[at(b)] - leave[at(b)];
        });
        if (i == count) {
            break;
        }
        std::int64_t held = 0;
        for (auto c = begin; c != end; ++c) {
            need[at(i)] = std::max(need[at(i)], held + need[at(*c)]);
            held += leave[at(*c)];
        }
        const std::int64_t below = groups[at(kept[at(i)])].below;
        leave[at(i)] = Trapezoid::size(below, below);
        need[at(i)] = std::max(need[at(i)], held + leave[at(i)]);
    }
    // The groups are put into postorder with the children in that order. Parents are visited
    // backwards from the last, and each is placed before its later siblings.
    std::vector<std::int32_t> order, open(list.begin() + start[at(count)], list.end());
    order.reserve(kept.size());
    while (!open.empty()) {
        const std::int32_t i = open.back();
        open.pop_back();
        order.push_back(kept[at(i)]);
        open.insert(open.end(), list.begin() + start[at(i)], list.begin() + start[at(i) + 1]);
    }
    std::reverse(order.begin(), order.end());
    return order;
}

// Finds the rows of the fronts: those of the matrix in their columns, and those that their children
// leave.
void find_rows(const OrderedPattern& pattern, Symbolic& symbolic, Monitor& monitor) {
    std::vector<std::int32_t> seen_by(at(pattern.size()), -1);
    for (std::int32_t f = 0; f < static_cast<std::int32_t>(symbolic.fronts.size()); ++f) {
        Front& front = symbolic.fronts[at(f)];
        front.row = static_cast<std::int64_t>(symbolic.rows.size());
        const std::int32_t end = front.first + front.columns;
        const auto add = [&](std::int32_t i) {
            if (i >= end && seen_by[at(i)] != f) {
                seen_by[at(i)] = f;
                symbolic.rows.push_back(i);
            }
        };
        for (std::int32_t j = front.first; j < end; ++j) {
            pattern.for_coupled(j, add);
        }
        for (std::int32_t c = symbolic.child[at(f)]; c >= 0; c = symbolic.sibling[at(c)]) {
            const Front& child = symbolic.fronts[at(c)];
            for (std::int64_t r = child.row; r < child.row + child.below; ++r) {
                add(symbolic.rows[static_cast<std::size_t>(r)]);
            }
        }
        std::sort(symbolic.rows.begin() + front.row, symbolic.rows.end());
        front.below = static_cast<std::int32_t>(static_cast<std::int64_t>(symbolic.rows.size()) - front.row);
        monitor.poll();
    }
}

}  // namespace

std::size_t Symbolic::bytes() const {
    return (order.capacity() + place.capacity() + rows.capacity() + child.capacity() + sibling.capacity()) *
               sizeof(std::int32_t) +
           fronts.capacity() * sizeof(Front);
}

Symbolic analyse(const Csr& matrix, std::vector<std::int32_t> order, Monitor& monitor) {
    OrderedPattern pattern(matrix, std::move(order));
    std::vector<std::int32_t> parent = elimination_tree(pattern, monitor);
    {
        const std::vector<std::int32_t> places = postorder(parent);
        std::vector<std::int32_t> new_place(places.size()), new_parent(places.size());
        for (std::int32_t k = 0; k < pattern.size(); ++k) {
            new_place[at(places[at(k)])] = k;
        }
        for (std::int32_t k = 0; k < pattern.size(); ++k) {
            const std::int32_t p = parent[at(places[at(k)])];
            new_parent[at(k)] = p < 0 ? -1 : new_place[at(p)];
        }
        parent = std::move(new_parent);
        pattern.reorder(places);
    }
    std::vector<std::int32_t> group_of(parent.size());
    std::vector<Group> groups = equal_columns(parent, column_counts(pattern, parent, monitor), group_of);
    merge_groups(groups);
    std::vector<std::int32_t> kept;
    std::int64_t rows = 0;
    for (std::int32_t g = 0; g < static_cast<std::int32_t>(groups.size()); ++g) {
        if (groups[at(g)].merged_into == g) {
            kept.push_back(g);
            rows += groups[at(g)].below;
        }
    }

    Symbolic symbolic;
    symbolic.rows.reserve(static_cast<std::size_t>(rows));
    symbolic.child.assign(kept.size(), -1);
    symbolic.sibling.assign(kept.size(), -1);
    const std::vector<std::int32_t> order_of_groups = order_children(groups, kept);
    std::vector<std::int32_t> front_of(groups.size(), -1), next(kept.size());
    std::int32_t column = 0;
    for (const std::int32_t g : order_of_groups) {
        const auto f = static_cast<std::int32_t>(symbolic.fronts.size());
        front_of[at(g)] = f;
        next[at(f)] = column;
        symbolic.fronts.push_back({column, groups[at(g)].columns, groups[at(g)].below, -1, f, 0, symbolic.values});
        column += groups[at(g)].columns;
        symbolic.values += symbolic.fronts.back().panel_size();
        symbolic.work += symbolic.fronts.back().work();
    }
    for (std::int32_t f = static_cast<std::int32_t>(kept.size()) - 1; f >= 0; --f) {
        const std::int32_t p = groups[at(order_of_groups[at(f)])].parent;
        if (p >= 0) {
            const std::int32_t above = front_of[at(groups[at(p)].merged_into)];
            symbolic.fronts[at(f)].parent = above;
            symbolic.sibling[at(f)] = symbolic.child[at(above)];
            symbolic.child[at(above)] = f;
        }
    }
    for (std::size_t f = 0; f < kept.size(); ++f) {
        if (symbolic.child[f] >= 0) {
            symbolic.fronts[f].subtree = symbolic.fronts[at(symbolic.child[f])].subtree;
        }
    }
    std::vector<std::int32_t> places(parent.size());
    for (std::int32_t k = 0; k < pattern.size(); ++k) {
        places[at(next[at(front_of[at(groups[at(group_of[at(k)])].merged_into)])]++)] = k;
    }
    pattern.reorder(places);
    find_rows(pattern, symbolic, monitor);
    symbolic.order = std::move(pattern.order);
    symbolic.place = std::move(pattern.place);
    return symbolic;
}

Schedule schedule(const Symbolic& symbolic, int threads) {
    if (symbolic.work < worth_sharing) {
        threads = 1;
    }
    const auto count = static_cast<std::int32_t>(symbolic.fronts.size());
    std::vector<double> work(symbolic.fronts.size());        // the work of the subtree
    std::vector<std::int64_t> need(symbolic.fronts.size());  // the most numbers on the stack
    for (std::int32_t f = 0; f < count; ++f) {
        const Front& front = symbolic.fronts[at(f)];
        work[at(f)] += front.work() + 1000;  // the constant makes the smallest fronts count too
        std::int64_t held = 0;
        for (std::int32_t c = symbolic.child[at(f)]; c >= 0; c = symbolic.sibling[at(c)]) {
            need[at(f)] = std::max(need[at(f)], held + need[at(c)]);
            held += symbolic.fronts[at(c)].update_size();
        }
        need[at(f)] = std::max(need[at(f)], held + front.update_size());
        if (front.parent >= 0) {
            work[at(front.parent)] += work[at(f)];
        }
    }
    Schedule result;
    result.threads = threads;
    std::vector<char> is_subtree(symbolic.fronts.size(), 0);
    const double largest = (symbolic.work + 1000.0 * count) / (8.0 * threads);
    for (std::int32_t f = count - 1; f >= 0; --f) {
        const std::int32_t parent = symbolic.fronts[at(f)].parent;
        const bool inside = parent >= 0 && is_subtree[at(parent)] != 0;
        if (inside) {
            is_subtree[at(f)] = 1;
        } else if (threads > 1 && work[at(f)] <= largest) {
            is_subtree[at(f)] = 1;
            result.subtrees.push_back(f);
            result.passed += symbolic.fronts[at(f)].update_size();
            result.subtree_stack = std::max(result.subtree_stack, need[at(f)]);
        } else {
            result.top.push_back(f);
        }
    }
    std::reverse(result.top.begin(), result.top.end());
    std::stable_sort(result.subtrees.begin(), result.subtrees.end(),
                     [&](std::int32_t a, std::int32_t b) { return work[at(a)] > work[at(b)]; });
    std::vector<std::int64_t> need_of_top(symbolic.fronts.size());
    for (const std::int32_t f : result.top) {
        std::int64_t held = 0;
        for (std::int32_t c = symbolic.child[at(f)]; c >= 0; c = symbolic.sibling[at(c)]) {
            if (is_subtree[at(c)] == 0) {
                need_of_top[at(f)] = std::max(need_of_top[at(f)], held + need_of_top[at(c)]);
                held += symbolic.fronts[at(c)].update_size();
            }
        }
        need_of_top[at(f)] = std::max(need_of_top[at(f)], held + symbolic.fronts[at(f)].update_size());
        result.top_stack = std::max(result.top_stack, need_of_top[at(f)]);
    }
    return result;
}

Schedule substitution_schedule(const Symbolic& symbolic) {
    constexpr std::size_t shared_from = 20000;  // unknowns
    return schedule(symbolic, symbolic.order.size() < shared_from ? 1 : 8);
}

}  // namespace trimatte
