#include "solve/regions.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace trimatte {
namespace {

constexpr std::int64_t band = 64;  // a task has this number of picture rows

// The runs of a picture, row by row. start[y] is the place of the first run of row y.
struct RowRuns {
    std::vector<Run> runs;
    std::vector<std::int64_t> start;

    const Run* begin(std::int64_t y) const { return runs.data() + start[static_cast<std::size_t>(y)]; }
    const Run* end(std::int64_t y) const { return runs.data() + start[static_cast<std::size_t>(y) + 1]; }
};

void find_in_row(const Label* row, std::int64_t width, std::int64_t y, std::vector<Run>& runs) {
    for (std::int64_t x = 0; x < width;) {
        const void* found = std::memchr(row + x, static_cast<int>(Label::unknown), static_cast<std::size_t>(width - x));
        if (found == nullptr) {
            return;
        }
        const std::int64_t begin = static_cast<const Label*>(found) - row;
        x = begin;
        while (x < width && row[x] == Label::unknown) {
            ++x;
        }
        runs.push_back({static_cast<std::int32_t>(y), static_cast<std::int32_t>(begin), static_cast<std::int32_t>(x)});
    }
}

// Calls body(y_begin, y_end) for bands of picture rows, in parallel.
template <class Body>
void for_bands(std::int64_t height, const Context& context, const Body& body) {
    parallel_for((height + band - 1) / band, context.threads, context.monitor,
                 [&](std::int64_t i) { body(i * band, std::min(height, (i + 1) * band)); });
}

RowRuns find_runs(const Label* labels, std::int64_t height, std::int64_t width, const Context& context) {
    std::vector<std::vector<Run>> of_band(static_cast<std::size_t>((height + band - 1) / band));
    for_bands(height, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            find_in_row(labels + y * width, width, y, of_band[static_cast<std::size_t>(begin / band)]);
        }
    });
    RowRuns rows;
    rows.start.assign(static_cast<std::size_t>(height) + 1, 0);
    for (const std::vector<Run>& runs : of_band) {
        for (const Run& run : runs) {
            ++rows.start[static_cast<std::size_t>(run.y) + 1];
        }
        rows.runs.insert(rows.runs.end(), runs.begin(), runs.end());
    }
    std::partial_sum(rows.start.begin(), rows.start.end(), rows.start.begin());
    return rows;
}

// Disjoint sets of runs. The first run of a set is its root.
class Sets {
public:
    explicit Sets(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), 0); }

    std::int64_t root(std::int64_t i) {
        while (at(i) != i) {
            at(i) = at(at(i));
            i = at(i);
        }
        return i;
    }
    void join(std::int64_t a, std::int64_t b) {
        a = root(a);
        b = root(b);
        at(std::max(a, b)) = std::min(a, b);
    }

private:
    std::int64_t& at(std::int64_t i) { return parent_[static_cast<std::size_t>(i)]; }
    std::vector<std::int64_t> parent_;
};

// Joins the runs of row y with the runs of row v <= y that are at most `reach` columns away.
void join_rows(const RowRuns& rows, std::int64_t y, std::int64_t v, std::int64_t reach, Sets& sets) {
    const Run* first = rows.begin(v);
    for (const Run* a = rows.begin(y); a != rows.end(y); ++a) {
        while (first != rows.end(v) && first->x_end - 1 + reach < a->x_begin) {
            ++first;
        }
        for (const Run* b = first; b != rows.end(v) && b->x_begin <= a->x_end - 1 + reach; ++b) {
            sets.join(a - rows.runs.data(), b - rows.runs.data());
        }
    }
}

Sets joined(const RowRuns& rows, std::int64_t height, std::int64_t reach, const Context& context) {
    Sets sets(rows.runs.size());
    for_bands(height, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            for (std::int64_t v = std::max(begin, y - reach); v <= y; ++v) {
                join_rows(rows, y, v, reach, sets);
            }
        }
    });
    for (std::int64_t border = band; border < height; border += band) {
        for (std::int64_t y = border; y < std::min(height, border + reach); ++y) {
            for (std::int64_t v = std::max<std::int64_t>(0, y - reach); v < border; ++v) {
                join_rows(rows, y, v, reach, sets);
            }
        }
    }
    return sets;
}

