// The fusion network on the unknown region and its rim. The picture is cut into tiles. In each row of
// a tile, the span from the first to the last unknown pixel is found, and every layer is computed
// on these spans and on as much of their surroundings as later layers see. The sums of a pixel
// do not depend on the tile.
#include "trimatte/fusion.hpp"

#include <algorithm>
#include <numeric>

#include "prior/pixel_colours.hpp"
#include "simd/kernels.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t tile = 128;
// Costs and distances become c / (c + these), which are between 0 and 1.
constexpr float usual_cost = 4;
constexpr float usual_distance = 8;

// Rows [top, bottom) and columns [left, right) of the picture.
struct Box {
    std::int64_t top, bottom, left, right;

    std::int64_t height() const { return bottom - top; }
    std::int64_t width() const { return right - left; }
    bool empty() const { return top >= bottom || left >= right; }
    Box grown(std::int64_t by) const { return {top - by, bottom + by, left - by, right + by}; }
    Box within(const ImageView& image) const {
        return {std::max<std::int64_t>(top, 0), std::min(bottom, image.height), std::max<std::int64_t>(left, 0),
                std::min(right, image.width)};
    }
};

// Columns [left, right) of one row.
struct Span {
    std::int64_t left, right;

    std::int64_t width() const { return right - left; }
};

// The spans of the unknown pixels in the rows of a part of the picture, and the box around them.
class UnknownSpans {
public:
    UnknownSpans(const Label* labels, const ImageView& image, const Box& part)
        : image_(image), top_(part.top), box_{part.bottom, part.top, part.right, part.left} {
        for (std::int64_t y = part.top; y < part.bottom; ++y) {
            const Label* row = labels + y * image.width;
            Span span{part.right, part.left};
            for (std::int64_t x = part.left; x < part.right; ++x) {
                if (row[x] == Label::unknown) {
                    span = {std::min(span.left, x), x + 1};
                }
            }
            rows_.push_back(span);
            if (span.left < span.right) {
                box_ = {std::min(box_.top, y), y + 1, std::min(box_.left, span.left), std::max(box_.right, span.right)};
            }
        }
    }
    const Box& box() const { return box_; }

    // The pixels of row y that are at most `rim` columns and rows from these spans, within the
    // picture. The row must lie in the box, grown by `rim`.
    Span grown(std::int64_t y, std::int64_t rim) const {
        Span all{image_.width, 0};
        const std::int64_t bottom = std::min(y + rim + 1, box_.bottom);
        for (std::int64_t near = std::max(y - rim, box_.top); near < bottom; ++near) {
            const Span& row = rows_[static_cast<std::size_t>(near - top_)];
            if (row.left < row.right) {
                all = {std::min(all.left, row.left - rim), std::max(all.right, row.right + rim)};
            }
        }
        if (all.left >= all.right) {
            return {box_.left, box_.left};
        }
        return {std::max<std::int64_t>(all.left, 0), std::min(all.right, image_.width)};
    }

private:
    const ImageView& image_;
    std::int64_t top_;
    Box box_;
    std::vector<Span> rows_;
};

// The maps of single pixels. Distances to the known pixels are computed for the whole picture.
class Maps {
public:
    Maps(const FusionInputs& inputs, const Context& context)
        : inputs_(inputs), to_foreground_(inputs.image.pixels()), to_background_(inputs.image.pixels()) {
        const ImageView& image = inputs.image;
        distance_to(Label::foreground, inputs.labels, image.height, image.width, to_foreground_.data(), context);
        distance_to(Label::background, inputs.labels, image.height, image.width, to_background_.data(), context);
    }

    // colours: the PixelColours of the picture.
    template <class Colours>
    void write(const Colours& colours, std::int64_t pixel, float* out) const {
        const Colour colour = colours(pixel);
        const float cost = inputs_.cost[pixel];
        for (std::size_t c = 0; c < 3; ++c) {
            out[c] = colour[c] - 0.5f;
        }
        out[3] = 2 * inputs_.closed_form[pixel] - 1;
        out[4] = 2 * inputs_.network[pixel] - 1;
        out[5] = 2 * inputs_.sampling[pixel] - 1;
        out[6] = 2 * inputs_.refined[pixel] - 1;
        out[7] = cost / (cost + usual_cost);
        out[8] = inputs_.labels[pixel] == Label::unknown;
        out[9] = inputs_.labels[pixel] == Label::foreground;
        out[10] = 1 - usual_distance / (to_foreground_[pixel] + usual_distance);
        out[11] = 1 - usual_distance / (to_background_[pixel] + usual_distance);
    }

private:
    const FusionInputs& inputs_;
    Buffer<float> to_foreground_, to_background_;
};

// Numbers of the pixels of a box, `depth` for each.
struct Field {
    Box box;
    std::int64_t depth;
    Buffer<float> numbers;

    Field(const Box& box_, std::int64_t depth_)
        : box(box_), depth(depth_), numbers(box_.height() * box_.width() * depth_) {
        std::fill(numbers.begin(), numbers.end(), 0.0f);
    }
    float* at(std::int64_t y, std::int64_t x) {
        return numbers.data() + ((y - box.top) * box.width() + x - box.left) * depth;
    }
};

// Writes the outputs of a part of row y, before the rectifier.
void convolve_row(const Convolution& layer, Field& in, std::int64_t y, const Span& part, float* out) {
    const std::int64_t count = part.width();
    const float* bias = layer.weight.data() + layer.taps * layer.inputs * layer.padded;
    for (std::int64_t tap = 0; tap < layer.taps; ++tap) {
        const std::int64_t dy = layer.taps == 1 ? 0 : layer.dilation * (tap / 3 - 1);
        const std::int64_t dx = layer.taps == 1 ? 0 : layer.dilation * (tap % 3 - 1);
        simd::kernels().matrix_product(count, layer.padded, layer.inputs, in.at(y + dy, part.left + dx), in.depth, 1,
                                       layer.weight.data() + tap * layer.inputs * layer.padded, layer.padded,
                                       tap == 0 ? bias : out, tap == 0 ? 0 : layer.padded, out, layer.padded);
    }
}

