// The interface of preconditioners.
#pragma once

#include <cstddef>
#include <cstdint>

namespace trimatte {

// An approximate inverse M^-1 of a symmetric positive definite matrix. M^-1 is linear, symmetric
// and positive definite, and has the same bits for any number of threads.
class Preconditioner {
public:
    virtual ~Preconditioner() = default;
    // Computes z = M^-1 r. Both have one number per unknown and do not overlap.
    virtual void apply(const double* r, double* z) = 0;
    // Bytes of the arrays that the preconditioner holds.
    virtual std::size_t bytes() const = 0;
    // Numbers in the matrices of all levels, divided by those of the finest; 1 where there are no
    // levels.
    virtual double operator_complexity() const = 0;
};

}  // namespace trimatte
