// The fusion network on the unknown region and its rim. The picture is cut into tiles. Every layer is
// computed on the unknown pixels of a tile and on as much of their surroundings as later layers see.
// The sums of a pixel do not depend on the tile. Where the networks disagree, their mean counts less.
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
constexpr float usual_distance = 8;

// The correction is halved where the standard deviation of the networks' answers is this part of
// their mean. Both are root mean squares over a window of 2 `near_by` + 1 pixels across.
constexpr float halved_at = 0.7f;
constexpr std::int64_t near_by = 7;

// The maps of single pixels. Distances to the known pixels are computed for the whole picture.
class Maps {
public:
    Maps(const FusionInputs& inputs, const Context& context)
        : inputs_(inputs), to_foreground_(inputs.image.pixels()), to_background_(inputs.image.pixels()) {
        const ImageView& image = inputs.image;
        distance_to(Label::foreground, inputs.labels, image.height, image.width, to_foreground_.data(), context);
        distance_to(Label::background, inputs.labels, image.height, image.width, to_background_.data(), context);
    }

    std::int64_t count() const { return inputs_.maps(); }

    // colours: the PixelColours of the picture.
    template <class Colours>
    void write(const Colours& colours, std::int64_t pixel, float* out) const {
        const Colour colour = colours(pixel);
        for (std::size_t c = 0; c < 3; ++c) {
            *out++ = colour[c] - 0.5f;
        }
        for (std::int64_t plane = 0; plane < inputs_.count; ++plane) {
            *out++ = inputs_.planes[plane * inputs_.image.pixels() + pixel];
        }
        *out++ = inputs_.labels[pixel] == Label::unknown;
        *out++ = inputs_.labels[pixel] == Label::foreground;
        *out++ = 1 - usual_distance / (to_foreground_[pixel] + usual_distance);
        *out++ = 1 - usual_distance / (to_background_[pixel] + usual_distance);
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

// The means over the networks of their answers and of these squared; 0 at known pixels.
struct Answers {
    Buffer<float> mean, square;

    explicit Answers(std::int64_t pixels) : mean(pixels), square(pixels) {
        std::fill(mean.begin(), mean.end(), 0.0f);
        std::fill(square.begin(), square.end(), 0.0f);
    }
};

// The work of one network on one tile.
class TileWork {
public:
    TileWork(const FusionInputs& inputs, const PairNetwork& network, const Nearness& near)
        : inputs_(inputs), network_(network), near_(near) {}

    // Adds `share` of the network's answer and of its square to those of the other networks. seen: the
    // maps of all pixels that the network sees.
    void operator()(Field& seen, float share, Answers& answers, Monitor& monitor) const {
        const std::vector<PairConvolution>& layers = network_.layers();
        std::int64_t rim = network_.reach() - layers.front().layer().reach();
        Field hidden = first_layer(layers.front(), rim, seen);
        for (std::size_t l = 1; l < layers.size(); ++l) {
            monitor.poll();
            rim -= layers[l].layer().reach();
            add_layer(layers[l], rim, hidden);
        }
        add(network_.last(), hidden, share, answers);
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

    void add(const Convolution& layer, Field& hidden, float share, Answers& answers) const {
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
                        const float answer = out[(x - part.left) * layer.padded];
                        answers.mean[y * width + x] += share * answer;
                        answers.square[y * width + x] += share * (answer * answer);
                    }
                }
            });
        }
    }

    const FusionInputs& inputs_;
    const PairNetwork& network_;
    const Nearness& near_;
};

// Writes the mean answers of the unknown pixels, times k² m² / (k² m² + s²), with k = `halved_at`,
// and m² and s² the means of the squared mean answers and of the variances of the unknown pixels near by.
void write_trusted(const FusionInputs& inputs, const Answers& answers, float* correction, const Context& context) {
    const std::int64_t height = inputs.image.height, width = inputs.image.width;
    parallel_for(height, context.threads, context.monitor, [&](std::int64_t y) {
        const Label* labels = inputs.labels + y * width;
        if (std::find(labels, labels + width, Label::unknown) == labels + width) {
            return;
        }
        // Sums of the columns of the window, of k² m² and of s². Both are 0 at known pixels.
        Buffer<float> agreed(width), disputed(width);
        std::fill(agreed.begin(), agreed.end(), 0.0f);
        std::fill(disputed.begin(), disputed.end(), 0.0f);
        for (std::int64_t row = std::max<std::int64_t>(0, y - near_by); row < std::min(height, y + near_by + 1);
             ++row) {
            const float* mean = answers.mean.data() + row * width;
            const float* square = answers.square.data() + row * width;
            for (std::int64_t x = 0; x < width; ++x) {
                const float of_mean = mean[x] * mean[x];
                agreed[x] += halved_at * halved_at * of_mean;
                disputed[x] += std::max(0.0f, square[x] - of_mean);
            }
        }
        for (std::int64_t x = 0; x < width; ++x) {
            if (labels[x] == Label::unknown) {
                const std::int64_t left = std::max<std::int64_t>(0, x - near_by);
                const std::int64_t right = std::min(width, x + near_by + 1);
                const float trust = std::accumulate(agreed.data() + left, agreed.data() + right, 0.0f);
                const float doubt = std::accumulate(disputed.data() + left, disputed.data() + right, 0.0f);
                const float mean = answers.mean[y * width + x];
                correction[y * width + x] = trust > 0 ? mean * (trust / (trust + doubt)) : 0;
            }
        }
    });
}

// Returns the maps of the pixels of a tile and of what is at most `rim` beside them, with `margin`
// columns of zeros beside these. They are zero beyond the picture.
template <class Colours>
Field maps_around(const Maps& maps, const Colours& colours, const ImageView& image, const Nearness& near,
                  std::int64_t rim, std::int64_t margin) {
    Field seen(near.box().grown(rim).widened(margin), maps.count());
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
                source.write(colours, pixel, maps + pixel * inputs.maps());
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
    Answers answers(image.pixels());
    const std::int64_t across = (image.width + tile - 1) / tile, down = (image.height + tile - 1) / tile;
    with_colours(image, [&](const auto& colours) {
        parallel_for(across * down, context.threads, context.monitor, [&](std::int64_t number) {
            const std::int64_t top = number / across * tile, left = number % across * tile;
            const Box part = Box{top, top + tile, left, left + tile}.within(image);
            const Nearness near(inputs.labels, image, part, reach);
            if (near.box().empty()) {
                return;
            }
            Field seen = maps_around(maps, colours, image, near, reach, margin);
            for (const PairNetwork& network : in_pairs) {
                TileWork(inputs, network, near)(seen, share, answers, context.monitor);
            }
        });
    });
    write_trusted(inputs, answers, correction, context);
}

}  // namespace trimatte
