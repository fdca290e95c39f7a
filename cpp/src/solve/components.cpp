#include "solve/components.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>

#include "base/each.hpp"

namespace trimatte {
namespace {

// Disjoint sets that several threads join at once, without locks (R. J. Anderson, H. Woll,
// "Wait-free Parallel Algorithms for the Union-Find Problem", STOC 1991). The first element of a
// set is its root, whatever the order of the joins.
class Sets {
public:
    explicit Sets(std::int64_t size) : parent_(static_cast<std::size_t>(size)) {
        for (std::size_t i = 0; i < parent_.size(); ++i) {
            parent_[i].store(static_cast<std::int32_t>(i), std::memory_order_relaxed);
        }
    }

    std::int32_t root(std::int32_t i) {
        for (std::int32_t parent = at(i).load(); parent != i; parent = at(i).load()) {
            const std::int32_t above = at(parent).load();
            at(i).compare_exchange_weak(parent, above);  // this shortens the path; it may fail
            i = above;
        }
        return i;
    }
    void join(std::int32_t a, std::int32_t b) {
        for (;;) {
            a = root(a);
            b = root(b);
            if (a == b) {
                return;
            }
            std::int32_t last = std::max(a, b);
            const std::int32_t first = std::min(a, b);
            if (std::int32_t expected = last; at(last).compare_exchange_strong(expected, first)) {
                return;
            }
        }
    }

private:
    std::atomic<std::int32_t>& at(std::int32_t i) { return parent_[static_cast<std::size_t>(i)]; }
    std::vector<std::atomic<std::int32_t>> parent_;
};

template <class T>
void copy_chosen(const Buffer<T>& from, const std::vector<std::int32_t>& chosen, Buffer<T>& to) {
    to = Buffer<T>(static_cast<std::int64_t>(chosen.size()));
    std::transform(chosen.begin(), chosen.end(), to.begin(), [&](std::int32_t i) { return from[i]; });
}

}  // namespace

Components::Components(const Problem& problem, const Context& context)
    : unknown_(problem.unknowns()), place_(problem.unknowns()) {
    const Csr& A = problem.matrix;
    Sets sets(A.rows);
    each(A.rows, context, [&](std::int64_t i) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1] && A.column[k] < i; ++k) {
            if (A.value[k] != 0) {
                sets.join(static_cast<std::int32_t>(i), A.column[k]);
            }
        }
    });
    std::vector<std::int32_t> number(static_cast<std::size_t>(A.rows));
    std::vector<std::int64_t> start{0};
    const Context in_turn{1, context.monitor};
    each(A.rows, in_turn, [&](std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        const auto root = static_cast<std::size_t>(sets.root(static_cast<std::int32_t>(i)));
        if (root == at) {
            number[at] = static_cast<std::int32_t>(components_.size());
            components_.push_back({nullptr, nullptr, false, false});
            start.push_back(0);
        }
        number[at] = number[root];
        Component& component = components_[static_cast<std::size_t>(number[at])];
        component.meets_foreground = component.meets_foreground || (problem.meets[i] & Problem::foreground) != 0;
        component.meets_background = component.meets_background || (problem.meets[i] & Problem::background) != 0;
        ++start[static_cast<std::size_t>(number[at]) + 1];
    });
    for (std::size_t c = 0; c < components_.size(); ++c) {
        start[c + 1] += start[c];
        components_[c].begin = unknown_.data() + start[c];
        components_[c].end = unknown_.data() + start[c + 1];
    }
    each(A.rows, in_turn, [&](std::int64_t i) {
        const auto c = static_cast<std::size_t>(number[static_cast<std::size_t>(i)]);
        place_[i] = static_cast<std::int32_t>(unknown_.data() + start[c] - components_[c].begin);
        unknown_[start[c]++] = static_cast<std::int32_t>(i);
    });
}

Problem Components::part_of(const Problem& whole, const std::vector<const Component*>& components,
                            const Context& context) const {
    std::vector<std::int32_t> chosen;
    for (const Component* component : components) {
        chosen.insert(chosen.end(), component->begin, component->end);
    }
    std::sort(chosen.begin(), chosen.end());
    // The number of an unknown in the part. A large part is one component.
    const auto number = [&](std::int32_t j) {
        return components.size() == 1
                   ? place_[j]
                   : static_cast<std::int32_t>(std::lower_bound(chosen.begin(), chosen.end(), j) - chosen.begin());
    };
    const auto rows = static_cast<std::int64_t>(chosen.size());
    Problem part;
    part.height = whole.height;
    part.width = whole.width;
    part.reach = whole.reach;
    part.channels = whole.channels;
    copy_chosen(whole.rhs, chosen, part.rhs);
    copy_chosen(whole.pixel, chosen, part.pixel);
    part.colours = Buffer<float>(whole.channels * rows);
    const Csr& A = whole.matrix;
    Csr& B = part.matrix;
    B.rows = rows;
    B.row_start = Buffer<std::int64_t>(rows + 1);
    B.row_start[0] = 0;
    each(rows, context, [&](std::int64_t i) {
        const std::int32_t row = chosen[static_cast<std::size_t>(i)];
        // Zeros may lead to other components.
        const double* const values = A.value.data();
        B.row_start[i + 1] = A.row_start[row + 1] - A.row_start[row] -
                             std::count(values + A.row_start[row], values + A.row_start[row + 1], 0.0);
        for (int c = 0; c < whole.channels; ++c) {
            part.colours[c * rows + i] = whole.colours[c * whole.unknowns() + row];
        }
    });
    std::partial_sum(B.row_start.begin(), B.row_start.end(), B.row_start.begin());
    B.column = Buffer<std::int32_t>(B.row_start[rows]);
    B.value = Buffer<double>(B.row_start[rows]);
    each(rows, context, [&](std::int64_t i) {
        const std::int32_t row = chosen[static_cast<std::size_t>(i)];
        std::int64_t to = B.row_start[i];
        for (std::int64_t k = A.row_start[row]; k < A.row_start[row + 1]; ++k) {
            if (A.value[k] != 0) {
                B.column[to] = number(A.column[k]);
                B.value[to++] = A.value[k];
            }
        }
    });
    part.peak_bytes = part.bytes();
    return part;
}

}  // namespace trimatte
