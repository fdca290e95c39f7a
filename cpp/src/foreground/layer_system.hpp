// The linear system of closed-form foreground and background, Levin, Lischinski, Weiss, "A
// Closed-Form Solution to Natural Image Matting", IEEE TPAMI 30(2), 2008, Eq. 19, on the pixel
// grid. This header is private to this folder.
//
// One channel of both layers minimises, over all pixels i and all pairs of neighbours i, j,
//     sum_i (a_i F_i + b_i B_i - I_i)^2 + sum_ij w_ij ((F_i - F_j)^2 + (B_i - B_j)^2),
//     b_i = 1 - a_i,   w_ij = 2 (regularization + gradient_weight |a_i - a_j|).
// The factor 2 comes from the differences, which are taken towards all four neighbours of a pixel,
// so that each pair counts twice. The matrix A has the 2 x 2 block [a^2 + s, a b; a b, b^2 + s] at
// pixel i, where s is the sum of its w_ij, and -w_ij towards its neighbours. What a row
// of A needs is stored for the pixels that are solved for.
//
// A pixel is deep if it and its neighbours all have alpha 0, or all have alpha 1. There one layer is
// the image but for a part in 10,000, and nobody sees the other one. Deep pixels are no unknowns of
// the system. The layer that is seen there is known; the other one has one unknown for the deep
// pixels of each kind in a square of 8 x 8, a cell, because it changes slowly.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "simd/kernels.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// Rows of a band, which is one piece of work.
constexpr std::int64_t layer_band = 32;

struct LayerSystem;

// A number for each stored pixel of both layers, and for each cell. Before the first and behind the
// last pixel of a plane lies room that is read, with weight 0, as the neighbours of the outermost
// pixels. Deep pixels are stored where they are beside unknown ones. spread() gives their invisible
// layer the numbers of their cells. The other layer holds the image in solutions, and zeros in
// residuals, steps and products.
struct LayerVector {
    Buffer<float> data;
    float* F = nullptr;
    float* B = nullptr;
    Buffer<float> cells;

    LayerVector() = default;
    // Holds zeros.
    explicit LayerVector(const LayerSystem& system);
    std::size_t bytes() const { return data.bytes() + cells.bytes(); }
};
// The vectors of the channels that are worked on together, one of each.
using LayerVectors = std::vector<LayerVector*>;

// The cells of the deep pixels; see foreground/layer_cells.cpp.
struct LayerCells {
    // A deep pixel beside one that is no deep pixel, and its cell.
    struct Edge {
        std::int64_t pixel;
        std::int64_t place;  // of the pixel in a vector
        std::int32_t cell;
    };
    std::vector<Edge> edges;     // band by band
    std::vector<Edge> contacts;  // an unknown pixel beside a deep one, and the cell of that
    std::vector<std::int64_t> first_edge, first_contact, first;  // edges, contacts, cells before each band
    std::vector<std::uint8_t> is_opaque;                         // of each cell: alpha is 1 there, else 0
    std::vector<std::int64_t> pixel;                             // one of the pixels of each cell
    // Couplings of cells: those of cell i are between start[i] and start[i + 1].
    std::vector<std::int64_t> start;
    std::vector<std::int32_t> to;
    std::vector<float> weight;

    std::int64_t size() const { return static_cast<std::int64_t>(is_opaque.size()); }

    // Return which of the two, one of each layer, belongs to the layer that nobody sees in a cell, and to
    // the one that is seen there.
    template <typename T>
    T invisible(std::int64_t cell, T of_foreground, T of_background) const {
        return is_opaque[static_cast<std::size_t>(cell)] != 0 ? of_background : of_foreground;
    }
    template <typename T>
    T visible(std::int64_t cell, T of_foreground, T of_background) const {
        return invisible(cell, of_background, of_foreground);
    }
};

struct LayerSystem {
    // A run of pixels of a row that are solved for; the other pixels are known.
    struct Run {
        std::int64_t begin, end;        // numbers of pixels, y * width + x
        std::int64_t place = 0;         // of its first pixel in the arrays of `rows`
        std::int64_t in_vector = 0;     // the place of its first pixel in a vector
        std::int64_t up = 0, down = 0;  // from there to the pixels above and below; 0 where there are none
    };
    // Pixels begin ... end - 1 of a row that vectors have numbers for, from `place` on.
    struct Stored {
        std::int64_t begin, end, place;
    };
    // What the rows of A and their blocks have, one number per pixel of a run in each array;
    // simd::LayerRun says what they are. There is room before each run.
    struct Rows {
        Buffer<float> beside, above, below, FF, FB, BB;
        std::size_t bytes() const { return 6 * beside.bytes(); }
    };

