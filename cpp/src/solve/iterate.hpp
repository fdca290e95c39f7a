// What conjugate gradients work on. Private to this folder.
#pragma once

#include <cstddef>

namespace trimatte {

// A system A x = b that is scaled to unit diagonal, its preconditioner M, and the vectors x, r, p, q, z and w; letters as
// in Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., Algorithm 9.1. Sums have the same bits for any number
// of threads. "In units of alpha" means: before the unknowns were scaled.
class Iterate {
public:
    struct Norms {
        double r2, b2;  // r . r and b . b in units of alpha: those of the system whose rows are divided by their diagonal
        double wanted2;  // what r2 is compared with where a relative residual is asked for: b2, or Problem::rhs_norm squared
    };
    // Products with z = M^-1 r; q = A p of the last direction p, w = A z.
    struct Measures {
        double zr, zq, zw;
        double largest;  // max |z| in units of alpha
        double r2 = 0;   // r . r in units of alpha; zero where it is not measured
    };

    virtual ~Iterate() = default;

    // x = start + share z, where start has one number of alpha per unknown.
    virtual void set_start(const double* start, double share) = 0;
    // x = 0
    virtual void clear() = 0;
    // r = b - A x, after x has lost the part of its error that can be removed exactly.
    virtual Norms settle() = 0;
    // x = 0, r = noise. Rough modes matter less, so most of the noise is alike on neighbouring unknowns.
    virtual void set_noise() = 0;
    // r . r
    virtual double residual2() const = 0;
    // With the last z and w: p = z + beta p, q = w + beta q, x += alpha p, r -= alpha q. Then z = M^-1 r, w = A z.
    virtual Measures precondition(double alpha, double beta) = 0;
    // p = z + beta p, x += alpha p: the last step.
    virtual void finish(double alpha, double beta) = 0;
    // Writes x in units of alpha, one number per unknown.
    virtual void get(double* x) const = 0;

    // Bytes of all arrays, the preconditioner's included.
    virtual std::size_t bytes() const = 0;
    // Numbers in the matrices of all levels of the preconditioner over those of A.
    virtual double operator_complexity() const = 0;
};

}  // namespace trimatte
