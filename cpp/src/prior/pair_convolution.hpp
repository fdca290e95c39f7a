// Convolutions of 3 x 3 pixels, `dilation` pixels apart, by Winograd's minimal filtering F(2, 3) along
// the rows (Lavin, Gray, CVPR 2016, Section 4.1): two outputs, x and x + dilation, take four products
// instead of six. With inputs i0 ... i3 at x - dilation, x, x + dilation and x + 2 dilation, and a row
// of filters g0, g1, g2:
//   m0 = (i0 - i2) g0,  m1 = (i1 + i2) (g0 + g1 + g2) / 2,  m2 = (i2 - i1) (g0 - g1 + g2) / 2,
//   m3 = (i1 - i3) g2;  the outputs are m0 + m1 + m2 and m1 - m2 - m3.
// Which columns are a pair follows from the column alone, so that no bit depends on the tile.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "prior/tile_spans.hpp"
#include "simd/kernels.hpp"
#include "trimatte/fusion.hpp"

namespace trimatte {

// The numbers of pairs. Columns come in blocks of 2 dilation; column j of the first half of a block
// and column j of the second half are a pair.
struct Pairs {
    std::int64_t dilation;

    std::int64_t number(std::int64_t x) const { return x / (2 * dilation) * dilation + x % dilation; }
    // The first column of a pair.
    std::int64_t column(std::int64_t pair) const { return pair / dilation * 2 * dilation + pair % dilation; }
    // Pairs [left, right) that hold all columns of a span.
    Span of(const Span& part) const {
        Span pairs{number(part.left), number(part.left) + 1};
        for (std::int64_t x = part.left; x < std::min(part.right, part.left + 2 * dilation); ++x) {
            pairs.left = std::min(pairs.left, number(x));
        }
        for (std::int64_t x = std::max(part.left, part.right - 2 * dilation); x < part.right; ++x) {
            pairs.right = std::max(pairs.right, number(x) + 1);
        }
        return pairs;
    }
    // Calls work(pair, count) for runs of pairs whose columns follow each other.
    template <class Work>
    void for_runs(const Span& pairs, const Work& work) const {
        for (std::int64_t pair = pairs.left; pair < pairs.right;) {
            const std::int64_t count = std::min(dilation - pair % dilation, pairs.right - pair);
            work(pair, count);
            pair += count;
        }
    }
};

// A convolution of 3 x 3 pixels with the filters of pairs.
class PairConvolution {
public:
    explicit PairConvolution(const Convolution& layer)
        : layer_(layer), filters_(4 * 3 * layer.inputs * layer.padded), pairs_{layer.dilation} {
        const std::int64_t size = layer.inputs * layer.padded;
        for (std::int64_t row = 0; row < 3; ++row) {
            for (std::int64_t i = 0; i < size; ++i) {
                const float* w = layer.weight.data() + 3 * row * size + i;
                const float g0 = w[0], g1 = w[size], g2 = w[2 * size];
                const float values[] = {g0, ((g0 + g1) + g2) * 0.5f, ((g0 - g1) + g2) * 0.5f, g2};
                for (std::int64_t k = 0; k < 4; ++k) {
                    filters_[(3 * k + row) * size + i] = values[k];
                }
            }
        }
    }
    const Convolution& layer() const { return layer_; }

    // The columns beside those at most `rim` away that are read, at most.
    static std::int64_t margin(std::int64_t dilation) { return 2 * dilation + 1; }

