// The inner loops that are compiled once for each instruction set ("level"). The level is chosen
// when a loop is first used. All levels give the same bits on one machine: no sum is reordered, and
// no multiplication and addition is contracted. The exceptions are matrix_product and the dense
// blocks of the Cholesky factorisation, where every level contracts all of them if the machine can
// (fused_products).
//
// The files behind this header (kernels_*.inl) keep three rules: they use raw pointers, their
// helpers are in the level's own namespace, and they use neither Eigen nor standard templates. The
// linker keeps only one copy of a template, so that AVX code could run on a machine that lacks it.
#pragma once

#include <cstdint>

#include "trimatte/grid.hpp"

namespace trimatte::simd {

// The most windows of 3 x 3 pixels that one call of whiten or add_entries handles; the numbers of
// that many windows fit the first-level cache. Lanes holds one number for each of these windows.
// (Strip::lanes is another constant: the 8 nodes of a vector.)
constexpr int lanes = 32;
using Lanes = double[lanes];

// Number of columns of multigrid's near-null space, and so of unknowns in a cell.
constexpr int columns = 4;

// The least and the largest value that a colour may have.
struct Range {
    float low, high;
};

// Constants of a level of multigrid whose nodes have B numbers each: 1 for pixels, 4 for cells. A
// cell of k x k nodes is one node of the next coarser level. The patch of a cell is its own nodes
// and the ring of nodes around them: those on which its four columns of P may be nonzero.
template <int B>
struct PatchOf {
    static constexpr int reach = B == 1 ? 2 : 1;  // distance up to which nodes are coupled
    static constexpr int k = B == 1 ? 4 : 3;      // nodes along a side of the cell
    static constexpr int side = k + 2;            // nodes along a side of the patch
    // The number of entries of P on the patch.
    static constexpr int size = side * side * B * columns;
};

// Eight cells of multigrid, one in each lane. The last index of both arrays is the lane.
struct CellGroup {
    // Numbers of the cells and of those around them: cell[3 * (dy + 1) + dx + 1] is the neighbour
    // dy rows and dx columns of cells away. 0 means that there is no cell.
    std::int32_t cell[9][8];
    // row[r] is the slot at the cell's first column in the row of nodes that lies 1 + reach - r
    // rows above the cell's first row, for r = 0 ... k + reach + 1. Around the slot of a row that
    // belongs to no cell, all arrays hold zeros.
    std::int64_t row[8][8];

    const std::int32_t* neighbour(int dy, int dx) const { return cell[3 * (dy + 1) + dx + 1]; }
};

// Multigrid's loops over the pieces [p, end) of a row. kernels_multigrid.inl describes the layout
// of the matrix A and of the vectors. n is the number of slots of a plane. For cells, `carry` has
// 12 planes for products that wait for the next row, and `follows` says that it holds those of the
// row above. For pixels neither is used.
struct StencilKernels {
    // out = A v
    void (*product)(const float* A, std::int64_t n, const Piece* p, const Piece* end, float* carry, bool follows,
                    const float* v, float* out);
    // r -= A d
    void (*subtract)(const float* A, std::int64_t n, const Piece* p, const Piece* end, float* carry, bool follows,
                     const float* d, float* r);
    // r -= A d; d_next = keep d + add r; x += again d + d_next. If d_next is null, x is updated in
    // the same way, but neither d_next nor r is written.
    void (*smooth)(const float* A, std::int64_t n, const Piece* p, const Piece* end, float* carry, bool follows,
                   float keep, float add, float again, const float* d, float* r, float* d_next, float* x);
    // gather computes the four numbers of P^T r that belong to one cell; spread computes P e on the
    // nodes of cells beside each other. kernels_patches.inl describes the arguments and P.
    void (*gather)(const float* P, const float* const* rows, std::int64_t n, float* out);
    void (*spread)(std::int64_t count, const float* P, const std::int32_t* const* cells, const float* e, std::int64_t n,
                   std::int64_t stride, float* out);
    // These make P and the coarse matrix, eight cells at a time. kernels_prolongation.inl describes
    // what each does and the layout of P meanwhile.
    void (*blend)(const CellGroup& group, const float* N, std::int64_t n, float* P, float* R);
    void (*gradient)(const CellGroup& group, const float* A, std::int64_t n, const float* P, float* out);
    void (*take_step)(const CellGroup& group, const float* gradient, float step, const float* R, float* P);
    void (*coarsen)(const CellGroup& group, const float* A, std::int64_t n, const float* P, float* out);
    void (*finish_patches)(const CellGroup& group, const float* W, float* P);
};

// The width of the tiles of shared sampling.
constexpr std::int64_t tile_lanes = 64;

// A tree of points that find_nearest searches; neighbours/nearest.hpp describes it.
struct PointTree {
    static constexpr std::int64_t leaf_points = 16;
    static constexpr std::int64_t children = 8;
    static constexpr int most_dimensions = 16;
    static constexpr int most_levels = 10;  // 16 * 8^9 > 2^31

