// Nested dissection (George, SIAM J. Numer. Anal. 10(2), 1973) on the pixel grid: a part is cut in two by a strip of
// rows or columns as wide as the stencil reaches, both halves are ordered first, the strip last. On matting systems
// it leaves as little fill as approximate minimum degree (DESIGN.md) at a tenth of its time.
#include "solve/cholesky/nested_dissection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace trimatte {
namespace {

constexpr std::ptrdiff_t leaf_size = 100;  // smaller parts are not worth cutting

struct Grid {
    const Problem& problem;
    std::int64_t x(std::int32_t i) const { return problem.pixel[i] % problem.width; }
    std::int64_t y(std::int32_t i) const { return problem.pixel[i] / problem.width; }
};

// A strip of lines: the first of them, and what it costs to cut there.
struct Cut {
    std::int64_t line = -1;  // none
    double cost = 0;
};

// The strip that leaves both sides of similar size and is thin itself. count[l] = unknowns in line l. None if no strip
// leaves the given share on each side.
Cut best_cut(const std::vector<std::int64_t>& count, std::int64_t strip, std::int64_t total, double share) {
    Cut best;
    std::int64_t before = 0;
    for (std::int64_t l = 0; l + strip <= static_cast<std::int64_t>(count.size()); ++l) {
        const auto first = count.begin() + l;
        const std::int64_t inside = std::accumulate(first, first + strip, std::int64_t{0});
        const std::int64_t behind = total - before - inside;
        if (static_cast<double>(std::min(before, behind)) >= share * static_cast<double>(total)) {
            const double imbalance = std::abs(static_cast<double>(before - behind)) / static_cast<double>(total);
            const double cost = static_cast<double>(inside) * (1 + 2 * imbalance);
            if (best.line < 0 || cost < best.cost) {
                best = {l, cost};
            }
        }
        before += *first;
    }
    return best;
}

using Iterator = std::vector<std::int32_t>::iterator;

void dissect(const Grid& grid, Iterator begin, Iterator end, Monitor& monitor) {
    monitor.poll();
    if (end - begin <= leaf_size) {
        return;
    }
    const auto [x_min, x_max] =
        std::minmax_element(begin, end, [&](std::int32_t a, std::int32_t b) { return grid.x(a) < grid.x(b); });
    const auto [y_min, y_max] =
        std::minmax_element(begin, end, [&](std::int32_t a, std::int32_t b) { return grid.y(a) < grid.y(b); });
    const std::int64_t left = grid.x(*x_min), top = grid.y(*y_min);
    std::vector<std::int64_t> in_column(static_cast<std::size_t>(grid.x(*x_max) - left) + 1);
    std::vector<std::int64_t> in_row(static_cast<std::size_t>(grid.y(*y_max) - top) + 1);
    for (auto i = begin; i != end; ++i) {
        ++in_column[static_cast<std::size_t>(grid.x(*i) - left)];
        ++in_row[static_cast<std::size_t>(grid.y(*i) - top)];
    }
    const std::int64_t strip = grid.problem.reach;
    Cut columns, rows;
    for (const double share : {0.2, 0.02}) {  // a well-balanced cut, else any
        columns = best_cut(in_column, strip, end - begin, share);
        rows = best_cut(in_row, strip, end - begin, share);
        if (columns.line >= 0 || rows.line >= 0) {
            break;
        }
    }
    if (columns.line < 0 && rows.line < 0) {
        return;
    }
    const bool by_columns = rows.line < 0 || (columns.line >= 0 && columns.cost <= rows.cost);
    const std::int64_t cut = by_columns ? columns.line : rows.line;
    const auto line = [&](std::int32_t i) { return by_columns ? grid.x(i) - left : grid.y(i) - top; };
    const auto second = std::stable_partition(begin, end, [&](std::int32_t i) { return line(i) < cut; });
    const auto last = std::stable_partition(second, end, [&](std::int32_t i) { return line(i) >= cut + strip; });
    dissect(grid, begin, second, monitor);
    dissect(grid, second, last, monitor);
}

}  // namespace

std::vector<std::int32_t> nested_dissection(const Problem& problem, Monitor& monitor) {
    std::vector<std::int32_t> order(static_cast<std::size_t>(problem.unknowns()));
    std::iota(order.begin(), order.end(), 0);
    dissect({problem}, order.begin(), order.end(), monitor);
    return order;
}

}  // namespace trimatte
