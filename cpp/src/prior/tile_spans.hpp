// A tile of a picture: which of its pixels a layer of the fusion network has to compute.
#pragma once

#include <algorithm>
#include <cstdint>

#include "trimatte/buffer.hpp"
#include "trimatte/image.hpp"

namespace trimatte {

// Rows [top, bottom) and columns [left, right) of the picture.
struct Box {
    std::int64_t top, bottom, left, right;

    std::int64_t height() const { return bottom - top; }
    std::int64_t width() const { return right - left; }
    bool empty() const { return top >= bottom || left >= right; }
    Box grown(std::int64_t by) const { return {top - by, bottom + by, left - by, right + by}; }
    Box widened(std::int64_t by) const { return {top, bottom, left - by, right + by}; }
    Box within(const ImageView& image) const {
        return {std::max<std::int64_t>(top, 0), std::min(bottom, image.height), std::max<std::int64_t>(left, 0),
                std::min(right, image.width)};
    }
};

// Columns [left, right) of one row.
struct Span {
    std::int64_t left, right;

    std::int64_t width() const { return right - left; }
};

// How far the pixels of a tile and of its surroundings are from the unknown pixels of the tile: the
// larger of the distances in rows and in columns.
class Nearness {
public:
    // No pixel farther than `most`, at most 254, is asked for.
    Nearness(const Label* labels, const ImageView& image, const Box& part, std::int64_t most)
        : image_(image), box_{part.bottom, part.top, part.right, part.left} {
        for (std::int64_t y = part.top; y < part.bottom; ++y) {
            for (std::int64_t x = part.left; x < part.right; ++x) {
                if (labels[y * image.width + x] == Label::unknown) {
                    box_ = {std::min(box_.top, y), y + 1, std::min(box_.left, x), std::max(box_.right, x + 1)};
                }
            }
        }
        if (!box_.empty()) {
            measure(labels, most);
        }
    }
    // The box around the unknown pixels of the tile.
    const Box& box() const { return box_; }

    // Calls work(span) for the parts of row y, within the picture, that hold all pixels at most `rim`
    // away. Short gaps between such parts are filled, because short spans cost more for each pixel.
    template <class Work>
    void for_spans(std::int64_t y, std::int64_t rim, const Work& work) const {
        constexpr std::int64_t short_gap = 6;
        const std::int64_t left = std::max<std::int64_t>(box_.left - rim, 0);
        const std::int64_t right = std::min(box_.right + rim, image_.width);
        const unsigned char* row = distance_.data() + (y - around_.top) * around_.width() - around_.left;
        Span span{left, left};
        for (std::int64_t x = left; x < right; ++x) {
            if (row[x] > rim) {
                continue;
            }
            if (x - span.right >= short_gap || span.width() == 0) {
                if (span.width() > 0) {
                    work(span);
                }
                span.left = x;
            }
            span.right = x + 1;
        }
        if (span.width() > 0) {
            work(span);
        }
    }

private:
    // Goes over the box, grown by `most`, forwards and backwards: each pixel is one farther away than
    // the nearest of its neighbours.
    void measure(const Label* labels, std::int64_t most) {
        around_ = box_.grown(most);
        distance_ = Buffer<unsigned char>(around_.height() * around_.width());
        std::fill(distance_.begin(), distance_.end(), far);
        for (std::int64_t y = box_.top; y < box_.bottom; ++y) {
            for (std::int64_t x = box_.left; x < box_.right; ++x) {
                if (labels[y * image_.width + x] == Label::unknown) {
                    *at(y, x) = 0;
                }
            }
        }
        const std::int64_t width = around_.width(), last = around_.height() - 1;
        for (std::int64_t i = 0; i <= last; ++i) {
            spread(distance_.data() + i * width, i > 0 ? distance_.data() + (i - 1) * width : nullptr, width);
        }
        for (std::int64_t i = last - 1; i >= 0; --i) {
            spread(distance_.data() + i * width, distance_.data() + (i + 1) * width, width);
        }
    }
    // Lets a row know of the row beside it, if there is one, and then of both sides of itself.
    static void spread(unsigned char* row, const unsigned char* beside, std::int64_t width) {
        const auto next = [](unsigned char v) { return static_cast<unsigned char>(v == far ? far : v + 1); };
        if (beside != nullptr) {
            for (std::int64_t x = 0; x < width; ++x) {
                const std::int64_t before = std::max<std::int64_t>(x - 1, 0), after = std::min(x + 1, width - 1);
                row[x] = std::min(row[x], next(std::min({beside[before], beside[x], beside[after]})));
            }
        }
        for (std::int64_t x = 1; x < width; ++x) {
            row[x] = std::min(row[x], next(row[x - 1]));
        }
        for (std::int64_t x = width - 2; x >= 0; --x) {
            row[x] = std::min(row[x], next(row[x + 1]));
        }
    }
    unsigned char* at(std::int64_t y, std::int64_t x) {
        return distance_.data() + (y - around_.top) * around_.width() + x - around_.left;
    }

    static constexpr unsigned char far = 255;

    const ImageView& image_;
    Box box_, around_{0, 0, 0, 0};
    Buffer<unsigned char> distance_;
};

// Numbers of the pixels of a box, `depth` for each. They are zero at first.
struct Field {
    Box box;
    std::int64_t depth;
    Buffer<float> numbers;

    Field(const Box& box_, std::int64_t depth_)
        : box(box_), depth(depth_), numbers(box_.height() * box_.width() * depth_) {
        std::fill(numbers.begin(), numbers.end(), 0.0f);
    }
    float* at(std::int64_t y, std::int64_t x) {
        return numbers.data() + ((y - box.top) * box.width() + x - box.left) * depth;
    }
};

}  // namespace trimatte
