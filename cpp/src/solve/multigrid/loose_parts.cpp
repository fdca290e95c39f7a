#include "solve/multigrid/loose_parts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

// An entry whose magnitude is above this holds two pixels together; the matrix has unit diagonal.
constexpr float strong = 0.01f;
// A part is loose if its energy e^T A e, divided by e^T e and multiplied by the square root of its
// number of pixels, is below this; e is one on the part and zero elsewhere. This number is roughly
// the fraction of the part's border at which pixels outside hold it.
// Parts in flat colours have 1e-4 to 2e-3 with a few pixels, and 1e-7 with many. Parts in
// photographs have at least 3e-3, and parts that touch known pixels have 0.2 and more.
constexpr double loose = 2.5e-3;

std::int32_t root_of(Labels& parent, std::int32_t i) {
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

// Joins the pixels of row y with those neighbours to which strong entries couple them, in that row
// and, if `below`, in the row below. parent holds the disjoint sets of slots.
void join_near(const Stencil& stencil, std::int64_t y, bool below, Labels& parent) {
    constexpr int near[][2] = {{0, 1}, {1, -1}, {1, 0}, {1, 1}};
    const std::int64_t n = stencil.grid.slots();
    for_pixels(
        stencil.grid, y, [&](std::int64_t i) { return stencil.scale[i] > 0; },
        [&](const std::int64_t* at) {
            for (const auto& [dy, dx] : near) {
                const std::int64_t other = at[dy] + dx;
                if ((dy == 0 || below) && std::abs(stencil.hi[Stencil::plane(dy, dx) * n + at[0]]) > strong &&
                    parent[other] != parent[at[0]]) {
                    const std::int32_t first = root_of(parent, static_cast<std::int32_t>(at[0]));
                    const std::int32_t second = root_of(parent, static_cast<std::int32_t>(other));
                    parent[std::max(first, second)] = std::min(first, second);
                }
            }
        });
}

// Finds the parts that strong entries between neighbouring pixels hold together, numbers them in
// the order of their first pixels, and returns their sizes.
std::vector<std::int64_t> near_parts(const Stencil& stencil, Labels& part, const Context& context) {
    const Grid& grid = stencil.grid;
    Labels parent(grid.slots());
    parallel_ranges(grid.slots(), context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        std::iota(parent.data() + begin, parent.data() + end, static_cast<std::int32_t>(begin));
    });
    // Whether the row is the last of its range.
    std::vector<std::uint8_t> is_last(static_cast<std::size_t>(grid.height()), 0);
    for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            join_near(stencil, y, y + 1 < end, parent);
            is_last[static_cast<std::size_t>(y)] = y + 1 == end;
        }
    });
    for (std::int64_t y = 0; y + 1 < grid.height(); ++y) {
        if (is_last[static_cast<std::size_t>(y)] != 0) {
            join_near(stencil, y, true, parent);
        }
    }
    std::vector<std::int64_t> size;
    for (std::int64_t i = 0; i < grid.slots(); ++i) {
        if (stencil.scale[i] == 0) {
            part[i] = nothing;
            continue;
        }
        if (parent[i] == i) {
            part[i] = static_cast<std::int32_t>(size.size());
            size.push_back(0);
        } else {
            part[i] = part[parent[i]];  // a parent comes before its children
        }
        ++size[static_cast<std::size_t>(part[i])];
    }
    return size;
}

// Returns the rows that hold pixels of other parts than the largest.
std::vector<std::int64_t> rows_beside(const Stencil& stencil, const Labels& part, std::int32_t largest,
                                      const Context& context) {
    std::vector<std::uint8_t> has(static_cast<std::size_t>(stencil.grid.height()), 0);
    for_rows(stencil.grid, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            for (const Piece* p = stencil.grid.pieces_begin(y); p != stencil.grid.pieces_end(y); ++p) {
                const std::int32_t* const labels = part.data() + p->at[2];
                has[static_cast<std::size_t>(y)] |=
                    std::any_of(labels, labels + p->size, [=](std::int32_t c) { return c != largest && c != nothing; })
                        ? 1
                        : 0;
            }
        }
    });
    std::vector<std::int64_t> rows;
    for (std::int64_t y = 0; y < stencil.grid.height(); ++y) {
        if (has[static_cast<std::size_t>(y)] != 0) {
            rows.push_back(y);
        }
    }
    return rows;
}

