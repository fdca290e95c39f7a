// A matrix whose rows and columns count as scaled to unit diagonal. This header is private to this
// folder.
#pragma once

#include "trimatte/parallel.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// The matrix D^-1/2 A D^-1/2, where D is the diagonal of A, without a copy of A, and D^-1/2 itself
// as `scale`. A must outlive it.
struct ScaledMatrix {
    const Csr& A;
    Buffer<double> scale;

    // Throws FactorizationError if a diagonal entry is not positive.
    ScaledMatrix(const Csr& matrix, const Context& context);

    // Returns the scaled entry k, which is in row i.
    double entry(std::int64_t i, std::int64_t k) const {
        return A.column[k] == i ? 1.0 : A.value[k] * scale[i] * scale[A.column[k]];
    }
};

}  // namespace trimatte
