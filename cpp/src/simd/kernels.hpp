// The inner loops that are compiled once for each instruction set ("level"). The level is chosen
// when a loop is first used. All levels give the same bits on one machine: no sum is reordered, and
// no multiplication and addition is contracted, except in matrix_product and the dense blocks of the
// Cholesky factorisation, where every level contracts all of them if the machine can
// (fused_products).
//
// The files behind this header (kernels_*.inl) keep three rules: they use raw pointers, their
// helpers are in the level's own namespace, and they use neither Eigen nor standard templates. The
// linker keeps only one copy of a template, so that AVX code could run on a machine that lacks it.
#pragma once

#include <cstdint>

#include "trimatte/grid.hpp"

namespace trimatte::simd {

// One call handles so many windows, so that their colours stay in the first-level cache.
constexpr int lanes = 32;
using Lanes = double[lanes];

// Number of columns of multigrid's near-null space, and so of unknowns in a cell.
constexpr int columns = 4;

struct Range {
    float low, high;
};

// Constants of a level of multigrid. Its nodes have B numbers each: 1 for pixels, 4 for cells. They
// make up the cells of the next level, and each of these has a patch: its nodes and those around
// it.
template <int B>
struct PatchOf {
    static constexpr int reach = B == 1 ? 2 : 1;  // distance up to which nodes are coupled
    static constexpr int k = B == 1 ? 4 : 3;      // nodes along a side of the cell
    static constexpr int side = k + 2;            // nodes along a side of the patch
    static constexpr int size = side * side * B * columns;
};

// Eight cells of multigrid, one in each lane.
struct CellGroup {
    std::int32_t cell[9][8];  // numbers of the cells and of those around them; 0 means none
    // Slots in the cell's first column, for the rows of nodes from (1 + reach) above the cell's
    // first row to the one below its last row.
    std::int64_t row[8][8];

    const std::int32_t* neighbour(int dy, int dx) const { return cell[3 * (dy + 1) + dx + 1]; }
};

// Multigrid's loops over the pieces [p, end) of a row. kernels_multigrid.inl describes the layout
// of the matrix A. n is the number of slots of a plane. For cells, `carry` has 12 planes for
// products that wait for the next row, and `follows` says that it holds those of the row above.
struct StencilKernels {
    // out = A v
    void (*product)(const float* A, std::int64_t n, const Piece* p, const Piece* end, float* carry, bool follows,
                    const float* v, float* out);
    // r -= A d
    void (*subtract)(const float* A, std::int64_t n, const Piece* p, const Piece* end, float* carry, bool follows,
                     const float* d, float* r);
    // r -= A d; d_next = keep d + add r; x += again d + d_next. If d_next is null, it is not
    // written, and r stays as it is.
    void (*smooth)(const float* A, std::int64_t n, const Piece* p, const Piece* end, float* carry, bool follows,
                   float keep, float add, float again, const float* d, float* r, float* d_next, float* x);
    // gather computes one cell's part of P^T r, spread computes P e on the nodes of cells beside
    // each other; see kernels_patches.inl.
    void (*gather)(const float* P, const float* const* rows, std::int64_t n, float* out);
    void (*spread)(std::int64_t count, const float* P, const std::int32_t* const* cells, const float* e, std::int64_t n,
                   std::int64_t stride, float* out);
    // These make P, eight cells at a time; see kernels_prolongation.inl.
    void (*blend)(const CellGroup& group, const float* N, std::int64_t n, float* P, float* R);
    void (*gradient)(const CellGroup& group, const float* A, std::int64_t n, const float* P, float* out);
    void (*take_step)(const CellGroup& group, const float* gradient, float step, const float* R, float* P);
    void (*coarsen)(const CellGroup& group, const float* A, std::int64_t n, const float* P, float* out);
    void (*finish_patches)(const CellGroup& group, const float* W, float* P);
};

struct Kernels {
    // Affinities of windows of 3 x 3 pixels; see affinity/window_sums.hpp. whiten is closed-form's: it
    // writes the whitened colour of pixel a of window i to y[a * channels + c][i]. `rows` are the
    // three rows of colours at the first window's left column, with channel c at c * stride; e is
    // epsilon / 9.
    void (*whiten)(int channels, const double* const* rows, std::int64_t stride, int count, double e, Lanes* y);
    // Adds the 45 entries delta_ab - constant - y_a . y_b of each window, y of 1 to 4 components.
    // planes_at points to plane 0 of the windows' three picture rows, at the first window's left
    // column.
    void (*add_entries)(int components, double constant, const Lanes* y, int count, std::int64_t stride,
                        double* const* planes_at);

