// The expansion of the known regions (section 4 of the paper): an unknown pixel that lies near a
// known one and has nearly its colour takes its label. The nearest such pixel decides; of several
// at the same distance the one with the nearest colour.
#include <cmath>

#include "prior/shared_sampling/shared_sampling.hpp"

namespace trimatte::sharing {

std::vector<Offset> offsets_by_length(std::int64_t reach) {
    std::vector<Offset> offsets;
    for (std::int64_t y = -reach; y <= reach; ++y) {
        for (std::int64_t x = -reach; x <= reach; ++x) {
            offsets.push_back({y * y + x * x, y, x});
        }
    }
    std::stable_sort(offsets.begin(), offsets.end(),
                     [](const Offset& a, const Offset& b) { return a.distance2 < b.distance2; });
    return offsets;
}

namespace {

template <class Colours>
Label label_of(const Picture& picture, const Label* labels, const Colours& colours, const std::vector<Offset>& offsets,
               std::int64_t reach, float threshold, std::int64_t y, std::int64_t x) {
    const Colour C = colours(picture.pixel(y, x));
    float least = threshold * threshold;
    Label found = Label::unknown;
    std::int64_t farthest = reach * reach;
    for (const Offset& offset : offsets) {
        if (offset.distance2 > farthest) {
            break;
        }
        const std::int64_t v = y + offset.y, u = x + offset.x;
        if (!picture.inside(v, u) || labels[picture.pixel(v, u)] == Label::unknown) {
            continue;
        }
        const float d = distance2(C, colours(picture.pixel(v, u)));
        if (found == Label::unknown ? d <= least : d < least) {
            least = d;
            found = labels[picture.pixel(v, u)];
            farthest = offset.distance2;
        }
    }
    return found;
}

}  // namespace

Picture expand(const ImageView& image, const Label* labels, std::int64_t reach, float threshold, Context context) {
    Picture picture{image, std::vector<Label>(labels, labels + image.pixels()), {}, {}};
    const std::vector<Offset> offsets = offsets_by_length(reach);
    with_colours(image, [&](const auto& colours) {
        parallel_for(reach > 0 ? image.height : 0, context.threads, context.monitor, [&](std::int64_t y) {
            for (std::int64_t x = 0; x < image.width; ++x) {
                if (labels[picture.pixel(y, x)] == Label::unknown) {
                    picture.labels[static_cast<std::size_t>(picture.pixel(y, x))] =
                        label_of(picture, labels, colours, offsets, reach, threshold, y, x);
                }
            }
            context.monitor.set_fraction(static_cast<double>(y) / static_cast<double>(image.height));
        });
    });
    picture.unknown = places_of(image, picture.labels.data(), Label::unknown, context.threads, context.monitor);
    picture.row_start.assign(static_cast<std::size_t>(image.height) + 1, 0);
    for (const Place& p : picture.unknown) {
        ++picture.row_start[static_cast<std::size_t>(p.y) + 1];
    }
    for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
        picture.row_start[y + 1] += picture.row_start[y];
    }
    return picture;
}

}  // namespace trimatte::sharing
