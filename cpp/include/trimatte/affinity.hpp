// Affinities: from an image and what is known of it to a matting Laplacian, and to the problem to solve.
#pragma once

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/problem.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// A guess of alpha and how much it counts: the term confidence (x - alpha)^2 of each unknown pixel. Both are planes of
// the image's size, or null; what they say of known pixels is not used.
struct Prior {
    const float* alpha = nullptr;
    const float* confidence = nullptr;

    explicit operator bool() const { return confidence != nullptr; }
    double weight(std::int64_t pixel) const { return *this ? static_cast<double>(confidence[pixel]) : 0.0; }
    double pull(std::int64_t pixel) const { return *this ? weight(pixel) * static_cast<double>(alpha[pixel]) : 0.0; }
};

struct ClosedFormOptions {
    double epsilon = 1e-7;  // colour variance added to a window, in squared image units
    int radius = 1;         // windows are 2 radius + 1 pixels wide and lie fully inside the picture
    int threads = 1;
    // For a problem:
    bool stencil = false;  // make its stencil, not its matrix (radius 1 only)
    Prior prior = {};
};

// The Laplacian of all pixels, Eq. 12 of Levin, Lischinski, Weiss, TPAMI 2008. `known` (may be null) marks
// pixels with a fixed value: windows that hold nothing else are left out, and their entries are zero.
Csr closed_form_laplacian(const ImageView& image, const std::uint8_t* known, const ClosedFormOptions& options,
                          Monitor& monitor);

// The system (L_U + C) x = -R m + C beta in the unknown pixels only; known pixels keep their value exactly. beta and C
// are the prior's.
Problem closed_form(const ImageView& image, const Label* labels, const ClosedFormOptions& options, Monitor& monitor);

// The soft system (L + w D + C) x = w m + C beta in all pixels, D = 1 on known pixels, m = 1 on known foreground.
Problem closed_form_soft(const ImageView& image, const Label* labels, double known_weight,
                         const ClosedFormOptions& options, Monitor& monitor);

}  // namespace trimatte
