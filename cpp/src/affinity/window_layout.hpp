// Where the windows and the wanted pixels of a picture lie in memory. This header is private to
// this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "trimatte/affinity.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// A run of wanted pixels in a row: columns x_begin ... x_end - 1, of which the first has row
// `first` in the matrix.
struct WantedRun {
    std::int64_t x_begin, x_end, first;
};

// A rectangle of places that are computed together. `at` counts the places of the tiles before.
struct Tile {
    std::int64_t y, rows, x, columns, at;

    std::int64_t place(std::int64_t v, std::int64_t u) const { return at + (v - y) * columns + u - x; }
};

// Tiles cover all marked places of a grid. A band is `side` rows of the grid; its tiles are in the
// order of their columns.
struct Tiles {
    std::vector<Tile> tiles;
    std::vector<std::int64_t> band_start;  // the first tile of each band, and the number of tiles
    std::int64_t places = 0;
    std::int64_t widest = 1;

    // Calls body(tile) for the tiles of a band that hold columns in [x_begin, x_end).
    template <class Body>
    void for_tiles(std::int64_t band, std::int64_t x_begin, std::int64_t x_end, const Body& body) const {
        const auto first = tiles.begin() + band_start[static_cast<std::size_t>(band)];
        const auto last = tiles.begin() + band_start[static_cast<std::size_t>(band) + 1];
        auto tile = std::partition_point(first, last, [&](const Tile& t) { return t.x + t.columns <= x_begin; });
        for (; tile != last && tile->x < x_end; ++tile) {
            body(*tile);
        }
    }
};

class WindowLayout {
public:
    WindowLayout(const Wanted& wanted, int radius, const Context& context);

    std::int64_t rows() const { return rows_; }
    std::int64_t height() const { return height_; }
    std::int64_t width() const { return width_; }
    std::int64_t side() const { return side_; }
    // The windows that hold an unknown pixel, by their upper left pixels.
    const Tiles& windows() const { return windows_; }
    bool is_built(std::int64_t place) const { return built_[static_cast<std::size_t>(place)] != 0; }
    // The wanted pixels.
    const Tiles& pixels() const { return pixels_; }

    // Calls body(run) for the wanted pixels of row y in columns [x_begin, x_end), as runs that are
    // cut off at these columns.
    template <class Body>
    void for_runs(std::int64_t y, std::int64_t x_begin, std::int64_t x_end, const Body& body) const {
        const auto first = runs_.begin() + run_start_[static_cast<std::size_t>(y)];
        const auto last = runs_.begin() + run_start_[static_cast<std::size_t>(y) + 1];
        auto run = std::partition_point(first, last, [&](const WantedRun& r) { return r.x_end <= x_begin; });
        for (; run != last && run->x_begin < x_end; ++run) {
            const std::int64_t begin = std::max(x_begin, run->x_begin);
            body(WantedRun{begin, std::min(x_end, run->x_end), run->first + begin - run->x_begin});
        }
    }
    std::size_t bytes() const {
        return runs_.size() * sizeof(WantedRun) + run_start_.size() * sizeof(std::int64_t) + built_.size() +
               (windows_.tiles.size() + pixels_.tiles.size()) * sizeof(Tile);
    }

private:
    void find_runs(const Wanted& wanted);
    void find_windows(const Wanted& wanted, const Context& context);
    void find_pixels(const Wanted& wanted);

    std::int64_t side_, height_, width_;
    std::int64_t rows_ = 0;
    std::vector<WantedRun> runs_;
    std::vector<std::int64_t> run_start_;
    Tiles windows_, pixels_;
    std::vector<std::uint8_t> built_;
};

}  // namespace trimatte
