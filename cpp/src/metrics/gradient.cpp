// Gradient error of Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting",
// CVPR 2009, section 5.
#include <algorithm>
#include <cmath>
#include <vector>

#include "trimatte/metrics.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

// A Gaussian and its derivative at -reach ... reach, in pixels. The product of one along y and the
// other along x has 2-norm 1.
struct Filters {
    std::int64_t reach;
    std::vector<double> smooth, slope;

    explicit Filters(double sigma) {
        // The filters end where the Gaussian has fallen to 0.01.
        constexpr double pi = 3.14159265358979323846;
        const double height = 1 / (std::sqrt(2 * pi) * sigma);
        const double falls = std::max(0.0, -2 * std::log(0.01 / height));
        reach = static_cast<std::int64_t>(std::ceil(sigma * std::sqrt(falls)));
        double norm_smooth = 0, norm_slope = 0;
        for (std::int64_t k = -reach; k <= reach; ++k) {
            const auto t = static_cast<double>(k);
            smooth.push_back(std::exp(-t * t / (2 * sigma * sigma)));
            slope.push_back(t * smooth.back());
            norm_smooth += smooth.back() * smooth.back();
            norm_slope += slope.back() * slope.back();
        }
        for (std::size_t k = 0; k < smooth.size(); ++k) {
            smooth[k] /= std::sqrt(norm_smooth);
            slope[k] /= std::sqrt(norm_slope);
        }
    }
};

// |grad a|, one row at a time.
class Gradient {
public:
    Gradient(const double* a, std::int64_t height, std::int64_t width, const Filters& filters)
        : a_(a),
          height_(height),
          width_(width),
          filters_(filters),
          smooth_(static_cast<std::size_t>(width + 2 * filters.reach)),
          slope_(smooth_.size()),
          along_x_(static_cast<std::size_t>(width)),
          along_y_(along_x_.size()) {}

    const std::vector<double>& row(std::int64_t y) {
        const std::int64_t reach = filters_.reach;
        std::fill(smooth_.begin(), smooth_.end(), 0.0);
        std::fill(slope_.begin(), slope_.end(), 0.0);
        for (std::int64_t k = -reach; k <= reach; ++k) {
            const double* source = a_ + std::clamp<std::int64_t>(y + k, 0, height_ - 1) * width_;
            const double smooth = filters_.smooth[static_cast<std::size_t>(k + reach)];
            const double slope = filters_.slope[static_cast<std::size_t>(k + reach)];
            double* u = smooth_.data() + reach;
            double* v = slope_.data() + reach;
            for (std::int64_t x = 0; x < width_; ++x) {
                u[x] += smooth * source[x];
                v[x] += slope * source[x];
            }
        }
        for (std::vector<double>* sums : {&smooth_, &slope_}) {
            std::fill_n(sums->begin(), reach, (*sums)[static_cast<std::size_t>(reach)]);
            std::fill_n(sums->end() - reach, reach, *(sums->end() - reach - 1));
        }
        std::fill(along_x_.begin(), along_x_.end(), 0.0);
        std::fill(along_y_.begin(), along_y_.end(), 0.0);
        for (std::int64_t k = 0; k <= 2 * reach; ++k) {
            const double smooth = filters_.smooth[static_cast<std::size_t>(k)];
            const double slope = filters_.slope[static_cast<std::size_t>(k)];
            const double* u = smooth_.data() + k;
            const double* v = slope_.data() + k;
            for (std::int64_t x = 0; x < width_; ++x) {
                along_x_[static_cast<std::size_t>(x)] += slope * u[x];
                along_y_[static_cast<std::size_t>(x)] += smooth * v[x];
            }
        }
        for (std::size_t x = 0; x < along_x_.size(); ++x) {
            along_x_[x] = std::sqrt(along_x_[x] * along_x_[x] + along_y_[x] * along_y_[x]);
        }
        return along_x_;
    }

private:
    const double* a_;
    std::int64_t height_, width_;
    const Filters& filters_;
    std::vector<double> smooth_, slope_;  // filtered along y, with a border
    std::vector<double> along_x_, along_y_;
};

}  // namespace

double gradient_error(const Mattes& mattes, double sigma, int threads, Monitor& monitor) {
    const Filters filters(sigma);
    constexpr std::int64_t band = 16;
    std::vector<double> error(static_cast<std::size_t>(mattes.height), 0.0);
    parallel_for((mattes.height + band - 1) / band, threads, monitor, [&](std::int64_t b) {
        Gradient alpha(mattes.alpha, mattes.height, mattes.width, filters);
        Gradient truth(mattes.truth, mattes.height, mattes.width, filters);
        for (std::int64_t y = b * band; y < std::min((b + 1) * band, mattes.height); ++y) {
            const std::uint8_t* region = mattes.region + y * mattes.width;
            if (std::find_if(region, region + mattes.width, [](std::uint8_t r) { return r != 0; }) ==
                region + mattes.width) {
                continue;
            }
            const std::vector<double>& a = alpha.row(y);
            const std::vector<double>& t = truth.row(y);
            double sum = 0;
            for (std::int64_t x = 0; x < mattes.width; ++x) {
                const double d = a[static_cast<std::size_t>(x)] - t[static_cast<std::size_t>(x)];
                sum += region[x] ? d * d : 0;
            }
            error[static_cast<std::size_t>(y)] = sum;
        }
    });
    double sum = 0;
    for (const double e : error) {
        sum += e;
    }
    return sum;
}

}  // namespace trimatte