    std::int64_t dimensions;
    std::int64_t leaf_count;
    // The number of levels above the leaves. The root is node 0 of the highest level, and child i
    // of node j is node 8 j + i of the level below.
    std::int64_t levels;
    const float* leaves;          // leaf by leaf, 16 numbers of each dimension; INFINITY where no point is
    const std::int32_t* numbers;  // leaf by leaf, the numbers of its points
    // Node by node, the least 8 numbers of a dimension in its children, then the largest, for each
    // dimension. A child that does not exist has an empty box, from INFINITY to -INFINITY.
    const float* boxes;
    const std::int32_t* least;        // node by node, the least number of a point in each child
    std::int64_t first[most_levels];  // the place of a level's first node in `boxes` and `least`
};

// Some of the points of a tree.
struct MarkedPoints {
    const std::uint8_t* in_children;  // node by node, a bit for each child that holds a marked point
    const std::uint16_t* in_leaf;     // leaf by leaf, a bit for each marked point
};

// A run of adjacent pixels of a row that are solved for in closed-form foreground and background;
// foreground/layer_system.hpp has the equations. Pixel i is at alpha[i] and in the other arrays.
struct LayerRun {
    std::int64_t count;
    std::int64_t up, down;  // distance to the rows above and below; 0 where there is none
    const float* alpha;
    const float* beside;         // beside[i]: weight of the pixels i and i + 1; beside[-1] is read
    const float *above, *below;  // weights of the neighbours in the rows above and below
    const float *FF, *FB, *BB;   // the inverse of the pixel's block of A is [FF, -FB; -FB, BB]
};

struct Kernels {
    // Affinities of windows of 3 x 3 pixels; see affinity/window_sums.hpp. Window i covers the
    // columns i, i + 1 and i + 2 of three picture rows, and its pixels are numbered row by row.
    // whiten writes number c of the whitened colour y_a (affinity/closed_form.cpp) of pixel a of
    // window i to y[a * channels + c][i], for `count` windows. rows[v] points to picture row v at
    // the first window's left column, and channel c lies c * stride further. e is added to the
    // variances of the colours: closed-form's epsilon / 9.
    void (*whiten)(int channels, const double* const* rows, std::int64_t stride, int count, double e, Lanes* y);
    // Adds the 45 entries delta_ab - constant - y_a . y_b, a <= b, of each window to the planes of
    // StencilRows. y_a has 1 to 4 components. planes_at[v] points to plane 0 of the windows'
    // picture row v at the first window's left column; plane d lies d * stride further.
    void (*add_entries)(int components, double constant, const Lanes* y, int count, std::int64_t stride,
                        double* const* planes_at);

