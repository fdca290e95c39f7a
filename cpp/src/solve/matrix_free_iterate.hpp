// The vectors of conjugate gradients on a matrix that is given by its products. This header is
// private to this folder.
#pragma once

#include <memory>
#include <utility>

#include "solve/sparse_iterate.hpp"

namespace trimatte {

// Returns D^-1/2 for a problem that has products.
Buffer<double> scale_of(const MatrixFree& products, const Context& context);

class MatrixFreeIterate : public VectorIterate {
public:
    MatrixFreeIterate(const Problem& problem, const Buffer<double>& scale,
                      std::unique_ptr<Preconditioner> preconditioner, const Context& context)
        : VectorIterate(problem, scale, std::move(preconditioner), context),
          products_(*problem.products),
          scale_(scale),
          unscaled_(scale.size()) {}

    std::size_t bytes() const override { return VectorIterate::bytes() + unscaled_.bytes(); }

private:
    void multiply_scaled(const double* v, double* product) override;

    const MatrixFree& products_;
    const Buffer<double>& scale_;
    Buffer<double> unscaled_;
};

}  // namespace trimatte
