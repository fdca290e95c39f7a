// Anchored rows are those whose diagonal entry outweighs the rest of the row, such as the rows of
// known pixels in a soft system. Their unknowns are nearly known before the solve. They are taken
// out of the system, which leaves a smaller one for the other unknowns, the free ones.
//
// Let F be the free rows, T the anchored rows that are coupled to a free one, and H the others. What
// couples T to anchored rows is small. Its products with the last values of x go to the right-hand
// side, so that the diagonal D is all that is left of A_TT:
//     | A_FF  A_FT | | x_F |   | b_F                               |
//     | A_TF  D    | | x_T | = | b_T - (A_TT - D) x_T - A_TH x_H   |
// This is repeated, with sweeps over the anchored rows whose residual is large, until the error is
// bounded by a part of the tolerance. Two rounds do for the soft systems of KNN matting.
//
// The matrix has to be a nonsingular M-matrix with sums of rows c = A 1 >= 0: no entry off the
// diagonal is positive. Let x solve the reduced system exactly. Its residual r = b - A x vanishes on
// F. If |r_i| <= rho c_i on anchored rows, then |A (x - x*)| <= rho A 1, and the maximum principle
// gives |x - x*| <= rho everywhere (Varga, Matrix Iterative Analysis, 1962, section 3.5). The error
// of the reduced solve comes on top.
#pragma once

#include <memory>
#include <vector>

#include "solve/scaled_matrix.hpp"
#include "trimatte/problem.hpp"

namespace trimatte::graph {

class AnchoredRows {
public:
    // In an anchored row, the entries off the diagonal weigh at most this part of the diagonal entry.
    static constexpr double rest_at_most = 0.3;

    // Returns null where the matrix is no such matrix, where the near-null space is more than the
    // constant, or where fewer than half of the rows are anchored or none is free. `scaled` is the
    // problem's matrix. Both must outlive the object.
    static std::unique_ptr<AnchoredRows> make(const Problem& problem, const ScaledMatrix& scaled,
                                              const Context& context);

    // The system of F and T. prepare() makes its right-hand side.
    const Problem& reduced() const { return reduced_; }
    // Sets the anchored unknowns of x to the values that they have if their neighbours agree. They
    // are nearer to the solution than any start that the caller may have.
    void start(double* x, const Context& context) const;
    // Makes the right-hand side of the reduced system from the anchored unknowns of x.
    void prepare(const double* x, const Context& context);
    // Copies the unknowns of the reduced system out of x.
    void get(const double* x, double* reduced, const Context& context) const;
    // Writes the unknowns of F back into x. Those of T are computed from them by the equations of T
    // in the reduced system.
    void set(const double* reduced, double* x, const Context& context) const;

    struct Residual {
        double rho;  // max |r_i| / c_i over the anchored rows
        // The squares of ||D^-1 (b - A x)|| and ||D^-1 b||, where D is the diagonal of A.
        double r2, b2;
    };
    // Measures the residual r of x.
    Residual measure(const double* x, const Context& context);
    // Makes the residual smaller in the anchored rows where the last one measured exceeds `least` c.
    void sweep(double least, double* x, const Context& context) const;

    std::size_t bytes() const;

private:
    AnchoredRows(const Problem& problem, const ScaledMatrix& scaled) : problem_(problem), scaled_(scaled) {}

    bool find(const Context& context);
    void reduce(const Context& context);

    const Problem& problem_;
    const ScaledMatrix& scaled_;
    std::vector<std::int64_t> ranges_;  // of all rows
    Buffer<double> sum_;                // c
    Buffer<std::uint8_t> is_free_;
    Buffer<std::int32_t> row_;  // the row of each reduced unknown
    Buffer<double> r_;
    Problem reduced_;
};

}  // namespace trimatte::graph