    // Writes the scaled entries s_i s_j L_ij = hi + lo of `size` pixels of picture row y, where
    // `size` is a multiple of 8. `row` points to plane 0 of StencilRows (the diagonal, which is not
    // written) at the first of these pixels; planes 1 ... 12 lie `stride` doubles apart and become
    // the planes 0 ... 11 of hi and lo, which lie n floats apart. s[dy] points to the scales of row
    // y + dy at the same column, dy = 0, 1, 2.
    void (*scale_entries)(std::int64_t size, const double* row, std::int64_t stride, const double* const* s, float* hi,
                          float* lo, std::int64_t n);
    // Computes out = L f for `size` pixels of a picture row y. rows[v] points to plane 0 of row
    // y - 2 + v, v = 0, 1, 2, and f[v] to row y - 2 + v of f, v = 0 ... 4, at the first pixel.
    void (*apply_entries)(std::int64_t size, const double* const* rows, std::int64_t stride, const double* const* f,
                          double* out);

    // Multi-level foreground; see foreground/multilevel.cpp. weigh, normalise and update run over
    // the `count` pixels of a row that have one colour of the checkerboard. weigh and normalise
    // read alpha from a whole row, in which pixel k is at a[2 k]; all other arrays hold these
    // pixels without gaps.
    // weight[k] = base + slope |a[2 k] - neighbour[2 k]|
    void (*weigh)(const float* a, const float* neighbour, std::int64_t count, float base, float slope, float* weight);
    // Computes inverse_k = 1 / (a^2 + (1 - a)^2 + the sum of the four weights), a = a[2 k], and
    // then scales the weights to sum 1.
    void (*normalise)(const float* a, std::int64_t count, float* left, float* right, float* up, float* down,
                      float* inverse_k);
    // Computes one channel of the pixels' new F and B. The pixel's alpha is a[k] here. F_at, B_at
    // (the colours of the neighbours) and weights are in the order left, right, up, down.
    void (*update)(std::int64_t count, const float* a, const float* image, const float* const* weights,
                   const float* inverse_k, const float* const* F_at, const float* const* B_at, Range range, float* F,
                   float* B);
    // Moves F and B by the least that gives a F + (1 - a) B = I within the range, for `count`
    // adjacent numbers of a, I, F and B.
    void (*make_exact)(const float* a, const float* I, std::int64_t count, Range range, float* F, float* B);

    // Closed-form foreground and background. F, B and all arrays named after them begin at the
    // run's first pixel; the pixels around the run are read too.
    // Every second pixel, from pixel `first` (0 or 1) on, becomes the solution of its row of A x =
    // rhs, while the others are kept. from_zero: all numbers count as zero before.
    void (*relax_layers)(const LayerRun& run, const float* rhs_F, const float* rhs_B, std::int64_t first,
                         bool from_zero, float* F, float* B);
    // out = A x
    void (*multiply_layers)(const LayerRun& run, const float* F, const float* B, float* out_F, float* out_B);
    // rest = b (r - A x)_F - a (r - A x)_B with b = 1 - a, in which the composite cancels out.
    void (*restrict_layers)(const LayerRun& run, const float* F, const float* B, const float* r_F, const float* r_B,
                            float* rest);
    // sums[0 ... 2] += z . r, z . q, z . w; sums[3] becomes the larger of itself and the largest
    // |z[i]| as it is seen: times alpha in the foreground, times 1 - alpha in the background.
    void (*measure_layer)(std::int64_t count, const float* z, const float* r, const float* q, const float* w,
                          const float* alpha, bool is_foreground, double* sums);
    // p = z + keep p; q = w + keep q; x += step p; r -= step q
    void (*advance_layer)(std::int64_t count, float step, float keep, const float* z, const float* w, float* p,
                          float* q, float* x, float* r);