    // Entry (i, j) of 12 planes of a row becomes s_i s_j entry = hi + lo, with n floats from one
    // plane of hi and lo to the next. `row` is the diagonal's plane, which the 12 follow. s holds
    // the scales of the rows y, y + 1 and y + 2. `size` is a multiple of 8.
    void (*scale_entries)(std::int64_t size, const double* row, std::int64_t stride, const double* const* s, float* hi,
                          float* lo, std::int64_t n);
    // out = L f for a row y. `rows` are the diagonal's planes of the rows y - 2 ... y, f the rows
    // y - 2 ... y + 2.
    void (*apply_entries)(std::int64_t size, const double* const* rows, std::int64_t stride, const double* const* f,
                          double* out);

    // Multi-level foreground; see foreground/multilevel.cpp.
    // weight[k] = base + slope |a[2 k] - neighbour[2 k]|
    void (*weigh)(const float* a, const float* neighbour, std::int64_t count, float base, float slope, float* weight);
    // Scales the four weights to sum 1; inverse_k = 1 / (a^2 + (1 - a)^2 + their sum), a = a[2 k].
    void (*normalise)(const float* a, std::int64_t count, float* left, float* right, float* up, float* down,
                      float* inverse_k);
    // Computes one channel of the pixels' new F and B. F_at, B_at and weights are in the order
    // left, right, up, down.
    void (*update)(std::int64_t count, const float* a, const float* image, const float* const* weights,
                   const float* inverse_k, const float* const* F_at, const float* const* B_at, Range range, float* F,
                   float* B);
    // Moves F and B by the least that gives a F + (1 - a) B = I within the range.
    void (*make_exact)(const float* a, const float* I, std::int64_t count, Range range, float* F, float* B);

    // Multigrid on pixels, and on cells with 4 numbers.
    StencilKernels pixels, cells;
    // out = A v in double, where A = hi + lo.
    void (*wide_product)(const float* hi, const float* lo, std::int64_t n, const Piece* p, const Piece* end,
                         const double* v, double* out);
    // w = A z in double; sums[0 ... 2] += z . r, z . q, z . w; sums[3] = max(sums[3], |scale z|).
    void (*measured_product)(const float* hi, const float* lo, std::int64_t n, const Piece* p, const Piece* end,
                             const float* z, const double* r, const double* q, const double* scale, double* w,
                             double* sums);
    // The following run over `size` elements, a multiple of 8.
    // d = add r; x = d
    void (*start)(std::int64_t size, float add, const float* r, float* d, float* x);
    // r = keep_b b + keep_r r; d = add r; x = keep_x x + d
    void (*restart)(std::int64_t size, float keep_b, float keep_r, float keep_x, float add, const float* b, float* r,
                    float* d, float* x);
    // p = z + beta p; q = w + beta q; x += alpha p; r -= alpha q; r32 = r; d = add r. z and d may
    // be one array.
    void (*advance)(std::int64_t size, double alpha, double beta, const float* z, const double* w, double* p, double* q,
                    double* x, double* r, float add, float* r32, float* d);
    double (*dot)(std::int64_t size, const float* a, const float* b);
    // out = a w - b u - c out
    void (*combine)(std::int64_t size, float a, const float* w, float b, const float* u, float c, float* out);

