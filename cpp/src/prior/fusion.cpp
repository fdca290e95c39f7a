// The fusion network on the unknown region and its rim. The picture is cut into tiles. Every layer is
// computed on the unknown pixels of a tile and on as much of their surroundings as later layers see.
// The sums of a pixel do not depend on the tile.
#include "trimatte/fusion.hpp"

#include <algorithm>
#include <numeric>

#include "prior/pair_convolution.hpp"
#include "prior/pixel_colours.hpp"
#include "prior/tile_spans.hpp"
#include "simd/kernels.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t tile = 192;
// Costs and distances become c / (c + these), which are between 0 and 1.
constexpr float usual_cost = 4;
constexpr float usual_distance = 8;

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

// A network whose convolutions of 3 x 3 pixels have the filters of pairs.
class PairNetwork {
public:
    explicit PairNetwork(const FusionNetwork& network) : last_(network.layers.back()), reach_(network.reach()) {
        for (std::size_t l = 0; l + 1 < network.layers.size(); ++l) {
            layers_.emplace_back(network.layers[l]);
            margin_ = std::max(margin_, PairConvolution::margin(network.layers[l].dilation));
        }
    }
    const std::vector<PairConvolution>& layers() const { return layers_; }
    const Convolution& last() const { return last_; }
    std::int64_t reach() const { return reach_; }
    std::int64_t margin() const { return margin_; }

private:
    std::vector<PairConvolution> layers_;
    const Convolution& last_;
    std::int64_t reach_, margin_ = 0;
};

// The work of one network on one tile.
class TileWork {
public:
    TileWork(const FusionInputs& inputs, const PairNetwork& network, const Nearness& near)
        : inputs_(inputs), network_(network), near_(near) {}

    // Adds `share` of the network's answer to the correction. seen: the maps of all pixels that the
    // network sees.
    void operator()(Field& seen, float share, float* correction, Monitor& monitor) const {
        const std::vector<PairConvolution>& layers = network_.layers();
        std::int64_t rim = network_.reach() - layers.front().layer().reach();
        Field hidden = first_layer(layers.front(), rim, seen);
        for (std::size_t l = 1; l < layers.size(); ++l) {
            monitor.poll();
            rim -= layers[l].layer().reach();
            add_layer(layers[l], rim, hidden);
        }
        write(network_.last(), hidden, share, correction);
    }

private:
    // Returns the rectified outputs of the first layer, and zeros beyond the picture.
    Field first_layer(const PairConvolution& layer, std::int64_t rim, Field& seen) const {
        const std::int64_t depth = layer.layer().padded;
        Field hidden(near_.box().grown(rim).widened(network_.margin()), depth);
        layer(near_, inputs_.image, rim, seen, [&](std::int64_t y, const Span& part, float* outputs) {
            simd::kernels().rectify(part.width() * depth, outputs);
            std::copy_n(outputs, part.width() * depth, hidden.at(y, part.left));
        });
        return hidden;
    }

    void add_layer(const PairConvolution& layer, std::int64_t rim, Field& hidden) const {
        const std::int64_t depth = layer.layer().padded;
        layer(near_, inputs_.image, rim, hidden, [&](std::int64_t y, const Span& part, const float* outputs) {
            simd::kernels().add_half_rectified(part.width() * depth, outputs, hidden.at(y, part.left));
        });
    }

    void write(const Convolution& layer, Field& hidden, float share, float* correction) const {
        const Box& box = near_.box();
        Buffer<float> out(box.width() * layer.padded);
        const float* bias = layer.weight.data() + layer.inputs * layer.padded;
        const std::int64_t width = inputs_.image.width;
        for (std::int64_t y = box.top; y < box.bottom; ++y) {
            near_.for_spans(y, 0, [&](const Span& part) {
                simd::kernels().matrix_product(part.width(), layer.padded, layer.inputs, hidden.at(y, part.left),
                                               hidden.depth, 1, layer.weight.data(), layer.padded, bias, 0, out.data(),
                                               layer.padded);
                for (std::int64_t x = part.left; x < part.right; ++x) {
                    if (inputs_.labels[y * width + x] == Label::unknown) {
                        correction[y * width + x] += share * out[(x - part.left) * layer.padded];
                    }
                }
            });
        }
    }

    const FusionInputs& inputs_;
    const PairNetwork& network_;
    const Nearness& near_;
};

void clear_unknown(const FusionInputs& inputs, const Box& part, float* correction) {
    for (std::int64_t y = part.top; y < part.bottom; ++y) {
        for (std::int64_t pixel = y * inputs.image.width + part.left; pixel < y * inputs.image.width + part.right;
             ++pixel) {
            if (inputs.labels[pixel] == Label::unknown) {
                correction[pixel] = 0;
            }
        }
    }
}

// Returns the maps of the pixels of a tile and of what is at most `rim` beside them, with `margin`
// columns of zeros beside these. They are zero beyond the picture.
template <class Colours>
Field maps_around(const Maps& maps, const Colours& colours, const ImageView& image, const Nearness& near,
                  std::int64_t rim, std::int64_t margin) {
    Field seen(near.box().grown(rim).widened(margin), fusion_maps);
    const Box inside = seen.box.within(image);
    for (std::int64_t y = inside.top; y < inside.bottom; ++y) {
        near.for_spans(y, rim, [&](const Span& part) {
            for (std::int64_t x = part.left; x < part.right; ++x) {
                maps.write(colours, y * image.width + x, seen.at(y, x));
            }
        });
    }
    return seen;
}

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

void fusion_correction(const FusionInputs& inputs, const std::vector<const FusionNetwork*>& networks, float* correction,
                       const Context& context) {
    const ImageView& image = inputs.image;
    const Maps maps(inputs, context);
    std::vector<PairNetwork> in_pairs;
    std::int64_t reach = 0, margin = 0;
    for (const FusionNetwork* network : networks) {
        in_pairs.emplace_back(*network);
        reach = std::max(reach, in_pairs.back().reach());
        margin = std::max(margin, in_pairs.back().margin());
    }
    const float share = 1 / static_cast<float>(networks.size());
    const std::int64_t across = (image.width + tile - 1) / tile, down = (image.height + tile - 1) / tile;
    with_colours(image, [&](const auto& colours) {
        parallel_for(across * down, context.threads, context.monitor, [&](std::int64_t number) {
            const std::int64_t top = number / across * tile, left = number % across * tile;
            const Box part = Box{top, top + tile, left, left + tile}.within(image);
            const Nearness near(inputs.labels, image, part, reach);
            if (near.box().empty()) {
                return;
            }
            clear_unknown(inputs, part, correction);
            Field seen = maps_around(maps, colours, image, near, reach, margin);
            for (const PairNetwork& network : in_pairs) {
                TileWork(inputs, network, near)(seen, share, correction, context.monitor);
            }
        });
    });
}

}  // namespace trimatte
