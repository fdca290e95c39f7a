#include "solve/cut.hpp"

#include <algorithm>

namespace trimatte {
namespace {

std::int64_t bytes_per_pixel(const ImageView& image) {
    switch (image.type) {
        case PixelType::u8: return image.channels;
        case PixelType::u16: return 2 * image.channels;
        case PixelType::f32: return 4 * image.channels;
        default: return 8 * image.channels;
    }
}

// Copies the box from a plane of `width` pixels per row, each of `size` elements.
template <class T>
std::vector<T> cut_out(const T* plane, std::int64_t width, const Box& box, std::int64_t size = 1) {
    std::vector<T> part(static_cast<std::size_t>(box.pixels() * size));
    for (std::int64_t y = 0; y < box.height(); ++y) {
        std::copy_n(plane + ((box.top + y) * width + box.left) * size, box.width() * size,
                    part.data() + y * box.width() * size);
    }
    return part;
}

}  // namespace

Cut::Cut(const ImageView& image, const Known& known, const float* start, const std::vector<const Region*>& regions,
         std::int64_t reach)
    : Cut(image, known, start) {
    Box box = regions.front()->box;
    for (const Region* region : regions) {
        box = box.with(region->box);
    }
    box = box.grown(reach, image.height, image.width);
    if (2 * box.pixels() > image.pixels()) {
        box = box_;
    }
    labels_ = cut_out(known.labels, image.width, box);
    std::replace(labels_.begin(), labels_.end(), Label::unknown, Label::background);
    for (const Region* region : regions) {
        for (const Run* run = region->begin; run != region->end; ++run) {
            Label* row = labels_.data() + (run->y - box.top) * box.width() - box.left;
            std::fill(row + run->x_begin, row + run->x_end, Label::unknown);
        }
    }
    known_.labels = labels_.data();
    if (box.pixels() == image.pixels()) {
        return;
    }
    box_ = box;
    pixels_ = cut_out(static_cast<const std::uint8_t*>(image.data), image.width, box, bytes_per_pixel(image));
    image_ = {pixels_.data(), image.type, box.height(), box.width(), image.channels};
    if (known.prior) {
        alpha_ = cut_out(known.prior.alpha, image.width, box);
        confidence_ = cut_out(known.prior.confidence, image.width, box);
        known_.prior = {alpha_.data(), confidence_.data()};
    }
    if (start != nullptr) {
        starts_ = cut_out(start, image.width, box);
        start_ = starts_.data();
    }
}

std::int64_t Cut::unknowns() const {
    const Label* labels = known_.labels;
    return known_.is_soft() ? image_.pixels() : std::count(labels, labels + image_.pixels(), Label::unknown);
}

}  // namespace trimatte