    // Multigrid on pixels, and on cells with 4 numbers.
    StencilKernels pixels, cells;
    // out = A v in double, where A = hi + lo.
    void (*wide_product)(const float* hi, const float* lo, std::int64_t n, const Piece* p, const Piece* end,
                         const double* v, double* out);
    // w = A z in double, where A = hi + lo; sums[0 ... 2] += z . r, z . q, z . w; sums[3] becomes
    // the larger of itself and the largest |scale[i] z[i]|.
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
    // + l * a_column. B (k x n), `first` and C (m x n) are stored by rows, b_row, first_row and
    // c_row floats apart, and n is a multiple of 8. `first` may be null, which means zero; with
    // first_row = 0 one row serves as all rows.
    void (*matrix_product)(std::int64_t m, std::int64_t n, std::int64_t k, const float* A, std::int64_t a_row,
                           std::int64_t a_column, const float* B, std::int64_t b_row, const float* first,
                           std::int64_t first_row, float* C, std::int64_t c_row);
    // x = max(x, 0)
    void (*rectify)(std::int64_t size, float* x);
    // h += max(y, 0) / 2
    void (*add_half_rectified)(std::int64_t size, const float* y, float* h);
    // prior/pair_convolution.hpp: the four inputs of a product from i0 ... i3, `step` floats apart,
    // and both outputs, `step` floats apart, from four products. Four arrays are `plane` floats apart.
    void (*pair_inputs)(std::int64_t size, const float* in, std::int64_t step, std::int64_t plane, float* out);
    void (*pair_outputs)(std::int64_t size, const float* products, std::int64_t plane, std::int64_t step, float* out);
    // gradient = 0 where x = 0
    void (*rectify_gradient)(std::int64_t size, const float* x, float* gradient);
    // Takes a step of ADAM (Kingma, Ba 2015) in the weights w, whose moments are m and v. The
    // gradient is the sum of `count` arrays of `size` floats, `stride` floats apart. keep1 and
    // keep2 are the paper's beta_1 and beta_2; rate and scale2 include its bias corrections.
    void (*adam)(std::int64_t size, const float* gradients, std::int64_t count, std::int64_t stride, float keep1,
                 float keep2, float rate, float scale2, float epsilon, float* m, float* v, float* w);

    // Global sampling; see prior/global_sampling.cpp. For each of `count` pixels i, pair_costs
    // computes the alpha and the cost of the pair of foreground sample f[i] and background sample
    // b[i]. `pixels` has 7 planes, `stride` floats apart: the colour (3), y, x, and 1 / distance in
    // pixels to the nearest known foreground and to the nearest known background. F and B have 5
    // planes of F_count and B_count samples: the colour (3), y and x.
    void (*pair_costs)(std::int64_t count, const float* pixels, std::int64_t stride, const float* F,
                       std::int64_t F_count, const std::int32_t* f, const float* B, std::int64_t B_count,
                       const std::int32_t* b, float* alpha, float* cost);
    // drawn[i] becomes a random number within `reach` of at[i] and in [0, size), from the generator
    // whose state is state[i].
    void (*draw_around)(std::int64_t count, std::uint32_t* state, const std::int32_t* at, std::int32_t reach,
                        std::int32_t size, std::int32_t* drawn);
    // Replaces the best pair, its alpha and its cost by those of (f, b) where this pair costs less.
    void (*take_cheaper)(std::int64_t count, const std::int32_t* f, const std::int32_t* b, const float* alpha,
                         const float* cost, std::int32_t* best_f, std::int32_t* best_b, float* best_alpha,
                         float* best_cost);

