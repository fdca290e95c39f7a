// Anchored rows are those whose diagonal entry outweighs the rest of the row, such as the rows of
// known pixels in a soft system. Their unknowns are nearly known before the solve. They are taken
// out of the system, which leaves a smaller one for the other unknowns, the free ones.
//
// Let F be the free rows, T the anchored rows that are coupled to a free one, H the others, d the
// diagonal of A, and c = A 1 the sums of its rows. If all free unknowns move by s, an unknown t of T
// moves by q_t s, where q_t = sum_F |a_tf| / d_t. The reduced system takes T to answer so to each free
// unknown by itself, which changes the diagonal alone:
//     (A_FF - C) x_F = b_F - A_FT x_T - C x_F,   C_ff = sum_T |a_ft| q_t
// with the last x on the right. After each solve, the equations of T give x_T, and sweeps follow
// over the rows of T and H whose residual is large. This is repeated until the error is bounded by a
// part of the tolerance. Three rounds do for the soft systems of KNN matting.
//
// The matrix has to be a nonsingular M-matrix with c >= 0: no entry off the diagonal is positive.
// Let x_F solve the reduced system exactly. The residual of a free row is then the change s_f of the
// right-hand side that the new x_T and x_F bring about. Let
//     rho = max_TH |r_i| / c_i + max_F |s_f| / g_f,   g_f = sum_T |a_ft| c_t / d_t.
// The vector v with v_t = 1 - c_t / d_t on T and 1 elsewhere has A v >= g on F and A v >= 0 elsewhere,
// and A 1 = c. The maximum principle gives |x - x*| <= rho everywhere (Varga, Matrix Iterative
// Analysis, 1962, section 3.5). The error of the reduced solve comes on top. Rounding is allowed
// for: c_i may be as low as -1e-9 d_i, and g_f counts as 1e-8 d_f where it is less.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "trimatte/problem.hpp"

namespace trimatte::graph {

class AnchoredRows {
public:
    // Returns null where the matrix is no such matrix, where the near-null space is more than the
    // constant, or where fewer than half of the rows are anchored or none is free. The problem must
    // outlive the object.
    static std::unique_ptr<AnchoredRows> make(const Problem& problem, const Context& context);

    // The system of F. prepare() makes its right-hand side.
    const Problem& reduced() const { return reduced_; }
    // Sets the anchored unknowns of x to the values that they have if their neighbours agree, and
    // the free ones that are coupled to T to a mean of those.
    void start(double* x, const Context& context);
    // Makes the right-hand side of the reduced system from x.
    void prepare(const double* x, const Context& context);
    // Copies the free unknowns out of x.
    void get(const double* x, double* reduced, const Context& context) const;
    // Writes the free unknowns back into x, and moves those of T by what this changes in their
    // equations and by what was last known to be missing in them.
    void set(const double* reduced, double* x, const Context& context);
    // Returns rho, and measures the residual for sweep() and relative_residual().
    double measure(const double* x, const Context& context);
    // Makes the residual smaller in the anchored rows where the last one measured exceeds `least` c.
    void sweep(double least, double* x, const Context& context);
    // Returns ||D^-1 (b - A x)|| / ||D^-1 b||, where D is the diagonal of A, after measure(x).
    // `reduced` holds the free unknowns of x.
    double relative_residual(const double* reduced, const double* x, const Context& context) const;

    // If the reduced solve has the error e on F, T is off by q e <= rest e, where rest stands for
    // `anchored_at_most`. |r_i| / c_i then differs from its exact value by at most rest^2 / (1 - rest) e,
    // and |s_f| / g_f by 2 rest / (1 - rest) e.
    static constexpr double error_factor = 1 + anchored_at_most * anchored_at_most / (1 - anchored_at_most) +
                                           2 * anchored_at_most / (1 - anchored_at_most);

    std::size_t bytes() const;

private:
    enum class Role : std::uint8_t { free, touching, watched, at_rest };

    explicit AnchoredRows(const Problem& problem) : problem_(problem) {}

    bool find(const Context& context);
    void find_roles(const Context& context);
    void number_rows(const Context& context);
    void cut_free_rows(const Context& context);
    void reduce(const Context& context);
    void watch_neighbours(const Context& context);
    double residual(const double* x, std::int64_t i) const;
    void get_T(const double* x, const Context& context);
    // Returns the right-hand side of row n of the reduced system, for x and the unknowns of T in x_T_.
    double reduced_rhs(const double* x, std::int64_t n) const;

    const Problem& problem_;
    Buffer<double> d_, c_;  // d and c
    Buffer<Role> role_;
    Buffer<std::int32_t> number_;  // the number of each row of F among these rows, and of T among those
    Buffer<std::int32_t> row_;     // the rows of F
    Buffer<std::int32_t> row_of_T_;
    SparseMatrixOf<double> to_T_, to_free_;  // -A_FT and its transpose
    Buffer<double> q_, C_, g_;               // q on T, the diagonal of C, and g
    Buffer<double> x_T_;
    // The rows of H whose residual may differ from zero: those that are coupled to T or to a row
    // that has moved, and those whose neighbours start with other values.
    std::vector<std::int32_t> watched_;
    Buffer<double> r_;  // the residual last known of T and the watched rows, zero for other ones
    Problem reduced_;
};

}  // namespace trimatte::graph
