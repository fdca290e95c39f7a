// The fusion network on the unknown region and its rim. The picture is cut into tiles. Every layer is
// computed on the unknown pixels of a tile and on as much of their surroundings as later layers see.
// The sums of a pixel do not depend on the tile.
#include "trimatte/fusion.hpp"

#include <algorithm>
#include <numeric>

#include "prior/pixel_colours.hpp"
#include "simd/kernels.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t tile = 192;
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

// How far the pixels of a tile and of its surroundings are from the unknown pixels of the tile: the
// larger of the distances in rows and in columns.
class Nearness {
public:
    // No pixel farther than `most`, at most 254, is asked for.
    Nearness(const Label* labels, const ImageView& image, const Box& part, std::int64_t most)
        : image_(image), box_{part.bottom, part.top, part.right, part.left} {
        for (std::int64_t y = part.top; y < part.bottom; ++y) {
            for (std::int64_t x = part.left; x < part.right; ++x) {
                if (labels[y * image.width + x] == Label::unknown) {
                    box_ = {std::min(box_.top, y), y + 1, std::min(box_.left, x), std::max(box_.right, x + 1)};
                }
            }
        }
        if (!box_.empty()) {
            measure(labels, most);
        }
    }
    // The box around the unknown pixels of the tile.
    const Box& box() const { return box_; }

    // Calls work(span) for the parts of row y, within the picture, that hold all pixels at most `rim`
    // away. Short gaps between such parts are filled, because short spans cost more for each pixel.
    template <class Work>
    void for_spans(std::int64_t y, std::int64_t rim, const Work& work) const {
        constexpr std::int64_t short_gap = 6;
        const std::int64_t left = std::max<std::int64_t>(box_.left - rim, 0);
        const std::int64_t right = std::min(box_.right + rim, image_.width);
        const unsigned char* row = distance_.data() + (y - around_.top) * around_.width() - around_.left;
        Span span{left, left};
        for (std::int64_t x = left; x < right; ++x) {
            if (row[x] > rim) {
                continue;
            }
            if (x - span.right >= short_gap || span.width() == 0) {
                if (span.width() > 0) {
                    work(span);
                }
                span.left = x;
            }
            span.right = x + 1;
        }
        if (span.width() > 0) {
            work(span);
        }
    }

private:
    // Goes over the box, grown by `most`, forwards and backwards: each pixel is one farther away than
    // the nearest of its neighbours.
    void measure(const Label* labels, std::int64_t most) {
        around_ = box_.grown(most);
        distance_ = Buffer<unsigned char>(around_.height() * around_.width());
        std::fill(distance_.begin(), distance_.end(), far);
        for (std::int64_t y = box_.top; y < box_.bottom; ++y) {
            for (std::int64_t x = box_.left; x < box_.right; ++x) {
                if (labels[y * image_.width + x] == Label::unknown) {
                    *at(y, x) = 0;
                }
            }
        }
        const std::int64_t width = around_.width(), last = around_.height() - 1;
        for (std::int64_t i = 0; i <= last; ++i) {
            spread(distance_.data() + i * width, i > 0 ? distance_.data() + (i - 1) * width : nullptr, width);
        }
        for (std::int64_t i = last - 1; i >= 0; --i) {
            spread(distance_.data() + i * width, distance_.data() + (i + 1) * width, width);
        }
    }
    // Lets a row know of the row beside it, if there is one, and then of both sides of itself.
    static void spread(unsigned char* row, const unsigned char* beside, std::int64_t width) {
        const auto next = [](unsigned char v) { return static_cast<unsigned char>(v == far ? far : v + 1); };
        if (beside != nullptr) {
            for (std::int64_t x = 0; x < width; ++x) {
                const std::int64_t before = std::max<std::int64_t>(x - 1, 0), after = std::min(x + 1, width - 1);
                row[x] = std::min(row[x], next(std::min({beside[before], beside[x], beside[after]})));
            }
        }
        for (std::int64_t x = 1; x < width; ++x) {
            row[x] = std::min(row[x], next(row[x - 1]));
        }
        for (std::int64_t x = width - 2; x >= 0; --x) {
            row[x] = std::min(row[x], next(row[x + 1]));
        }
    }
    unsigned char* at(std::int64_t y, std::int64_t x) {
        return distance_.data() + (y - around_.top) * around_.width() + x - around_.left;
    }

    static constexpr unsigned char far = 255;