    // Shared sampling; see prior/shared_sampling/. For each of `count` pixels i, pair_distortions
    // computes N_p and the alpha of the pair (F, B). F and B are planes of three channels, `stride`
    // floats apart; `around` has such planes for the pixel and each of its eight neighbours.
    void (*pair_distortions)(std::int64_t count, const float* around, const float* F, const float* B,
                             std::int64_t stride, float* N, float* alpha);
    // The following work on rows of tiles. The arrays of a row are planes of tile_lanes floats,
    // those of a tile are `plane` floats apart. keep_lowest compares the distortion of one tuple for
    // each pixel with the three lowest before, which are in ascending order, and keeps the tuples'
    // numbers in `which`. The earlier of two equal ones is kept, and those below 1e-6 count as
    // equal. C is the pixels' colours, and the planes of `tuples` are B (3), F - B (3) and
    // 1 / |F - B|^2.
    void (*keep_lowest)(std::int64_t count, const float* C, const float* tuples, std::int64_t plane, float number,
                        float* lowest, float* which);
    // Adds to the sums of each pixel what one neighbour contributes, whose weight is g times its
    // confidence f: the weights of F, F (3), the weights of B, B (3), where these weights are also
    // multiplied by |alpha - its alpha|, but no less than by `least`; f a (1 - a) and that times
    // |F - B|; the weights of alpha and alpha. The planes of `pixels` are F (3), B (3), alpha, f,
    // |F - B|, and what is added to the weight of alpha.
    void (*add_smoothed)(std::int64_t count, const float* alpha, float g, float least, const float* pixels,
                         std::int64_t plane, float* sums);

    // Writes the k points that lie nearest to each of `count` queries, nearest first, and their
    // squared distances; neighbours/nearest.hpp says what `excluded`, `number` and `distance` are.
    // `best` is room for 16 (k + 8) doubles. Queries that follow each other are searched for together
    // in groups of 16, which is quickest if they lie near each other.
    void (*find_nearest)(const PointTree& tree, std::int64_t count, const float* queries, const std::int32_t* excluded,
                         std::int64_t k, double* best, std::int32_t* number, float* distance);
    // Sets may[i] to 0 if none of the k points that lie nearest to point i of a leaf is marked, and
    // else to 1, for all 16 points of the leaf. It may set 1 more often than it has to. The tree has
    // at least one level above the leaves.
    void (*find_near_marked)(const PointTree& tree, const MarkedPoints& marked, std::int64_t leaf, std::int64_t k,
                             std::uint8_t* may);

    // Dense blocks of the sparse Cholesky factorisation; see solve/cholesky/front.cpp. A matrix is
    // stored by columns, and a leading dimension (lda, ldb, ldc, ldt, ld) is the distance from one
    // column to the next in doubles. The loops work on up to eight rows at once: they may read up
    // to 7 rows behind the last row of a matrix, and may overwrite these rows in a matrix that they
    // write.
    // subtract_product computes C -= A B^T, where C is m x n, A is m x k and B is n x k. If `lower`
    // is true, the entries above the diagonal of C's first n rows are not wanted and may hold
    // anything afterwards.
    void (*subtract_product)(std::int64_t m, std::int64_t n, std::int64_t k, const double* A, std::int64_t lda,
                             const double* B, std::int64_t ldb, double* C, std::int64_t ldc, bool lower);
    // Replaces the first w <= 8 columns of a symmetric matrix of m rows, of which L holds the lower
    // part, by those of its Cholesky factor. Returns the first column whose pivot is not positive
    // and finite, and leaves L as it was; returns w if there is no such column.
    std::int64_t (*factor_columns)(std::int64_t m, std::int64_t w, double* L, std::int64_t ld);
    // Replaces m rows of L by L T^-T, where T is lower triangular with w <= 8 columns. If T is the
    // top of factored columns, this factorises further rows of the same columns.
    void (*solve_columns)(std::int64_t m, std::int64_t w, const double* T, std::int64_t ldt, double* L,
                          std::int64_t ld);
    // Computes y -= A x, where A is m x w. Up to 7 numbers behind y's last are overwritten.
    void (*subtract_columns)(std::int64_t m, std::int64_t w, const double* A, std::int64_t lda, const double* x,
                             double* y);
    // Computes x -= A^T y, where A is m x w. Nothing is read behind the last row.
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
#if TRIMATTE_SIMD_LEVELS > 2
namespace v4 {
extern const Kernels kernels;
}
#endif
#endif

}  // namespace trimatte::simd