    // Calls work(y, part, outputs) for all pixels at most `rim` from the unknown ones of the tile, in
    // the order of rows, where `outputs` are those of the span `part` of row y, before a rectifier.
    // `in` must hold the pixels up to `rim` + dilation away and `margin` columns beside them. `work`
    // may write to row y of `in`.
    template <class Work>
    void operator()(const Nearness& near, const ImageView& image, std::int64_t rim, Field& in, const Work& work) const {
        const std::int64_t d = layer_.dilation;
        const Box rows = near.box().grown(rim).within(image), wide = near.box().grown(rim + d).within(image);
        TileRows tile(*this, pairs_.of({wide.left, wide.right}), wide);
        for (std::int64_t y = std::max<std::int64_t>(rows.top - d, 0); y < std::min(rows.top + d, image.height); ++y) {
            transform(near, y, rim + d, in, tile);
        }
        for (std::int64_t y = rows.top; y < rows.bottom; ++y) {
            if (y + d < image.height) {
                transform(near, y + d, rim + d, in, tile);
            }
            near.for_spans(y, rim, [&](const Span& part) {
                convolve(y, image.height, pairs_.of(part), tile);
                work(y, part, tile.output(part.left));
            });
        }
    }

private:
    // What is kept of a tile: the transformed inputs of 2 dilation + 1 rows, and one row of products
    // and of outputs.
    struct TileRows {
        std::int64_t rows, inputs, outputs;
        Span pairs;
        std::int64_t left;
        Buffer<float> transformed, products, row;

        TileRows(const PairConvolution& filter, const Span& pairs_, const Box& wide)
            : rows(2 * filter.layer_.dilation + 1),
              inputs(filter.layer_.inputs),
              outputs(filter.layer_.padded),
              pairs(pairs_),
              left(wide.left - filter.layer_.dilation),
              transformed(rows * 4 * pairs.width() * inputs),
              products(4 * pairs.width() * outputs),
              row((wide.width() + 3 * filter.layer_.dilation) * outputs) {}
        float* input(std::int64_t y, std::int64_t k, std::int64_t pair) {
            return transformed.data() + ((y % rows * 4 + k) * pairs.width() + pair - pairs.left) * inputs;
        }
        float* product(std::int64_t k, std::int64_t pair) {
            return products.data() + (k * pairs.width() + pair - pairs.left) * outputs;
        }
        float* output(std::int64_t x) { return row.data() + (x - left) * outputs; }
    };

    void transform(const Nearness& near, std::int64_t y, std::int64_t rim, Field& in, TileRows& tile) const {
        const std::int64_t d = layer_.dilation, depth = layer_.inputs;
        near.for_spans(y, rim, [&](const Span& part) {
            pairs_.for_runs(pairs_.of(part), [&](std::int64_t pair, std::int64_t count) {
                simd::kernels().pair_inputs(count * depth, in.at(y, pairs_.column(pair) - d), d * depth,
                                            tile.pairs.width() * depth, tile.input(y, 0, pair));
            });
        });
    }

    void convolve(std::int64_t y, std::int64_t height, const Span& pairs, TileRows& tile) const {
        const std::int64_t d = layer_.dilation, size = layer_.inputs * layer_.padded;
        const float* bias = layer_.weight.data() + 9 * size;
        for (std::int64_t k = 0; k < 4; ++k) {
            const float* first = k == 1 ? bias : nullptr;
            std::int64_t first_row = 0;
            float* product = tile.product(k, pairs.left);
            for (std::int64_t row = 0; row < 3; ++row) {
                const std::int64_t from = y + d * (row - 1);
                if (from < 0 || from >= height) {
                    continue;
                }
                simd::kernels().matrix_product(
                    pairs.width(), layer_.padded, layer_.inputs, tile.input(from, k, pairs.left), layer_.inputs, 1,
                    filters_.data() + (3 * k + row) * size, layer_.padded, first, first_row, product, layer_.padded);
                first = product;
                first_row = layer_.padded;
            }
        }
        pairs_.for_runs(pairs, [&](std::int64_t pair, std::int64_t count) {
            simd::kernels().pair_outputs(count * layer_.padded, tile.product(0, pair),
                                         tile.pairs.width() * layer_.padded, d * layer_.padded,
                                         tile.output(pairs_.column(pair)));
        });
    }

    const Convolution& layer_;
    Buffer<float> filters_;
    Pairs pairs_;
};

}  // namespace trimatte