    const ImageView& image_;
    Box box_, around_{0, 0, 0, 0};
    Buffer<unsigned char> distance_;
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

// The work of one network on one tile.
class TileWork {
public:
    TileWork(const FusionInputs& inputs, const FusionNetwork& network, const Nearness& near)
        : inputs_(inputs), network_(network), near_(near) {}

    // Adds `share` of the network's answer to the correction. seen: the maps of all pixels that the
    // network sees.
    void operator()(Field& seen, float share, float* correction, Monitor& monitor) const {
        const std::vector<Convolution>& layers = network_.layers;
        std::int64_t rim = network_.reach() - layers.front().reach();
        Field hidden = first_layer(layers.front(), rim, seen);
        for (std::size_t l = 1; l + 1 < layers.size(); ++l) {
            monitor.poll();
            rim -= layers[l].reach();
            add_layer(layers[l], rim, hidden);
        }
        write(layers.back(), hidden, share, correction);
    }

private:
    // Returns the rectified outputs of the first layer, and zeros beyond the picture.
    Field first_layer(const Convolution& layer, std::int64_t rim, Field& seen) const {
        Field hidden(near_.box().grown(rim), layer.padded);
        const Box rows = hidden.box.within(inputs_.image);
        for (std::int64_t y = rows.top; y < rows.bottom; ++y) {
            near_.for_spans(y, rim, [&](const Span& part) {
                float* out = hidden.at(y, part.left);
                convolve_row(layer, seen, y, part, out);
                simd::kernels().rectify(part.width() * layer.padded, out);
            });
        }
        return hidden;
    }

    void add_layer(const Convolution& layer, std::int64_t rim, Field& hidden) const {
        const Box rows = near_.box().grown(rim).within(inputs_.image);
        Buffer<float> out(rows.height() * rows.width() * layer.padded);
        const auto at = [&](std::int64_t y, const Span& part) {
            return out.data() + ((y - rows.top) * rows.width() + part.left - rows.left) * layer.padded;
        };
        for (std::int64_t y = rows.top; y < rows.bottom; ++y) {
            near_.for_spans(y, rim, [&](const Span& part) { convolve_row(layer, hidden, y, part, at(y, part)); });
        }
        for (std::int64_t y = rows.top; y < rows.bottom; ++y) {
            near_.for_spans(y, rim, [&](const Span& part) {
                simd::kernels().add_half_rectified(part.width() * layer.padded, at(y, part), hidden.at(y, part.left));
            });
        }
    }

    void write(const Convolution& layer, Field& hidden, float share, float* correction) const {
        const Box& box = near_.box();
        Buffer<float> out(box.width() * layer.padded);
        const std::int64_t width = inputs_.image.width;
        for (std::int64_t y = box.top; y < box.bottom; ++y) {
            near_.for_spans(y, 0, [&](const Span& part) {
                convolve_row(layer, hidden, y, part, out.data());
                for (std::int64_t x = part.left; x < part.right; ++x) {
                    if (inputs_.labels[y * width + x] == Label::unknown) {
                        correction[y * width + x] += share * out[(x - part.left) * layer.padded];
                    }
                }
            });
        }
    }

    const FusionInputs& inputs_;
    const FusionNetwork& network_;
    const Nearness& near_;
};

void set_unknown(const FusionInputs& inputs, const Box& part, float value, float* correction) {
    for (std::int64_t y = part.top; y < part.bottom; ++y) {
        for (std::int64_t pixel = y * inputs.image.width + part.left; pixel < y * inputs.image.width + part.right;
             ++pixel) {
            if (inputs.labels[pixel] == Label::unknown) {
                correction[pixel] = value;
            }
        }
    }
}

// Returns the maps of the pixels of a tile and of what is at most `rim` beside them. They are zero
// beyond the picture.
template <class Colours>
Field maps_around(const Maps& maps, const Colours& colours, const ImageView& image, const Nearness& near,
                  std::int64_t rim) {
    Field seen(near.box().grown(rim), fusion_maps);
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
    std::int64_t reach = 0;
    for (const FusionNetwork* network : networks) {
        reach = std::max(reach, network->reach());
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
            set_unknown(inputs, part, 0, correction);
            Field seen = maps_around(maps, colours, image, near, reach);
            for (const FusionNetwork* network : networks) {
                TileWork(inputs, *network, near)(seen, share, correction, context.monitor);
            }
        });
    });
}

}  // namespace trimatte
