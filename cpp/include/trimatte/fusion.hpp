// Fusion: small convolutional networks, trained once and shipped with the package, that correct
// alpha where the answers of several methods differ.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/image.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// A convolution of 3 x 3 pixels, `dilation` pixels apart, or of one pixel if taps is 1. Rows of the
// weights are padded with zeros to a multiple of 8 numbers.
struct Convolution {
    std::int64_t taps;  // 9, row by row, or 1
    std::int64_t inputs;
    std::int64_t outputs;
    std::int64_t dilation;
    std::int64_t padded;   // outputs, rounded up to a multiple of 8
    Buffer<float> weight;  // (taps inputs + 1) x padded; the last row is the bias

    // The weights are zero.
    Convolution(std::int64_t taps, std::int64_t inputs, std::int64_t outputs, std::int64_t dilation);

    // How far a pixel of the output sees, in pixels.
    std::int64_t reach() const { return taps == 1 ? 0 : dilation; }
};

// The first layer is followed by a rectifier. From the second on, a layer adds half of its
// rectified outputs to its inputs. The last layer, of one pixel, has one output.
struct FusionNetwork {
    std::vector<Convolution> layers;

    // How far the answer for a pixel depends on others, in pixels.
    std::int64_t reach() const;
};

// What the networks see of a picture: its colours, other planes of its size whose numbers lie between
// -1 and 1, such as the answers of several methods, and the known pixels.
struct FusionInputs {
    ImageView image;
    const Label* labels;
    const float* planes;  // count x height x width
    std::int64_t count;

    // The number of maps: the colours, less a half; the planes; whether a pixel is unknown, and whether
    // it is foreground; and 1 - 8 / (d + 8) for its distances d, in pixels, to the known foreground and
    // to the known background.
    std::int64_t maps() const { return 3 + count + 4; }
};

// Writes the maps of all pixels, height x width x inputs.maps().
void make_fusion_maps(const FusionInputs& inputs, float* maps, const Context& context);

// Writes a correction of alpha at the unknown pixels: the mean of what the networks say, less where they
// disagree. There is at least one network. The other pixels stay. The networks must take inputs.maps()
// maps and see at most 254 pixels far. Beyond the picture all inputs of all layers are zero.
//
// With m and s the mean and the standard deviation of the networks' answers, as root mean squares over
// the unknown pixels of a window of 15 x 15, the correction is the mean times 1 / (1 + (s / (0.7 m))²).
void fusion_correction(const FusionInputs& inputs, const std::vector<const FusionNetwork*>& networks, float* correction,
                       const Context& context);

// Writes the Euclidean distance, in pixels, of each pixel to the nearest one with this label;
// infinity if there is none.
void distance_to(Label label, const Label* labels, std::int64_t height, std::int64_t width, float* distance,
                 const Context& context);

}  // namespace trimatte
