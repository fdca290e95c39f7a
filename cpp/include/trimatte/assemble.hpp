// Makes a linear system from the rows of an affinity. Known pixels, soft weights and priors enter
// the system here and nowhere else.
#pragma once

#include "trimatte/affinity.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// A guess of alpha and its confidence, which add the term confidence (x - alpha)^2 for each unknown
// pixel x. Both are planes of the size of the image, or null. Their values at known pixels are not
// used.
struct Prior {
    const float* alpha = nullptr;
    const float* confidence = nullptr;

    explicit operator bool() const { return confidence != nullptr; }
    double weight(std::int64_t pixel) const { return *this ? static_cast<double>(confidence[pixel]) : 0.0; }
    double pull(std::int64_t pixel) const { return *this ? weight(pixel) * static_cast<double>(alpha[pixel]) : 0.0; }
};

// What is known about the pixels. The hard system is (L_U + C) x = -R m + C beta in the unknown
// pixels U only; known pixels keep their value m exactly, and R holds the entries of L between
// unknown and known pixels. The soft system is (L + w D + C) x = w m + C beta in all pixels, where
// D is 1 on known pixels and 0 elsewhere. beta and C are the alpha and the confidence of the prior.
struct Known {
    const Label* labels = nullptr;
    double weight = 0;  // w; 0 selects the hard system
    Prior prior = {};

    bool is_soft() const { return weight > 0; }
    // Whether a pixel is an unknown of the system.
    bool is_solved(std::int64_t pixel) const { return is_soft() || labels[pixel] == Label::unknown; }
    // What the pixel adds to its diagonal entry of L.
    double diagonal(std::int64_t pixel) const { return labels[pixel] == Label::unknown ? prior.weight(pixel) : weight; }
    // What the pixel adds to its right-hand side.
    double pull(std::int64_t pixel) const {
        if (labels[pixel] == Label::unknown) {
            return prior.pull(pixel);
        }
        return labels[pixel] == Label::foreground ? weight : 0.0;
    }
};

// The form of a problem: sparse rows, a stencil, which multigrid on the pixel grid takes, or products
// without a matrix.
enum class Form { sparse, stencil, matrix_free };

// Makes the system of an affinity. A stencil needs an affinity that reaches at most 2 pixels, the
// matrix-free form one that has products.
Problem assemble(const Affinity& affinity, const ImageView& image, const Known& known, Form form,
                 const Context& context);

// Makes the operator of all pixels. `known` (may be null) marks pixels whose value is fixed. Terms
// of the energy that hold only such pixels are left out, and their entries are zero.
Csr laplacian(const Affinity& affinity, const ImageView& image, const std::uint8_t* known, const Context& context);

}  // namespace trimatte
