// The fusion network on the unknown region and its rim. The picture is cut into tiles. In each, the
// box around the unknown pixels is found, and every layer is computed on that box and on as much
// of its surroundings as later layers see. The sums of a pixel do not depend on the tile.
#include "trimatte/fusion.hpp"

#include <algorithm>
#include <numeric>

#include "prior/pixel_colours.hpp"
#include "simd/kernels.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t tile = 96;
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

// The box around the unknown pixels of a part of the picture.
Box unknown_box(const Label* labels, std::int64_t width, const Box& part) {
    Box box{part.bottom, part.top, part.right, part.left};
    for (std::int64_t y = part.top; y < part.bottom; ++y) {
        for (std::int64_t x = part.left; x < part.right; ++x) {
            if (labels[y * width + x] == Label::unknown) {
                box = {std::min(box.top, y), y + 1, std::min(box.left, x), std::max(box.right, x + 1)};
            }
        }
    }
    return box;
}

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

// Writes the outputs of one row of `part`, before the rectifier.
void convolve_row(const Convolution& layer, Field& in, std::int64_t y, const Box& part, float* out) {
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
    TileWork(const FusionInputs& inputs, const FusionNetwork& network, const Box& box)
        : inputs_(inputs), network_(network), box_(box) {}

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
        Field seen(box_.grown(rim), layer.inputs);
        const Box inside = seen.box.within(inputs_.image);
        for (std::int64_t y = inside.top; y < inside.bottom; ++y) {
            for (std::int64_t x = inside.left; x < inside.right; ++x) {
                maps.write(colours, y * inputs_.image.width + x, seen.at(y, x));
            }
        }
        rim -= layer.reach();
        Field hidden(box_.grown(rim), layer.padded);
        const Box part = hidden.box.within(inputs_.image);
        for (std::int64_t y = part.top; y < part.bottom; ++y) {
            float* out = hidden.at(y, part.left);
            convolve_row(layer, seen, y, part, out);
            simd::kernels().rectify(part.width() * layer.padded, out);
        }
        return hidden;
    }

    void add_layer(const Convolution& layer, std::int64_t rim, Field& hidden) {
        const Box part = box_.grown(rim).within(inputs_.image);
        const std::int64_t row = part.width() * layer.padded;
        Buffer<float> out(part.height() * row);
        for (std::int64_t y = part.top; y < part.bottom; ++y) {
            convolve_row(layer, hidden, y, part, out.data() + (y - part.top) * row);
        }
        for (std::int64_t y = part.top; y < part.bottom; ++y) {
            simd::kernels().add_half_rectified(row, out.data() + (y - part.top) * row, hidden.at(y, part.left));
        }
    }

    void write(const Convolution& layer, Field& hidden, float* correction) const {
        Buffer<float> out(box_.width() * layer.padded);
        const std::int64_t width = inputs_.image.width;
        for (std::int64_t y = box_.top; y < box_.bottom; ++y) {
            convolve_row(layer, hidden, y, box_, out.data());
            for (std::int64_t x = box_.left; x < box_.right; ++x) {
                if (inputs_.labels[y * width + x] == Label::unknown) {
                    correction[y * width + x] = out[(x - box_.left) * layer.padded];
                }
            }
        }
    }

    const FusionInputs& inputs_;
    const FusionNetwork& network_;
    Box box_;
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
            const Box box = unknown_box(inputs.labels, image.width, part);
            if (!box.empty()) {
                TileWork(inputs, network, box)(maps, colours, correction, context.monitor);
            }
        });
    });
}

}  // namespace trimatte
