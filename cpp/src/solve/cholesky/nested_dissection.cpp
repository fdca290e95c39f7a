// Nested dissection (George, SIAM J. Numer. Anal. 10(2), 1973) on the pixel grid: a strip of rows
// or columns, as wide as the stencil reaches, cuts a part in two; both halves are ordered first,
// the strip last. On matting systems the order leaves as little fill as approximate minimum degree
// and takes a tenth of its time (docs/design/cholesky.md).
#include "solve/cholesky/nested_dissection.hpp"

#include <algorithm>
#include <cmath>

#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t leaf_size = 30;      // unknowns; smaller parts are not cut
constexpr std::int64_t large_part = 16384;  // unknowns; larger parts are cut level by level, in parallel

struct Place {
    std::int32_t y, x, unknown;
};

// A strip of lines: the first of them, and the cost of a cut there.
struct Cut {
    std::int64_t line = -1;  // -1 if there is no strip
    double cost = 0;
};

// Finds the strip that is thin and leaves sides of similar size. count[l] is the number of unknowns
// in line l. There is none if no strip leaves the given share on each side.
Cut best_cut(const std::vector<std::int32_t>& count, std::int64_t strip, std::int64_t total, double share) {
    Cut best;
    const double least = share * static_cast<double>(total);
    std::int64_t before = 0, inside = 0;
    const auto lines = static_cast<std::int64_t>(count.size());
    for (std::int64_t l = 0; l < std::min(strip, lines); ++l) {
        inside += count[static_cast<std::size_t>(l)];
    }
    for (std::int64_t l = 0; l + strip <= lines; ++l) {
        const std::int64_t behind = total - before - inside;
        if (static_cast<double>(std::min(before, behind)) >= least) {
            const double imbalance = std::abs(static_cast<double>(before - behind)) / static_cast<double>(total);
            const double cost = static_cast<double>(inside) * (1 + 2 * imbalance);
            if (best.line < 0 || cost < best.cost) {
                best = {l, cost};
            }
        }
        before += count[static_cast<std::size_t>(l)];
        inside -= count[static_cast<std::size_t>(l)];
        inside += l + strip < lines ? count[static_cast<std::size_t>(l + strip)] : 0;
    }
    return best;
}

struct Part {
    std::int64_t begin, end;
    std::int64_t size() const { return end - begin; }
};

class Dissection {
public:
    Dissection(const Problem& problem, Monitor& monitor)
        : strip_(problem.reach),
          monitor_(monitor),
          places_(static_cast<std::size_t>(problem.unknowns())),
          scratch_(places_.size()) {
        std::int64_t row = -1, row_end = 0;  // pixels ascend, so one division per row is enough
        for (std::int64_t i = 0; i < problem.unknowns(); ++i) {
            const std::int64_t p = problem.pixel[i];
            if (row < 0 || p >= row_end || p < row_end - problem.width) {
                row = p / problem.width;
                row_end = (row + 1) * problem.width;
            }
            places_[static_cast<std::size_t>(i)] = {static_cast<std::int32_t>(row),
                                                    static_cast<std::int32_t>(p - row_end + problem.width),
                                                    static_cast<std::int32_t>(i)};
        }
    }

    std::vector<std::int32_t> run(int threads) {
        const auto n = static_cast<std::int64_t>(places_.size());
        std::vector<Part> large, small;
        (n > large_part ? large : small).push_back({0, n});
        while (!large.empty()) {
            std::vector<Part> halves(2 * large.size());
            parallel_for(static_cast<std::int64_t>(large.size()), threads, monitor_, [&](std::int64_t i) {
                Counts counts;
                cut(large[static_cast<std::size_t>(i)], counts, &halves[2 * static_cast<std::size_t>(i)]);
            });
            large.clear();
            for (const Part& half : halves) {
                (half.size() > large_part ? large : small).push_back(half);
            }
        }
        parallel_for(static_cast<std::int64_t>(small.size()), threads, monitor_, [&](std::int64_t i) {
            Counts counts;
            dissect(small[static_cast<std::size_t>(i)], counts);
        });
        std::vector<std::int32_t> order(places_.size());
        std::transform(places_.begin(), places_.end(), order.begin(), [](const Place& p) { return p.unknown; });
        return order;
    }

private:
    struct Counts {
        std::vector<std::int32_t> rows, columns;
    };

    void dissect(const Part& part, Counts& counts) {
        monitor_.poll();
        Part halves[2] = {};
        if (part.size() > leaf_size && cut(part, counts, halves)) {
            dissect(halves[0], counts);
            dissect(halves[1], counts);
        }
    }

    // Brings the part into the order first half, second half, strip. Returns false if it cannot be
    // cut.
    bool cut(const Part& part, Counts& counts, Part* halves) {
        halves[0] = halves[1] = {};
        Place* const begin = places_.data() + part.begin;
        Place* const end = places_.data() + part.end;
        Place low = *begin, high = *begin;
        for (const Place* p = begin; p != end; ++p) {
            low.x = std::min(low.x, p->x);
            low.y = std::min(low.y, p->y);
            high.x = std::max(high.x, p->x);
            high.y = std::max(high.y, p->y);
        }
        counts.columns.assign(static_cast<std::size_t>(high.x - low.x) + 1, 0);
        counts.rows.assign(static_cast<std::size_t>(high.y - low.y) + 1, 0);
        for (const Place* p = begin; p != end; ++p) {
            ++counts.columns[static_cast<std::size_t>(p->x - low.x)];
            ++counts.rows[static_cast<std::size_t>(p->y - low.y)];
        }
        Cut columns, rows;
        // a well-balanced cut is tried first, then any cut
        for (const double share : {0.2, 0.02}) {
            columns = best_cut(counts.columns, strip_, part.size(), share);
            rows = best_cut(counts.rows, strip_, part.size(), share);
            if (columns.line >= 0 || rows.line >= 0) {
                break;
            }
        }
        if (columns.line < 0 && rows.line < 0) {
            return false;
        }
        if (rows.line < 0 || (columns.line >= 0 && columns.cost <= rows.cost)) {
            split(part, columns.line, counts.columns, halves, [&](const Place& p) { return p.x - low.x; });
        } else {
            split(part, rows.line, counts.rows, halves, [&](const Place& p) { return p.y - low.y; });
        }
        return true;
    }

    template <class Line>
    void split(const Part& part, std::int64_t cut, const std::vector<std::int32_t>& count, Part* halves,
               const Line& line) {
        Place* const to = places_.data();
        Place* const from = scratch_.data();
        std::copy(to + part.begin, to + part.end, from + part.begin);
        std::int64_t at[3] = {part.begin, part.begin, part.end};
        for (std::int64_t l = 0; l < cut; ++l) {
            at[1] += count[static_cast<std::size_t>(l)];
        }
        for (std::int64_t l = cut; l < cut + strip_; ++l) {
            at[2] -= count[static_cast<std::size_t>(l)];
        }
        halves[0] = {part.begin, at[1]};
        halves[1] = {at[1], at[2]};
        for (const Place* p = from + part.begin; p != from + part.end; ++p) {
            const std::int64_t l = line(*p);
            to[at[l < cut ? 0 : l < cut + strip_ ? 2 : 1]++] = *p;
        }
    }

    const std::int64_t strip_;
    Monitor& monitor_;
    std::vector<Place> places_, scratch_;
};

}  // namespace

std::vector<std::int32_t> nested_dissection(const Problem& problem, Monitor& monitor, int threads) {
    return Dissection(problem, monitor).run(threads);
}

}  // namespace trimatte
