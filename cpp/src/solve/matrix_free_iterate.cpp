#include "solve/matrix_free_iterate.hpp"

#include <cmath>
#include <string>

#include "trimatte/errors.hpp"

namespace trimatte {

Buffer<double> scale_of(const MatrixFree& products, const Context& context) {
    const Buffer<double>& diagonal = products.diagonal;
    Buffer<double> scale(diagonal.size());
    parallel_ranges(scale.size(), context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            if (!(diagonal[i] > 0)) {
                throw FactorizationError("operator: expected a positive diagonal, got " + std::to_string(diagonal[i]) +
                                         " for unknown " + std::to_string(i));
            }
            scale[i] = 1 / std::sqrt(diagonal[i]);
        }
    });
    return scale;
}

void MatrixFreeIterate::multiply_scaled(const double* v, double* product) {
    const auto scaled = [&](const double* from, double* to) {
        parallel_ranges(n(), context().threads, context().monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                to[i] = from[i] * scale_[i];
            }
        });
    };
    scaled(v, unscaled_.data());
    products_.multiply(unscaled_.data(), product, context());
    scaled(product, product);
}

}  // namespace trimatte
