// The connected regions of unknown pixels, which are systems of their own. Private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// Unknown pixels beside each other in a picture row: x_begin ... x_end - 1.
struct Run {
    std::int32_t y, x_begin, x_end;
};

// Rows top ... bottom - 1 and columns left ... right - 1.
struct Box {
    std::int64_t top, left, bottom, right;

    std::int64_t height() const { return bottom - top; }
    std::int64_t width() const { return right - left; }
    std::int64_t pixels() const { return height() * width(); }
    Box with(const Box& other) const;
    // `margin` pixels more on each side, as far as the picture goes.
    Box grown(std::int64_t margin, std::int64_t picture_height, std::int64_t picture_width) const;
};

struct Region {
    const Run* begin;  // its runs, from top to bottom
    const Run* end;
    std::int64_t unknowns;
    Box box;  // the smallest that holds its pixels
    // Whether a known pixel of the kind can be coupled to one of its pixels.
    bool meets_foreground, meets_background;
};

class Regions {
public:
    // Two unknown pixels are in one region if they are at most `reach` rows and columns apart, or a chain of such pixels
    // lies between them. The regions are in the order of their first pixels.
    Regions(const Label* labels, std::int64_t height, std::int64_t width, std::int64_t reach, const Context& context);

    const std::vector<Region>& all() const { return regions_; }
    std::int64_t unknowns() const;
    std::size_t bytes() const { return runs_.size() * sizeof(Run) + regions_.size() * sizeof(Region); }

private:
    std::vector<Run> runs_;  // region by region
    std::vector<Region> regions_;
};

}  // namespace trimatte
