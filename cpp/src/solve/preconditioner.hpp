// What conjugate gradients ask of a preconditioner for a sparse matrix.
#pragma once

#include <cstddef>

namespace trimatte {

// An approximate inverse M^-1 of a symmetric positive definite matrix that is scaled to unit diagonal. M^-1 is linear,
// symmetric and positive definite, and has the same bits for any number of threads.
class Preconditioner {
public:
    virtual ~Preconditioner() = default;
    // z = M^-1 r; both have one number per unknown and do not overlap.
    virtual void apply(const double* r, double* z) = 0;
    // Bytes of the arrays that it holds.
    virtual std::size_t bytes() const = 0;
    // Numbers in the matrices of all levels over those of the finest; 1 where there are no levels.
    virtual double operator_complexity() const = 0;
};

}  // namespace trimatte