// The work on one tile.
class TileWork {
public:
    TileWork(const FusionInputs& inputs, const FusionNetwork& network, const UnknownSpans& spans)
        : inputs_(inputs), network_(network), spans_(spans) {}

    template <class Colours>
    void operator()(const Maps& maps, const Colours& colours, float* correction, Monitor& monitor) {
        const std::vector<Convolution>& layers = network_.layers;
        std::int64_t rim = network_.reach();
        Field hidden = first_layer(maps, colours, rim);
        for (std::size_t l = 1; l + 1 < layers.size(); ++l) {
            monitor.poll();
            rim -= layers[l].reach();
            add_layer(layers[l], rim, hidden);
        }
        write(layers.back(), hidden, correction);
    }

private:
    // Returns the rectified outputs of the first layer, and zeros beyond the picture. `rim` becomes
    // what the layers after it see.
    template <class Colours>
    Field first_layer(const Maps& maps, const Colours& colours, std::int64_t& rim) {
        const Convolution& layer = network_.layers.front();
        Field seen(spans_.box().grown(rim), layer.inputs);
        const Box inside = seen.box.within(inputs_.image);
        for (std::int64_t y = inside.top; y < inside.bottom; ++y) {
            const Span part = spans_.grown(y, rim);
            for (std::int64_t x = part.left; x < part.right; ++x) {
                maps.write(colours, y * inputs_.image.width + x, seen.at(y, x));
            }
        }
        rim -= layer.reach();
        Field hidden(spans_.box().grown(rim), layer.padded);
        const Box rows = hidden.box.within(inputs_.image);
        for (std::int64_t y = rows.top; y < rows.bottom; ++y) {
            const Span part = spans_.grown(y, rim);
            float* out = hidden.at(y, part.left);
            convolve_row(layer, seen, y, part, out);
            simd::kernels().rectify(part.width() * layer.padded, out);
        }
        return hidden;
    }

    void add_layer(const Convolution& layer, std::int64_t rim, Field& hidden) {
        const Box rows = spans_.box().grown(rim).within(inputs_.image);
        const std::int64_t row = rows.width() * layer.padded;
        Buffer<float> out(rows.height() * row);
        for (std::int64_t y = rows.top; y < rows.bottom; ++y) {
            convolve_row(layer, hidden, y, spans_.grown(y, rim), out.data() + (y - rows.top) * row);
        }
        for (std::int64_t y = rows.top; y < rows.bottom; ++y) {
            const Span part = spans_.grown(y, rim);
            simd::kernels().add_half_rectified(part.width() * layer.padded, out.data() + (y - rows.top) * row,
                                               hidden.at(y, part.left));
        }
    }

    void write(const Convolution& layer, Field& hidden, float* correction) const {
        const Box& box = spans_.box();
        Buffer<float> out(box.width() * layer.padded);
        const std::int64_t width = inputs_.image.width;
        for (std::int64_t y = box.top; y < box.bottom; ++y) {
            const Span part = spans_.grown(y, 0);
            convolve_row(layer, hidden, y, part, out.data());
            for (std::int64_t x = part.left; x < part.right; ++x) {
                if (inputs_.labels[y * width + x] == Label::unknown) {
                    correction[y * width + x] = out[(x - part.left) * layer.padded];
                }
            }
        }
    }

    const FusionInputs& inputs_;
    const FusionNetwork& network_;
    const UnknownSpans& spans_;
};

}  // namespace

Convolution::Convolution(std::int64_t taps_, std::int64_t inputs_, std::int64_t outputs_, std::int64_t dilation_)
    : taps(taps_),
      inputs(inputs_),
      outputs(outputs_),
      dilation(dilation_),
      padded((outputs_ + 7) / 8 * 8),
      weight((taps_ * inputs_ + 1) * padded) {
    std::fill(weight.begin(), weight.end(), 0.0f);
}

std::int64_t FusionNetwork::reach() const {
    return std::accumulate(layers.begin(), layers.end(), std::int64_t{0},
                           [](std::int64_t sum, const Convolution& layer) { return sum + layer.reach(); });
}

void make_fusion_maps(const FusionInputs& inputs, float* maps, const Context& context) {
    const Maps source(inputs, context);
    with_colours(inputs.image, [&](const auto& colours) {
        parallel_for(inputs.image.height, context.threads, context.monitor, [&](std::int64_t y) {
            for (std::int64_t x = 0; x < inputs.image.width; ++x) {
                const std::int64_t pixel = y * inputs.image.width + x;
                source.write(colours, pixel, maps + pixel * fusion_maps);
            }
        });
    });
}

void fusion_correction(const FusionInputs& inputs, const FusionNetwork& network, float* correction,
                       const Context& context) {
    const ImageView& image = inputs.image;
    const Maps maps(inputs, context);
    const std::int64_t across = (image.width + tile - 1) / tile, down = (image.height + tile - 1) / tile;
    with_colours(image, [&](const auto& colours) {
        parallel_for(across * down, context.threads, context.monitor, [&](std::int64_t number) {
            const std::int64_t top = number / across * tile, left = number % across * tile;
            const Box part = Box{top, top + tile, left, left + tile}.within(image);
            const UnknownSpans spans(inputs.labels, image, part);
            if (!spans.box().empty()) {
                TileWork(inputs, network, spans)(maps, colours, correction, context.monitor);
            }
        });
    });
}

}  // namespace trimatte