// Whether a known pixel of this kind is at most `reach` rows and columns away from a pixel of the
// region.
bool meets(const Region& region, Label kind, const Label* labels, std::int64_t height, std::int64_t width,
           std::int64_t reach) {
    for (const Run* run = region.begin; run != region.end; ++run) {
        const std::int64_t left = std::max<std::int64_t>(0, run->x_begin - reach);
        const std::int64_t right = std::min<std::int64_t>(width, run->x_end + reach);
        const std::int64_t bottom = std::min<std::int64_t>(height, run->y + reach + 1);
        for (std::int64_t y = std::max<std::int64_t>(0, run->y - reach); y < bottom; ++y) {
            if (std::memchr(labels + y * width + left, static_cast<int>(kind),
                            static_cast<std::size_t>(right - left)) != nullptr) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace

Box Box::with(const Box& other) const {
    return {std::min(top, other.top), std::min(left, other.left), std::max(bottom, other.bottom),
            std::max(right, other.right)};
}

Box Box::grown(std::int64_t margin, std::int64_t picture_height, std::int64_t picture_width) const {
    return {std::max<std::int64_t>(0, top - margin), std::max<std::int64_t>(0, left - margin),
            std::min(picture_height, bottom + margin), std::min(picture_width, right + margin)};
}

Regions::Regions(const Label* labels, std::int64_t height, std::int64_t width, std::int64_t reach,
                 const Context& context) {
    const RowRuns rows = find_runs(labels, height, width, context);
    Sets sets = joined(rows, height, reach, context);
    // The root of a set comes before its other runs, so the regions are numbered in the order of
    // their first runs.
    std::vector<std::int64_t> number(rows.runs.size()), start{0};
    for (std::size_t i = 0; i < rows.runs.size(); ++i) {
        const auto root = static_cast<std::size_t>(sets.root(static_cast<std::int64_t>(i)));
        if (root == i) {
            number[i] = static_cast<std::int64_t>(start.size()) - 1;
            start.push_back(0);
        }
        number[i] = number[root];
        ++start[static_cast<std::size_t>(number[i]) + 1];
    }
    std::partial_sum(start.begin(), start.end(), start.begin());
    runs_.resize(rows.runs.size());
    std::vector<std::int64_t> next(start.begin(), start.end() - 1);
    for (std::size_t i = 0; i < rows.runs.size(); ++i) {
        runs_[static_cast<std::size_t>(next[static_cast<std::size_t>(number[i])]++)] = rows.runs[i];
    }
    regions_.resize(start.size() - 1);
    constexpr std::int64_t at_once = 64;
    const auto count = static_cast<std::int64_t>(regions_.size());
    parallel_for((count + at_once - 1) / at_once, context.threads, context.monitor, [&](std::int64_t task) {
        for (std::int64_t i = task * at_once; i < std::min(count, (task + 1) * at_once); ++i) {
            Region& region = regions_[static_cast<std::size_t>(i)];
            region.begin = runs_.data() + start[static_cast<std::size_t>(i)];
            region.end = runs_.data() + start[static_cast<std::size_t>(i) + 1];
            region.unknowns = 0;
            region.box = {region.begin->y, region.begin->x_begin, region.begin->y + 1, region.begin->x_end};
            for (const Run* run = region.begin; run != region.end; ++run) {
                region.unknowns += run->x_end - run->x_begin;
                region.box = region.box.with({run->y, run->x_begin, run->y + 1, run->x_end});
            }
            region.meets_foreground = meets(region, Label::foreground, labels, height, width, reach);
            region.meets_background = meets(region, Label::background, labels, height, width, reach);
        }
    });
}

}  // namespace trimatte
