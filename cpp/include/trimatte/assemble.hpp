// From an affinity's rows to a linear system: known pixels, soft weights and priors enter here, and nowhere else.
#pragma once

#include "trimatte/affinity.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"

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

// What is known of the pixels. The hard system is (L_U + C) x = -R m + C beta in the unknown pixels U only: known pixels
// keep their value m exactly. The soft one is (L + w D + C) x = w m + C beta in all pixels, D = 1 on known pixels.
// beta and C are the prior's alpha and confidence.
struct Known {
    const Label* labels = nullptr;
    double weight = 0;  // w; 0: the hard system
    Prior prior = {};

    bool is_soft() const { return weight > 0; }
    // Whether a pixel is an unknown of the system.
    bool is_solved(std::int64_t pixel) const { return is_soft() || labels[pixel] == Label::unknown; }
    // What the pixel adds to the diagonal of L.
    double diagonal(std::int64_t pixel) const {
        return labels[pixel] == Label::unknown ? prior.weight(pixel) : weight;
    }
    // What it adds to the right-hand side.
    double pull(std::int64_t pixel) const {
        if (labels[pixel] == Label::unknown) {
            return prior.pull(pixel);
        }
        return labels[pixel] == Label::foreground ? weight : 0.0;
    }
};

// What a problem keeps: sparse rows, or a stencil, which multigrid on the pixel grid wants.
enum class Form { sparse, stencil };

// The system of an affinity. A stencil is for affinities that reach 2 pixels at most.
Problem assemble(const Affinity& affinity, const ImageView& image, const Known& known, Form form,
                 const Context& context);

// The operator of all pixels. `known` (may be null) marks pixels with a fixed value: terms of the energy that hold
// nothing else are left out, and their entries are zero.
Csr laplacian(const Affinity& affinity, const ImageView& image, const std::uint8_t* known, const Context& context);

}  // namespace trimatte
