#include "affinity/window_layout.hpp"

#include <algorithm>
#include <functional>

namespace trimatte {
namespace {

// Tiles have at most this number of columns, so that the sums of a tile stay in the cache.
constexpr std::int64_t columns_at_most = 128;

// mark(y, columns) sets the columns of row y that are marked to 1, and leaves the others.
using Mark = std::function<void(std::int64_t y, std::vector<std::uint8_t>& columns)>;

Tiles make_tiles(std::int64_t height, std::int64_t width, std::int64_t side, const Mark& mark) {
    Tiles result;
    std::vector<std::uint8_t> columns(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)));
    const auto add = [&](std::int64_t y, std::int64_t rows, std::int64_t begin, std::int64_t end) {
        const std::int64_t parts = (end - begin + columns_at_most - 1) / columns_at_most;
        for (std::int64_t i = 0; i < parts; ++i) {
            const std::int64_t x = begin + (end - begin) * i / parts;
            const std::int64_t next = begin + (end - begin) * (i + 1) / parts;
            result.tiles.push_back({y, rows, x, next - x, result.places});
            result.places += rows * (next - x);
            result.widest = std::max(result.widest, next - x);
        }
    };
    for (std::int64_t y = 0; y < height; y += side) {
        result.band_start.push_back(static_cast<std::int64_t>(result.tiles.size()));
        const std::int64_t rows = std::min(side, height - y);
        std::fill(columns.begin(), columns.end(), std::uint8_t{0});
        for (std::int64_t v = y; v < y + rows; ++v) {
            mark(v, columns);
        }
        // Columns closer than a window belong to one tile, because they share most of their pixels.
        std::int64_t begin = -1, end = -1;
        for (std::int64_t x = 0; x < width; ++x) {
            if (!columns[static_cast<std::size_t>(x)]) {
                continue;
            }
            if (begin >= 0 && x - end >= side) {
                add(y, rows, begin, end);
                begin = x;
            }
            begin = begin < 0 ? x : begin;
            end = x + 1;
        }
        if (begin >= 0) {
            add(y, rows, begin, end);
        }
    }
    result.band_start.push_back(static_cast<std::int64_t>(result.tiles.size()));
    return result;
}

}  // namespace

WindowLayout::WindowLayout(const Wanted& wanted, int radius, const Context& context)
    : side_(2 * static_cast<std::int64_t>(radius) + 1), height_(wanted.image.height), width_(wanted.image.width) {
    find_runs(wanted);
    find_windows(wanted, context);
    find_pixels(wanted);
}

void WindowLayout::find_runs(const Wanted& wanted) {
    const std::int64_t height = wanted.image.height, width = wanted.image.width;
    run_start_.push_back(0);
    for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width;) {
            if (!wanted.has_row(y * width + x)) {
                ++x;
                continue;
            }
            const std::int64_t begin = x;
            while (x < width && wanted.has_row(y * width + x)) {
                ++x;
            }
            runs_.push_back({begin, x, rows_});
            rows_ += x - begin;
        }
        run_start_.push_back(static_cast<std::int64_t>(runs_.size()));
    }
}

// A window is built if one of its rows has an unknown pixel in the window's columns.
void WindowLayout::find_windows(const Wanted& wanted, const Context& context) {
    const std::int64_t height = wanted.image.height - side_ + 1, width = wanted.image.width - side_ + 1;
    // The number of rows below row y - 1, at most `side`, in which a column holds an unknown pixel.
    std::vector<std::int32_t> below(static_cast<std::size_t>(wanted.image.width), 0);
    const auto count_row = [&](std::int64_t y, std::int32_t sign) {
        for (std::int64_t x = 0; x < wanted.image.width; ++x) {
            below[static_cast<std::size_t>(x)] += sign * wanted.is_unknown(y * wanted.image.width + x);
        }
    };
    std::vector<std::uint8_t> row(static_cast<std::size_t>(width));
    std::int64_t begun = -1;  // the row of windows that `row` describes
    const auto find_row = [&](std::int64_t y) {
        context.monitor.poll();
        if (begun < 0) {
            for (std::int64_t v = 0; v < side_ - 1; ++v) {
                count_row(v, 1);
            }
        } else {
            count_row(begun, -1);
        }
        begun = y;
        count_row(y + side_ - 1, 1);
        std::int64_t last = -1;  // the last column with an unknown pixel
        for (std::int64_t u = 0; u < side_ - 1; ++u) {
            last = below[static_cast<std::size_t>(u)] > 0 ? u : last;
        }
        for (std::int64_t x = 0; x < width; ++x) {
            last = below[static_cast<std::size_t>(x + side_ - 1)] > 0 ? x + side_ - 1 : last;
            row[static_cast<std::size_t>(x)] = last >= x;
        }
    };
    std::vector<std::uint8_t> all(static_cast<std::size_t>(height * width));
    windows_ = make_tiles(height, width, side_, [&](std::int64_t y, std::vector<std::uint8_t>& columns) {
        find_row(y);
        std::copy(row.begin(), row.end(), all.begin() + y * width);
        for (std::int64_t x = 0; x < width; ++x) {
            columns[static_cast<std::size_t>(x)] |= row[static_cast<std::size_t>(x)];
        }
    });
    built_.resize(static_cast<std::size_t>(windows_.places));
    for (const Tile& tile : windows_.tiles) {
        for (std::int64_t y = tile.y; y < tile.y + tile.rows; ++y) {
            std::copy_n(all.begin() + y * width + tile.x, tile.columns, built_.begin() + tile.place(y, tile.x));
        }
    }
}

void WindowLayout::find_pixels(const Wanted& wanted) {
    const std::int64_t height = wanted.image.height, width = wanted.image.width;
    pixels_ = make_tiles(height, width, side_, [&](std::int64_t y, std::vector<std::uint8_t>& columns) {
        for_runs(y, 0, width, [&](const WantedRun& run) {
            std::fill(columns.begin() + run.x_begin, columns.begin() + run.x_end, std::uint8_t{1});
        });
    });
}

}  // namespace trimatte
