#include "solve/multigrid/drawing.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace trimatte {
namespace {

constexpr double flat_at_least = 0.1;
constexpr std::int64_t every = 4;  // the distance of the rows that are looked at
// a drawing also has at least four pixels per colour
constexpr std::int64_t colours_at_most = 1024;

// Returns the part of the unknown pixels that are the upper left corner of 3 x 3 unknown pixels of
// one colour. Photographs have up to 0.03, JPEG files of quality 50 up to 0.1, drawings 0.2 and
// more.
double flat_part(const Stencil& stencil, const Context& context) {
    const Grid& grid = stencil.grid;
    const std::int64_t n = grid.slots();
    struct Counts {
        std::int64_t flat = 0, all = 0;
    };
    std::vector<Counts> of_row(static_cast<std::size_t>(grid.height()));
    const auto is_flat = [&](const std::int64_t* at) {
        for (int dy = 0; dy < 3; ++dy) {
            for (std::int64_t i = at[dy]; i < at[dy] + 3; ++i) {
                for (int c = 0; c < stencil.channels; ++c) {
                    if (stencil.scale[i] == 0 || stencil.colours[c * n + i] != stencil.colours[c * n + at[0]]) {
                        return false;
                    }
                }
            }
        }
        return stencil.channels > 0;
    };
    for_rows(grid, context, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = (begin + every - 1) / every * every; y < end; y += every) {
            Counts& counts = of_row[static_cast<std::size_t>(y)];
            for_pixels(
                grid, y, [&](std::int64_t i) { return stencil.scale[i] > 0; },
                [&](const std::int64_t* at) {
                    ++counts.all;
                    counts.flat += is_flat(at) ? 1 : 0;
                });
        }
    });
    Counts sum;
    for (const Counts& counts : of_row) {
        sum.flat += counts.flat;
        sum.all += counts.all;
    }
    return static_cast<double>(sum.flat) / static_cast<double>(std::max<std::int64_t>(sum.all, 1));
}

// Whether there are no more colours than a palette has. In a photograph the search ends after a few
// rows.
bool has_few_colours(const Stencil& stencil) {
    const std::int64_t n = stencil.grid.slots();
    const auto colour_at = [&](std::int64_t i) {
        std::array<float, 3> colour{};
        for (int c = 0; c < stencil.channels; ++c) {
            colour[static_cast<std::size_t>(c)] = stencil.colours[c * n + i];
        }
        return colour;
    };
    std::set<std::array<float, 3>> seen;
    std::int64_t pixels = 0;
    std::array<float, 3> last{-1, -1, -1};
    for (std::int64_t i = 0; i < n && static_cast<std::int64_t>(seen.size()) <= colours_at_most; ++i) {
        if (stencil.scale[i] > 0) {
            ++pixels;
            const auto colour = colour_at(i);
            if (colour != last) {
                seen.insert(colour);
                last = colour;
            }
        }
    }
    const auto colours = static_cast<std::int64_t>(seen.size());
    return stencil.channels > 0 && colours <= colours_at_most && 4 * colours <= pixels;
}

}  // namespace

bool is_drawing(const Stencil& stencil, const Context& context) {
    return has_few_colours(stencil) || flat_part(stencil, context) > flat_at_least;
}

}  // namespace trimatte
