// The interface of preconditioners.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace trimatte {

// An approximate inverse M^-1 of a symmetric positive definite matrix that is scaled to unit
// diagonal. M^-1 is linear, symmetric and positive definite, and has the same bits for any number
// of threads.
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

// The preconditioner of Jacobi: the matrix is already scaled to unit diagonal.
class Identity : public Preconditioner {
public:
    explicit Identity(std::int64_t size) : size_(size) {}
    void apply(const double* r, double* z) override { std::copy_n(r, size_, z); }
    std::size_t bytes() const override { return 0; }
    double operator_complexity() const override { return 1; }

private:
    std::int64_t size_;
};

}  // namespace trimatte
