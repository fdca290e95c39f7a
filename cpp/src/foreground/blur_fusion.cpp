// Blur fusion, M. Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021.
//
// Let <.> be the mean over the window around a pixel. From earlier layers F and B (at first both
// are the image I), alpha a and b = 1 - a, the method computes
//     F^ = <F a> / <a>,   B^ = <B b> / <b>,                                     (Eqs. 4 and 5)
//     F' = F^ + a (I - a F^ - b B^),   B' = B^ + b (I - a F^ - b B^).           (Eq. 7)
// The paper needs no B'; it is Eq. 7 with the layers exchanged. A second pass with a small window
// starts from F' and B^. Windows end at the border of the picture.
//
// Sums over windows are running sums, first along columns, then along rows, so that the time does
// not depend on the radius.
#include <algorithm>
#include <vector>

#include "foreground/finish_layers.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t strip = 64;    // columns that one piece of work sums up along the columns
constexpr std::int64_t band = 32;     // rows that one piece of work sums up along the rows
constexpr double least_share = 1e-5;  // the paper's epsilon, which is added to <a> and <b>

class Fusion {
public:
    Fusion(const ImageView& image, const float* alpha, const BlurFusionOptions& options, float* F, float* B,
           Monitor& monitor)
        : image_(image),
          alpha_(alpha),
          options_(options),
          F_(F),
          B_(B),
          monitor_(monitor),
          terms_(1 + 2 * image.channels),
          sums_(image.pixels() * terms_) {}

    // is_first: the earlier layers are the image. is_last: the layers become F' and B', else F' and
    // B^.
    void pass(std::int64_t radius, bool is_first, bool is_last) {
        parallel_for((image_.width + strip - 1) / strip, options_.threads, monitor_,
                     [&](std::int64_t i) { sum_columns(radius, is_first, i * strip); });
        parallel_for((image_.height + band - 1) / band, options_.threads, monitor_, [&](std::int64_t i) {
            Row row(*this);
            for (std::int64_t y = i * band; y < std::min(image_.height, (i + 1) * band); ++y) {
                fuse_row(radius, is_last, y, row);
            }
        });
    }

private:
    // Arrays for a row.
    struct Row {
        std::vector<float> image;
        std::vector<double> prefix, mean;
        explicit Row(const Fusion& fusion)
            : image(static_cast<std::size_t>(fusion.image_.channels * fusion.image_.width)),
              prefix(static_cast<std::size_t>((fusion.image_.width + 1) * fusion.terms_)),
              mean(static_cast<std::size_t>(fusion.terms_)) {}
    };

    // sums_ holds, at each pixel, the sums along its column of a, F a and B b (channel by channel).
    void sum_columns(std::int64_t radius, bool is_first, std::int64_t begin) {
        const std::int64_t count = std::min(strip, image_.width - begin);
        std::vector<std::int64_t> column(static_cast<std::size_t>(count));
        for (std::int64_t x = 0; x < count; ++x) {
            column[static_cast<std::size_t>(x)] = begin + x;
        }
        std::vector<float> colours(static_cast<std::size_t>(image_.channels * count));
        std::vector<double> sum(static_cast<std::size_t>(count * terms_), 0.0);
        // Adds row y to the sums, or removes it.
        const auto add = [&](std::int64_t y, double sign) {
            if (is_first) {
                sample_row(image_, y, column.data(), count, count, colours.data());
            }
            for (std::int64_t x = 0; x < count; ++x) {
                const std::int64_t p = y * image_.width + begin + x;
                const double a = alpha_[p];
                double* to = sum.data() + x * terms_;
                to[0] += sign * a;
                for (std::int64_t c = 0; c < image_.channels; ++c) {
                    const std::int64_t at = p * image_.channels + c;
                    const double I = is_first ? colours[static_cast<std::size_t>(c * count + x)] : 0.0;
                    to[1 + 2 * c] += sign * a * (is_first ? I : F_[at]);
                    to[2 + 2 * c] += sign * (1 - a) * (is_first ? I : B_[at]);
                }
            }
        };
        for (std::int64_t y = 0; y < std::min(radius, image_.height); ++y) {
            add(y, 1);
        }
        for (std::int64_t y = 0; y < image_.height; ++y) {
            if (y + radius < image_.height) {
                add(y + radius, 1);
            }
            if (y - radius > 0) {
                add(y - radius - 1, -1);
            }
            float* out = sums_.data() + (y * image_.width + begin) * terms_;
            for (std::int64_t k = 0; k < count * terms_; ++k) {
                out[k] = static_cast<float>(sum[static_cast<std::size_t>(k)]);
            }
            monitor_.poll();
        }
    }

    void fuse_row(std::int64_t radius, bool is_last, std::int64_t y, Row& row) {
        const std::int64_t width = image_.width;
        load_row(image_, y, width, row.image.data());
        std::fill_n(row.prefix.begin(), terms_, 0.0);
        const float* sums = sums_.data() + y * width * terms_;
        for (std::int64_t k = 0; k < width * terms_; ++k) {
            row.prefix[static_cast<std::size_t>(k + terms_)] = row.prefix[static_cast<std::size_t>(k)] + sums[k];
        }
        const std::int64_t rows = std::min(image_.height, y + radius + 1) - std::max<std::int64_t>(0, y - radius);
        for (std::int64_t x = 0; x < width; ++x) {
            const std::int64_t first = std::max<std::int64_t>(0, x - radius), end = std::min(width, x + radius + 1);
            const double scale = 1 / static_cast<double>(rows * (end - first));
            for (std::int64_t t = 0; t < terms_; ++t) {
                row.mean[static_cast<std::size_t>(t)] =
                    scale * (row.prefix[static_cast<std::size_t>(end * terms_ + t)] -
                             row.prefix[static_cast<std::size_t>(first * terms_ + t)]);
            }
            const double a = alpha_[y * width + x], b = 1 - a;
            const double share_F = row.mean[0] + least_share, share_B = 1 - row.mean[0] + least_share;
            for (std::int64_t c = 0; c < image_.channels; ++c) {
                const double blurred_F = row.mean[static_cast<std::size_t>(1 + 2 * c)] / share_F;
                const double blurred_B = row.mean[static_cast<std::size_t>(2 + 2 * c)] / share_B;
                const double rest = row.image[static_cast<std::size_t>(c * width + x)] - a * blurred_F - b * blurred_B;
                const std::int64_t at = (y * width + x) * image_.channels + c;
                F_[at] = clipped(blurred_F + a * rest);
                B_[at] = clipped(blurred_B + (is_last ? b * rest : 0.0));
            }
        }
    }

    float clipped(double value) const { return std::clamp(static_cast<float>(value), options_.low, options_.high); }

    const ImageView& image_;
    const float* alpha_;
    const BlurFusionOptions& options_;
    float *F_, *B_;
    Monitor& monitor_;
    std::int64_t terms_;
    Buffer<float> sums_;
};

}  // namespace

void blur_fusion(const ImageView& image, const float* alpha, const BlurFusionOptions& options, float* foreground,
                 float* background, Monitor& monitor) {
    monitor.phase("foreground");
    {
        Fusion fusion(image, alpha, options, foreground, background, monitor);
        fusion.pass(options.radius, true, options.second_radius == 0);
        if (options.second_radius > 0) {
            monitor.set_fraction(0.5);
            fusion.pass(options.second_radius, false, true);
        }
    }
    finish_layers(image, alpha, options, foreground, background, monitor);
    monitor.finish();
}

}  // namespace trimatte