// Joins parts by strong entries between pixels that are two apart. The largest part keeps its
// number, so that only rows with pixels of other parts have to be visited.
void join_further(const Stencil& stencil, const std::vector<std::int64_t>& rows, std::int32_t largest,
                  std::vector<std::int64_t>& size, Labels& part, const Context& context) {
    std::vector<std::int64_t> near_rows;  // also the rows above, whose entries reach these rows
    for (const std::int64_t row : rows) {
        for (std::int64_t y = std::max<std::int64_t>(0, row - Stencil::reach); y <= row; ++y) {
            if (near_rows.empty() || near_rows.back() < y) {
                near_rows.push_back(y);
            }
        }
    }
    std::vector<std::vector<std::array<std::int32_t, 2>>> pairs(near_rows.size());
    parallel_for(static_cast<std::int64_t>(near_rows.size()), context.threads, context.monitor, [&](std::int64_t k) {
        auto& found = pairs[static_cast<std::size_t>(k)];
        for_pixels(
            stencil.grid, near_rows[static_cast<std::size_t>(k)], [&](std::int64_t i) { return part[i] != nothing; },
            [&](const std::int64_t* at) {
                for_entries(stencil, at, [&](std::int64_t other, std::int64_t entry) {
                    if (part[other] != part[at[0]] && std::abs(stencil.hi[entry]) > strong) {
                        found.push_back({part[at[0]], part[other]});
                    }
                });
            });
    });
    Labels parent(static_cast<std::int64_t>(size.size()));
    std::iota(parent.begin(), parent.end(), 0);
    for (const auto& found : pairs) {
        for (const auto& pair : found) {
            const std::int32_t first = root_of(parent, pair[0]);
            const std::int32_t second = root_of(parent, pair[1]);
            const std::int32_t root = first == largest ? first : second;
            parent[root == first ? second : first] = root;
        }
    }
    for (std::int32_t c = 0; c < parent.size(); ++c) {
        const std::int32_t root = root_of(parent, c);
        if (root != c) {
            size[static_cast<std::size_t>(root)] += size[static_cast<std::size_t>(c)];
            size[static_cast<std::size_t>(c)] = 0;
        }
    }
    for (const std::int64_t y : rows) {
        for_pixels(
            stencil.grid, y, [&](std::int64_t i) { return part[i] != nothing; },
            [&](const std::int64_t* at) { part[at[0]] = root_of(parent, part[at[0]]); });
    }
}

struct Energy {
    double of_one = 0;  // e^T A e, where the alpha e is one on a part and zero elsewhere
    double alone = 0;   // e^T e
};

// Returns the energies of the largest part or of all other parts, from the rows that hold them.
std::vector<Energy> energies(const Stencil& stencil, const std::vector<std::int64_t>& rows, const Labels& part,
                             std::size_t parts, std::int32_t largest, bool of_largest, const Context& context) {
    struct Run {
        std::int32_t part;
        Energy energy;
    };
    std::vector<std::vector<Run>> runs(rows.size());
    parallel_for(static_cast<std::int64_t>(rows.size()), context.threads, context.monitor, [&](std::int64_t k) {
        auto& of_row = runs[static_cast<std::size_t>(k)];
        for_pixels(
            stencil.grid, rows[static_cast<std::size_t>(k)],
            [&](std::int64_t i) { return part[i] != nothing && (part[i] == largest) == of_largest; },
            [&](const std::int64_t* at) {
                if (of_row.empty() || of_row.back().part != part[at[0]]) {
                    of_row.push_back({part[at[0]], {}});
                }
                Energy& sums = of_row.back().energy;
                const double e = 1 / stencil.scale[at[0]];
                sums.of_one += e * e;
                sums.alone += e * e;
                for_entries(stencil, at, [&](std::int64_t other, std::int64_t entry) {
                    if (part[other] == part[at[0]] && stencil.hi[entry] != 0) {
                        sums.of_one += 2 * entry_of(stencil, entry) * e / stencil.scale[other];
                    }
                });
            });
    });
    std::vector<Energy> all(parts);
    for (const auto& of_row : runs) {
        for (const Run& run : of_row) {
            all[static_cast<std::size_t>(run.part)].of_one += run.energy.of_one;
            all[static_cast<std::size_t>(run.part)].alone += run.energy.alone;
        }
    }
    return all;
}

}  // namespace

LooseParts find_loose_parts(const Stencil& stencil, const Context& context) {
    const std::int64_t n = stencil.grid.slots();
    if (n > std::numeric_limits<std::int32_t>::max()) {
        return {};
    }
    Labels part(n);
    std::vector<std::int64_t> size = near_parts(stencil, part, context);
    const std::size_t parts = size.size();
    if (parts < 2) {
        return {};
    }
    const auto largest = static_cast<std::int32_t>(std::max_element(size.begin(), size.end()) - size.begin());
    std::vector<std::int64_t> rows = rows_beside(stencil, part, largest, context);
    join_further(stencil, rows, largest, size, part, context);
    std::vector<std::int32_t> number(parts, nothing);
    std::vector<double> of_loose;
    const auto number_loose_parts = [&](bool of_largest) {
        const std::vector<Energy> energy = energies(stencil, rows, part, parts, largest, of_largest, context);
        for (std::size_t c = 0; c < parts; ++c) {
            if (energy[c].alone > 0 &&
                energy[c].of_one * std::sqrt(static_cast<double>(size[c])) < loose * energy[c].alone) {
                number[c] = static_cast<std::int32_t>(of_loose.size());
                of_loose.push_back(energy[c].of_one);
            }
        }
    };
    number_loose_parts(false);
    if (of_loose.empty()) {
        return {};
    }
    // The largest part, which is most of the picture, is measured only if another part is loose.
    rows.resize(static_cast<std::size_t>(stencil.grid.height()));
    std::iota(rows.begin(), rows.end(), 0);
    number_loose_parts(true);
    for (std::int64_t i = 0; i < n; ++i) {
        part[i] = part[i] == nothing ? nothing : number[static_cast<std::size_t>(part[i])];
    }
    return {std::move(part), std::move(of_loose)};
}

}  // namespace trimatte
