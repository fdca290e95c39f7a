#include "foreground/finish_layers.hpp"

#include <algorithm>
#include <vector>

#include "simd/kernels.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t band = 32;  // rows in a piece of work

// One channel of a row at a time.
class Finish {
public:
    Finish(const ImageView& image, const float* alpha, const LayerOptions& options)
        : image_(image),
          alpha_(alpha),
          options_(options),
          I_(static_cast<std::size_t>(image.channels * image.width)),
          F_(static_cast<std::size_t>(image.width)),
          B_(static_cast<std::size_t>(image.width)) {}

    void operator()(std::int64_t y, float* foreground, float* background) {
        const std::int64_t width = image_.width, channels = image_.channels;
        const float* a = alpha_ + y * width;
        load_row(image_, y, width, I_.data());
        for (std::int64_t c = 0; c < channels; ++c) {
            const float* I = I_.data() + c * width;
            float* F = foreground + y * width * channels + c;
            float* B = background + y * width * channels + c;
            for (std::int64_t x = 0; x < width; ++x) {
                F_[static_cast<std::size_t>(x)] = std::clamp(F[x * channels], options_.low, options_.high);
                B_[static_cast<std::size_t>(x)] = std::clamp(B[x * channels], options_.low, options_.high);
            }
            if (options_.exact_composite) {
                simd::kernels().make_exact(a, I, width, {options_.low, options_.high}, F_.data(), B_.data());
            }
            for (std::int64_t x = 0; x < width; ++x) {
                F[x * channels] = options_.keep_solid && a[x] >= 1 ? I[x] : F_[static_cast<std::size_t>(x)];
                B[x * channels] = options_.keep_solid && a[x] <= 0 ? I[x] : B_[static_cast<std::size_t>(x)];
            }
        }
    }

private:
    const ImageView& image_;
    const float* alpha_;
    const LayerOptions& options_;
    std::vector<float> I_, F_, B_;
};

}  // namespace

void finish_layers(const ImageView& image, const float* alpha, const LayerOptions& options, float* foreground,
                   float* background, Monitor& monitor) {
    parallel_for((image.height + band - 1) / band, options.threads, monitor, [&](std::int64_t i) {
        Finish finish(image, alpha, options);
        for (std::int64_t y = i * band; y < std::min(image.height, (i + 1) * band); ++y) {
            finish(y, foreground, background);
        }
    });
}

}  // namespace trimatte
