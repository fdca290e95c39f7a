// Tiles of the picture, as planes of floats with a border, for loops over the windows of pixels.
// This header is private to this folder.
#pragma once

#include <vector>

#include "prior/shared_sampling/shared_sampling.hpp"
#include "simd/kernels.hpp"

namespace trimatte::sharing {

// The tile of 16 x 64 pixels whose first pixel is (y, x), and `radius` pixels around it.
class Tile {
public:
    static constexpr std::int64_t height = 16, width = simd::tile_lanes, vector = 16;

    Tile(const Picture& picture, std::int64_t planes, std::int64_t radius)
        : picture_(picture),
          radius_(radius),
          stride_(width + 2 * radius),
          plane_((height + 2 * radius) * stride_),
          data_(static_cast<std::size_t>(planes * plane_)) {}

    // Moves the tile. fill is the number in its planes before something is put there.
    void move_to(std::int64_t y, std::int64_t x, float fill) {
        y_ = y;
        x_ = x;
        std::fill(data_.begin(), data_.end(), fill);
    }
    std::int64_t plane() const { return plane_; }
    // The place in a plane of a pixel of the tile or its border.
    std::int64_t at(std::int64_t y, std::int64_t x) const { return (y - y_ + radius_) * stride_ + x - x_ + radius_; }
    std::int64_t offset(std::int64_t dy, std::int64_t dx) const { return dy * stride_ + dx; }
    float* data(std::int64_t at) { return data_.data() + at; }
    void put(std::int64_t plane, std::int64_t at, float value) {
        data_[static_cast<std::size_t>(plane * plane_ + at)] = value;
    }
    std::int64_t lane(std::int64_t x) const { return x - x_; }

    // Calls body(y, begin, end) for the rows of the tile and its border that lie in the picture,
    // with the columns that do.
    template <class Body>
    void for_all_rows(const Body& body) const {
        const ImageView& image = picture_.image;
        const std::int64_t begin = std::max<std::int64_t>(0, x_ - radius_);
        const std::int64_t end = std::min(image.width, x_ + width + radius_);
        for (std::int64_t y = std::max<std::int64_t>(0, y_ - radius_);
             y < std::min(image.height, y_ + height + radius_); ++y) {
            body(y, begin, end);
        }
    }
    // Calls body(y, first, count) for the rows of the tile itself that hold unknown pixels, with the
    // first of the columns that hold these and their number, both rounded to whole vectors.
    template <class Body>
    void for_rows(const Body& body) const {
        for (std::int64_t y = y_; y < std::min(picture_.image.height, y_ + height); ++y) {
            std::int64_t first = -1, last = -1;
            picture_.for_unknown(y, x_, x_ + width, [&](std::int64_t, std::int64_t x) {
                first = first < 0 ? x : first;
                last = x;
            });
            if (first >= 0) {
                const std::int64_t begin = lane(first) / vector * vector, end = (lane(last) / vector + 1) * vector;
                body(y, x_ + begin, end - begin);
            }
        }
    }
    // Calls body(i, x) for the unknown pixels of a row of the tile.
    template <class Body>
    void for_unknown(std::int64_t y, const Body& body) const {
        picture_.for_unknown(y, x_, x_ + width, body);
    }

private:
    const Picture& picture_;
    std::int64_t radius_, stride_, plane_;
    std::vector<float> data_;
    std::int64_t y_ = 0, x_ = 0;
};

// Calls body(y, x, tile) for all tiles that hold unknown pixels. `tile` belongs to a chunk of work.
template <class Body>
void for_tiles(const Picture& picture, std::int64_t planes, std::int64_t radius, Context context, const Body& body) {
    const std::int64_t down = (picture.image.height + Tile::height - 1) / Tile::height;
    const std::int64_t across = (picture.image.width + Tile::width - 1) / Tile::width;
    parallel_for(down * across, context.threads, context.monitor, [&](std::int64_t task) {
        const std::int64_t y = task / across * Tile::height, x = task % across * Tile::width;
        bool any = false;
        for (std::int64_t row = y; row < std::min(picture.image.height, y + Tile::height); ++row) {
            picture.for_unknown(row, x, x + Tile::width, [&](std::int64_t, std::int64_t) { any = true; });
        }
        if (any) {
            Tile tile(picture, planes, radius);
            body(y, x, tile);
            context.monitor.set_fraction(static_cast<double>(task) / static_cast<double>(down * across));
        }
    });
}

}  // namespace trimatte::sharing
