// The vectors and products that conjugate gradients work on. This header is private to the core.
#pragma once

#include <algorithm>
#include <cstddef>

namespace trimatte {

// A system A x = b, its preconditioner M, and the vectors x, r, p, q, z and w. The letters are those
// of Saad, Iterative Methods for Sparse Linear Systems, 2nd ed., Algorithm 9.1, with q = A p and
// w = A z. Sums have the same bits for any number of threads. An iterate may scale the system to
// unit diagonal inside; "in units of alpha" refers to the unknowns before the scaling.
class Iterate {
public:
    struct Norms {
        // r . r and b . b in units of alpha: the squares of ||D^-1 (b - A x)|| and ||D^-1 b|| for
        // the system before the scaling, where D is its diagonal.
        double r2, b2;
        // The number by which r2 is divided to get the square of the relative residual that
        // SolveOptions limits: the square of Problem::rhs_norm if that is positive, else b2.
        double wanted2;
    };
    // Products with z = M^-1 r, where q = A p belongs to the last direction p, and w = A z.
    struct Measures {
        double zr, zq, zw;
        double largest;  // max |z| in units of alpha
        double r2 = 0;   // r . r in units of alpha; zero in an iterate that does not measure it

        // Adds the measures of other unknowns.
        void add(const Measures& other) {
            zr += other.zr;
            zq += other.zq;
            zw += other.zw;
            r2 += other.r2;
            largest = std::max(largest, other.largest);
        }
    };

    virtual ~Iterate() = default;

    // Sets x = start + share z, where start holds alpha for each unknown.
    virtual void set_start(const double* start, double share) = 0;
    // Sets x = 0.
    virtual void clear() = 0;
    // Sets r = b - A x, after removing the part of the error of x that can be removed exactly.
    virtual Norms settle() = 0;
    // Sets x = 0 and r to noise. Rough modes matter less, so most of the noise is the same on
    // neighbouring unknowns.
    virtual void set_noise() = 0;
    // Returns r . r.
    virtual double residual2() const = 0;
    // Takes a step with the last z and w: p = z + beta p, q = w + beta q, x += alpha p, r -= alpha
    // q. Then it computes z = M^-1 r and w = A z.
    virtual Measures precondition(double alpha, double beta) = 0;
    // Takes the last step, which needs x only: p = z + beta p, x += alpha p.
    virtual void finish(double alpha, double beta) = 0;
    // Writes x in units of alpha, one number per unknown.
    virtual void get(double* x) const = 0;

    // Bytes of all arrays, including those of the preconditioner.
    virtual std::size_t bytes() const = 0;
    // Numbers in the matrices of all levels of the preconditioner, divided by the numbers in A.
    virtual double operator_complexity() const = 0;
};

}  // namespace trimatte
