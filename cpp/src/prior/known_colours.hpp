// Known pixels near the unknown region, and their colours. This header is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"

namespace trimatte {

struct Place {
    std::int32_t y, x;
};

// Returns the pixels with this label, in the order of the picture.
std::vector<Place> places_of(const ImageView& image, const Label* labels, Label label, int threads, Monitor& monitor);

struct KnownPlaces {
    std::vector<Place> foreground, background;
};

// Returns the known pixels with an unknown one within `reach` rows and columns, in the order of the
// picture. A kind that has none there is represented by at most 100,000 of all its pixels, drawn at
// random.
KnownPlaces known_near_unknown(const ImageView& image, const Label* labels, std::int64_t reach, int threads,
                               Monitor& monitor);

// Returns at most `count` of the places, drawn at random, in the order of the picture.
std::vector<Place> some_of(std::vector<Place>&& places, std::int64_t count, std::uint64_t seed);

// Returns the colours of the places, one after the other, each as `image.channels` numbers. The
// places must be in the order of the picture.
std::vector<float> colours_at(const ImageView& image, const std::vector<Place>& places, int threads, Monitor& monitor);

// Returns, as a plane, the Euclidean distance of each pixel to the nearest one with this label, in
// pixels. It is infinity if there is none. The algorithm is that of Felzenszwalb, Huttenlocher,
// "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
std::vector<float> distance_to(const ImageView& image, const Label* labels, Label label, int threads, Monitor& monitor);

// Returns the numbers of the `count` places nearest to each query, in ascending order, query after
// query. All are returned if there are fewer. The earlier in `places` is nearer at equal distances.
std::vector<std::int32_t> nearest(const std::vector<Place>& places, const std::vector<Place>& queries,
                                  std::int64_t count, int threads, Monitor& monitor);

}  // namespace trimatte