    const float* alpha;  // height x width
    std::int64_t height, width;
    float regularization, gradient_weight;
    Context context;
    std::vector<Run> runs;
    std::vector<std::int64_t> first_run;     // first_run[y]: the number of runs above row y
    Buffer<std::int32_t> number;             // of each pixel of a run; -1 for the other ones, all deep
    std::vector<Stored> stored;              // the unknown pixels and their neighbours, in order
    std::vector<std::int64_t> first_stored;  // first_stored[y]: the number of those above row y
    LayerCells cells;
    Rows rows;

    LayerSystem(const float* opacity, std::int64_t height_, std::int64_t width_, float regularization_,
                float gradient_weight_, const Context& context_);

    std::int64_t pixels() const { return height * width; }
    // Returns the number of unknown pixels.
    std::int64_t unknowns() const;
    bool is_unknown(std::int64_t p) const { return number[p] >= 0; }
    // Whether a pixel is deep.
    bool is_deep(std::int64_t y, std::int64_t x) const;
    float far_weight() const { return 2 * regularization; }  // weight of pixels of the same alpha
    float weight(float a, float neighbour) const {
        const float difference = a < neighbour ? neighbour - a : a - neighbour;
        return 2 * (regularization + gradient_weight * difference);
    }

    // Returns the place of a stored pixel in a vector.
    std::int64_t place_of(std::int64_t p) const;
    // Returns how many pixels are stored.
    std::int64_t stored_pixels() const {
        return stored.empty() ? 0 : stored.back().place + stored.back().end - stored.back().begin;
    }

    // Fills `stored`, and the places of the runs in vectors.
    void find_stored();
    // Fill `rows`, and its part for one run of row y.
    void find_rows();
    void find_run(std::int64_t y, const Run& run);

    // Runs body(first, end) for bands of rows.
    template <typename Body>
    void for_bands(const Body& body) const {
        parallel_for((height + layer_band - 1) / layer_band, context.threads, context.monitor, [&](std::int64_t i) {
            body(i * layer_band, height < (i + 1) * layer_band ? height : (i + 1) * layer_band);
        });
    }
    // Runs body(run) for the runs of row y.
    template <typename Body>
    void for_runs(std::int64_t y, const Body& body) const {
        for (std::int64_t k = first_run[static_cast<std::size_t>(y)]; k < first_run[static_cast<std::size_t>(y + 1)];
             ++k) {
            body(runs[static_cast<std::size_t>(k)]);
        }
    }
    // Runs body(run, row of A) for the runs of row y, where the row of A is a simd::LayerRun.
    template <typename Body>
    void for_layer_runs(std::int64_t y, const Body& body) const {
        for_runs(y, [&](const Run& run) {
            const std::int64_t i = run.place;
            const simd::LayerRun row{run.end - run.begin,
                                     run.up,
                                     run.down,
                                     alpha + run.begin,
                                     rows.beside.data() + i,
                                     rows.above.data() + i,
                                     rows.below.data() + i,
                                     rows.FF.data() + i,
                                     rows.FB.data() + i,
                                     rows.BB.data() + i};
            body(run, row);
        });
    }
    // Runs body(run) for all runs, in parallel.
    template <typename Body>
    void for_all_runs(const Body& body) const {
        for_bands([&](std::int64_t first, std::int64_t end) {
            for (std::int64_t y = first; y < end; ++y) {
                for_runs(y, body);
            }
        });
    }
};

// Computes row y of A x for the unknown pixels, after spread(x).
void product(const LayerSystem& system, std::int64_t y, const LayerVectors& x, const LayerVectors& out);

// Finds the cells of the system.
LayerCells find_cells(const LayerSystem& system);
// Gives the deep pixels at the edge of a cell its number.
void spread(const LayerSystem& system, const LayerVectors& x);
// Computes the rows of the cells of A x, after spread(x).
void product_of_cells(const LayerSystem& system, const LayerVectors& x, const LayerVectors& out);

// Makes approximate solutions of A x = rhs better: one sweep of block Gauss-Seidel over the colour
// `first` of the checkerboard, then over the other. The cells stay as they are.
// If `prepare` is given, prepare(y) is called before row y is read; it may set row y of rhs. use(y) is
// called when row y of x and its neighbours have their new numbers. The calls for the rows of a band
// come one after another, in an order that depends on the picture only.
void relax(const LayerSystem& system, const LayerVectors& rhs, int first, bool from_zero, const LayerVectors& x,
           const std::function<void(std::int64_t)>& prepare, const std::function<void(std::int64_t)>& use);

}  // namespace trimatte
