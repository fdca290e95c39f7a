// An affinity says which alphas of neighbouring pixels belong together. It makes the rows of an
// operator L, a matting Laplacian. It knows nothing of the values of known pixels, of weights,
// priors or solvers: system/ adds these, and solve/ finds the alpha of least energy.
#pragma once

#include <cstdint>
#include <memory>

#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/operator.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// Says which rows of an operator are wanted.
struct Wanted {
    ImageView image;
    // The labels of the pixels; null if every pixel is unknown. Terms of the energy that hold no
    // unknown pixel may be left out.
    const Label* labels = nullptr;
    // Whether the rows of known pixels are wanted as well.
    bool known_too = false;

    bool is_unknown(std::int64_t pixel) const { return labels == nullptr || labels[pixel] == Label::unknown; }
    bool has_row(std::int64_t pixel) const { return known_too || is_unknown(pixel); }
};

// Receives the rows of an operator.
class RowSink {
public:
    virtual ~RowSink() = default;
    // Takes the row of a pixel: value[k] is the entry of pixel column[k]. The columns ascend, and
    // the pixel itself is among them.
    virtual void add(std::int64_t pixel, std::int64_t count, const std::int32_t* column, const double* value) = 0;
};

// The rows of an operator that couples pixels at most two rows and columns apart, as dense planes.
// The plane of an offset d = (dy, dx) holds L(p, p + d) for all pixels p of picture row y. Only the
// 13 offsets that point forward are stored: (0, 0..2), (1, -2..2), (2, -2..2). By symmetry L(p, p -
// d) is found at pixel p - d. Each band of the picture has an object of its own.
class StencilRows {
public:
    static constexpr int planes = 13;
    // Columns that may be read on both sides of the picture.
    static constexpr std::int64_t margin = 16;
    // A row is kept until clear() is called for the row that lies this many rows below it.
    static constexpr std::int64_t rows_kept = 8;

    virtual ~StencilRows() = default;
    // Returns the number of the plane of a forward offset, 0 ... 12; plane 0 is the diagonal.
    static constexpr int plane_of(int dy, int dx) { return dy == 0 ? dx : 5 * dy + dx; }
    // Fills row y with zeros. Each row that a later add() changes must be cleared once.
    virtual void clear(std::int64_t y) = 0;
    // Adds the terms of the energy whose middle row is `centre`, which must have rows above and
    // below. Row y is complete once the terms around row y + 1 have been added.
    virtual void add(std::int64_t centre) = 0;
    // Points to plane 0 of row y at column x; plane number k lies k * stride() doubles further.
    virtual double* at(std::int64_t y, std::int64_t x) = 0;
    virtual std::int64_t stride() const = 0;
    // Points to channel c of picture row y, one of the rows kept, as numbers in [0, 1].
    virtual const double* colour(std::int64_t y, int c) = 0;
};

class Affinity {
public:
    // The properties that solvers need to know.
    struct Traits {
        // Two pixels are coupled only if they are at most this many rows and columns apart; 0: any
        // two pixels may be coupled.
        std::int64_t reach = 0;
        // The near-null space of L, which holds the alphas that cost almost nothing, is [1, R, G,
        // B] if true and [1] if false.
        bool colour_line = false;
        // Whether the rows of L sum to zero. A region that touches known pixels of one kind only
        // then has their value, 0 or 1, as its solution.
        bool constant_regions = true;
        // Whether stencil_rows() gives the rows as planes.
        bool has_planes = false;
        // Whether the rows of a part of the picture depend only on that part and `reach` pixels
        // around it.
        bool is_local = true;
        // Whether make_operator() gives the operator by its products.
        bool has_products = false;
        // Whether couplings across strong edges are so weak that the picture falls into parts of any
        // shape, which cells of the pixel grid would average over.
        bool follows_edges = false;
    };

    virtual ~Affinity() = default;
    virtual Traits traits() const = 0;
    // Throws std::invalid_argument if the picture has no operator.
    virtual void check(const ImageView& image) const = 0;
    // Returns an affinity that has the same wanted rows at hand, for an affinity that has to look at
    // the whole picture before it can make any; null if there is nothing to prepare. Assembly calls
    // it once, and then takes the rows of the result.
    virtual std::unique_ptr<Affinity> prepared(const Wanted& wanted, const Context& context) const;
    // The number of picture rows that one call of emit_rows should cover, so that it takes less
    // than 50 ms.
    virtual std::int64_t band_height() const = 0;
    // Passes the wanted rows of the pixels in picture rows [y_begin, y_end) to the sink, in the
    // order of the pixels. Several threads may call it at the same time.
    virtual void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                           Monitor& monitor) const = 0;
    // Returns the same rows as planes, which takes much less time; null if traits().has_planes is
    // false. `wanted` must outlive the result.
    virtual std::unique_ptr<StencilRows> stencil_rows(const Wanted& wanted, Monitor& monitor) const;
    // Returns the operator without its rows, which takes less time and memory where rows are long;
    // null if traits().has_products is false. The arrays that `wanted` shows must outlive the
    // result.
    virtual std::unique_ptr<Operator> make_operator(const Wanted& wanted, const Context& context) const;
};

// An affinity whose terms are windows that lie fully inside the picture. In each window, an alpha
// that is an affine function of the colours costs almost nothing.
class WindowAffinity : public Affinity {
public:
    Traits traits() const override { return {2 * static_cast<std::int64_t>(radius_), true, true, radius_ == 1}; }
    void check(const ImageView& image) const override;
    std::int64_t band_height() const override { return radius_ > 4 ? 1 : 4; }

protected:
    // radius: windows are 2 radius + 1 pixels wide. Only radius 1 has planes.
    explicit WindowAffinity(int radius) : radius_(radius) {}

    int radius_;
};

// Closed-form matting: Levin, Lischinski, Weiss, TPAMI 2008, Eq. 12.
class ClosedForm : public WindowAffinity {
public:
    // epsilon: colour variance added to each window, in squared image units.
    explicit ClosedForm(double epsilon = 1e-7, int radius = 1) : WindowAffinity(radius), epsilon_(epsilon) {}

    Traits traits() const override {
        Traits traits = WindowAffinity::traits();
        traits.has_products = radius_ > 1;
        return traits;
    }
    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override;
    std::unique_ptr<StencilRows> stencil_rows(const Wanted& wanted, Monitor& monitor) const override;
    // The operator of He, Sun, Tang, CVPR 2010: box filters take as long for any radius.
    std::unique_ptr<Operator> make_operator(const Wanted& wanted, const Context& context) const override;

private:
    double epsilon_;
};

// An operator that the caller has made: the rows of all pixels of a picture, as a sparse matrix.
class GivenRows : public Affinity {
public:
    // matrix: one row per pixel with ascending columns, the diagonal among them. It must outlive
    // this object.
    GivenRows(CsrView matrix, std::int64_t reach, bool colour_line, bool constant_regions)
        : matrix_(matrix), reach_(reach), colour_line_(colour_line), constant_regions_(constant_regions) {}

    Traits traits() const override { return {reach_, colour_line_, constant_regions_, false, false}; }
    void check(const ImageView& image) const override;
    std::int64_t band_height() const override { return 32; }
    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override;

private:
    CsrView matrix_;
    std::int64_t reach_;
    bool colour_line_;
    bool constant_regions_;
};

}  // namespace trimatte
