// Affinities: from an image and what is known of it to a matting Laplacian, and to the problem to solve.
#pragma once

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/problem.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

struct ClosedFormOptions {
    double epsilon = 1e-7;  // colour variance added to a window, in squared image units
    int radius = 1;         // windows are 2 radius + 1 pixels wide and lie fully inside the picture
    int threads = 1;
    bool stencil = false;  // for a problem: make its stencil, not its matrix (radius 1 only)
};

// The Laplacian of all pixels, Eq. 12 of Levin, Lischinski, Weiss, TPAMI 2008. `known` (may be null) marks
// pixels with a fixed value: windows that hold nothing else are left out, and their entries are zero.
Csr closed_form_laplacian(const ImageView& image, const std::uint8_t* known, const ClosedFormOptions& options,
                          Monitor& monitor);

// The system L_U x = -R m in the unknown pixels only; known pixels keep their value exactly.
Problem closed_form(const ImageView& image, const Label* labels, const ClosedFormOptions& options, Monitor& monitor);

// The soft system (L + w D) x = w m in all pixels, D = 1 on known pixels, m = 1 on known foreground.
Problem closed_form_soft(const ImageView& image, const Label* labels, double known_weight,
                         const ClosedFormOptions& options, Monitor& monitor);

}  // namespace trimatte
