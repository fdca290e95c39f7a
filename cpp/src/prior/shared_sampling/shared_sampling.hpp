// The steps of shared sampling (prior/shared_sampling.cpp names the paper). This header is private
// to its folder and to that file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "prior/known_colours.hpp"
#include "prior/pixel_colours.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/prior.hpp"

namespace trimatte::sharing {

// The labels after the expansion, and the pixels that are still unknown, in the order of the
// picture.
struct Picture {
    ImageView image;
    std::vector<Label> labels;
    std::vector<Place> unknown;
    std::vector<std::int64_t> row_start;  // the first unknown pixel of each row, and their number

    std::int64_t pixel(std::int64_t y, std::int64_t x) const { return y * image.width + x; }
    bool inside(std::int64_t y, std::int64_t x) const {
        return y >= 0 && y < image.height && x >= 0 && x < image.width;
    }
    Label label(std::int64_t y, std::int64_t x) const { return labels[static_cast<std::size_t>(pixel(y, x))]; }
    std::int64_t count() const { return static_cast<std::int64_t>(unknown.size()); }

    // Calls body(i, x) for the unknown pixels in the columns [begin, end) of row y, where i is the
    // pixel's number among the unknown ones.
    template <class Body>
    void for_unknown(std::int64_t y, std::int64_t begin, std::int64_t end, const Body& body) const {
        const auto first = unknown.begin() + row_start[static_cast<std::size_t>(y)];
        const auto last = unknown.begin() + row_start[static_cast<std::size_t>(y) + 1];
        for (auto p = std::lower_bound(first, last, begin, [](const Place& q, std::int64_t x) { return q.x < x; });
             p != last && p->x < end; ++p) {
            body(static_cast<std::int64_t>(p - unknown.begin()), static_cast<std::int64_t>(p->x));
        }
    }
};

struct Offset {
    std::int64_t distance2, y, x;
};
// Returns the offsets to all pixels at most `reach` rows and columns away, the nearest first.
std::vector<Offset> offsets_by_length(std::int64_t reach);

// What is kept of an unknown pixel: eight floats.
struct Tuple {
    Colour F, B;
    float F_variance, B_variance;
};
struct Refined {
    Colour F, B;
    float alpha, confidence;
};

// The colour's alpha between F and B (Eq. 2), and its distance M to their mixture.
struct Mixture {
    float alpha, distortion;
};
Mixture mixture_of(const Colour& C, const Colour& F, const Colour& B);

// exp(-lambda M) with the paper's lambda.
float confidence_of(float distortion);

// Labels unknown pixels as a known pixel within `reach` pixels whose colour is within `threshold`.
Picture expand(const ImageView& image, const Label* labels, std::int64_t reach, float threshold, Context context);

// The best pair of the samples on each pixel's rays.
Buffer<Tuple> gather(const Picture& picture, std::int64_t rays, Context context);

// The mean of the three best tuples within `radius` rows and columns of each pixel, and its alpha.
Buffer<Refined> share(const Picture& picture, const Buffer<Tuple>& tuples, std::int64_t radius, bool own_colours,
                      Context context);

// The smoothed result, written to the unknown pixels.
void smooth(const Picture& picture, const Buffer<Refined>& refined, std::int64_t radius, const SharedSamples& out,
            Context context);

}  // namespace trimatte::sharing