    // Networks; see prior/network.cpp. C = first + A B. A is m x k, with entry (i, l) at i * a_row
    // + l * a_column. B is k x n, and n is a multiple of 8. `first` may be null, which means zero;
    // with first_row = 0 it is one row for all.
    void (*matrix_product)(std::int64_t m, std::int64_t n, std::int64_t k, const float* A, std::int64_t a_row,
                           std::int64_t a_column, const float* B, std::int64_t b_row, const float* first,
                           std::int64_t first_row, float* C, std::int64_t c_row);
    // x = max(x, 0)
    void (*rectify)(std::int64_t size, float* x);
    // gradient = 0 where x = 0
    void (*rectify_gradient)(std::int64_t size, const float* x, float* gradient);
    // ADAM's update of w with the sum of `count` gradients. rate and scale2 include the bias
    // corrections.
    void (*adam)(std::int64_t size, const float* gradients, std::int64_t count, std::int64_t stride, float keep1,
                 float keep2, float rate, float scale2, float epsilon, float* m, float* v, float* w);

    // Global sampling; see prior/global_sampling.cpp. `pixels` has planes of the colour (3), y, x,
    // and 1 / distance to the nearest known foreground and to the nearest known background. F and B
    // have planes of the colour (3), y and x of F_count and B_count samples. f and b number the
    // pair to try.
    void (*pair_costs)(std::int64_t count, const float* pixels, std::int64_t stride, const float* F,
                       std::int64_t F_count, const std::int32_t* f, const float* B, std::int64_t B_count,
                       const std::int32_t* b, float* alpha, float* cost);
    // drawn[i] becomes a random number within `reach` of at[i] and in [0, size).
    void (*draw_around)(std::int64_t count, std::uint32_t* state, const std::int32_t* at, std::int32_t reach,
                        std::int32_t size, std::int32_t* drawn);
    // The best pair becomes (f, b) where this costs less.
    void (*take_cheaper)(std::int64_t count, const std::int32_t* f, const std::int32_t* b, const float* alpha,
                         const float* cost, std::int32_t* best_f, std::int32_t* best_b, float* best_alpha,
                         float* best_cost);

    // Dense blocks of the sparse Cholesky factorisation, stored by columns; see solve/cholesky/front.cpp. Rows are
    // worked on by eights: up to 7 rows behind the last one are read and, in what is written, overwritten.
    // C -= A B^T, C m x n, k columns in A and B. lower: only the lower triangle of C's first n rows is wanted.
    void (*subtract_product)(std::int64_t m, std::int64_t n, std::int64_t k, const double* A, std::int64_t lda,
                             const double* B, std::int64_t ldb, double* C, std::int64_t ldc, bool lower);
    // The first w <= 8 columns of the Cholesky factor of a matrix of m rows, in place. Returns the first column whose
    // pivot is not positive and finite, w if there is none.
    std::int64_t (*factor_columns)(std::int64_t m, std::int64_t w, double* L, std::int64_t ld);
    // L = L T^-T for m rows, T lower triangular of w <= 8 columns: further rows of the same columns.
    void (*solve_columns)(std::int64_t m, std::int64_t w, const double* T, std::int64_t ldt, double* L,
                          std::int64_t ld);
    // y -= A x, A m x w. Up to 7 numbers behind y's last are overwritten.
    void (*subtract_columns)(std::int64_t m, std::int64_t w, const double* A, std::int64_t lda, const double* x,
                             double* y);
    // x -= A^T y. Nothing is read behind the last row.
    void (*subtract_dots)(std::int64_t m, std::int64_t w, const double* A, std::int64_t lda, const double* y,
                          double* x);
};

enum class Level { baseline, v3, v4 };

// Returns the kernels in use: those of the best level that the machine has, or of the lower one
// that the environment variable TRIMATTE_SIMD names.
const Kernels& kernels();
// Returns the name of the level in use: "baseline", "v3" (x86-64-v3) or "v4" (x86-64-v4).
const char* level_name();
// Tells whether matrix_product and Cholesky's products round a * b + c once. This depends on the
// machine, not on the level in use.
bool fused_products();

namespace baseline {
extern const Kernels kernels;
}
#if defined(TRIMATTE_SIMD_LEVELS)
namespace v3 {
extern const Kernels kernels;
}
namespace v4 {
extern const Kernels kernels;
}
#endif

}  // namespace trimatte::simd
