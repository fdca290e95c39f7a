// The connected regions of unknown pixels. Each of them is a linear system of its own. This header
// is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// A run of unknown pixels in a picture row: columns x_begin ... x_end - 1.
struct Run {
    std::int32_t y, x_begin, x_end;
};

// A box of pixels: rows top ... bottom - 1, columns left ... right - 1.
struct Box {
    std::int64_t top, left, bottom, right;

    std::int64_t height() const { return bottom - top; }
    std::int64_t width() const { return right - left; }
    std::int64_t pixels() const { return height() * width(); }
    Box with(const Box& other) const;
    // The box with `margin` more pixels on each side, cut off at the border of the picture.
    Box grown(std::int64_t margin, std::int64_t picture_height, std::int64_t picture_width) const;
};

struct Region {
    const Run* begin;  // the runs of the region, from top to bottom
    const Run* end;
    std::int64_t unknowns;
    Box box;  // the smallest box that holds all pixels of the region
    // Whether a known pixel of this kind may be coupled to a pixel of the region.
    bool meets_foreground, meets_background;
};

class Regions {
public:
    // Two unknown pixels belong to one region if they are at most `reach` rows and columns apart,
    // or if a chain of such pixels connects them. The regions are in the order of their first
    // pixels.
    Regions(const Label* labels, std::int64_t height, std::int64_t width, std::int64_t reach, const Context& context);

    const std::vector<Region>& all() const { return regions_; }
    std::size_t bytes() const { return runs_.size() * sizeof(Run) + regions_.size() * sizeof(Region); }

private:
    std::vector<Run> runs_;  // sorted by region, then by row and column
    std::vector<Region> regions_;
};

}  // namespace trimatte
