// Known pixels near the unknown region, and their colours. Private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

struct Place {
    std::int32_t y, x;
};

// The pixels with this label, in the order of the picture.
std::vector<Place> places_of(const ImageView& image, const Label* labels, Label label, int threads, Monitor& monitor);

struct KnownPlaces {
    std::vector<Place> foreground, background;
};

// The known pixels with an unknown one within `reach` rows and columns, in the order of the picture; of a kind that has
// none, at most 100,000 of all.
KnownPlaces known_near_unknown(const ImageView& image, const Label* labels, std::int64_t reach, int threads,
                               Monitor& monitor);

// At most `count` of them, drawn at random, in the order of the picture.
std::vector<Place> some_of(std::vector<Place>&& places, std::int64_t count, std::uint64_t seed);

// Their colours: channels numbers each, one after the other. `places` must be in the order of the picture.
std::vector<float> colours_at(const ImageView& image, const std::vector<Place>& places, int threads, Monitor& monitor);

// The Euclidean distance of each pixel to the nearest one with this label, in pixels, as a plane; infinity if there is
// none. Felzenszwalb, Huttenlocher, Theory of Computing 8, 2012.
std::vector<float> distance_to(const ImageView& image, const Label* labels, Label label, int threads, Monitor& monitor);

// For each query, the `count` places nearest to it; fewer places than that: all of them. Equal distances: the earlier
// in `places`.
std::vector<std::int32_t> nearest(const std::vector<Place>& places, const std::vector<Place>& queries,
                                  std::int64_t count, int threads, Monitor& monitor);

}  // namespace trimatte
