// Islands are parts of the unknown region that hardly touch other parts or known pixels. This
// header is private to this folder.
//
// Where flat colours meet at a hard edge (drawings, palettes, text), the windows across the edge
// hold two colours. Any alpha that is constant on either side is then an affine function of colour,
// and only epsilon couples the two sides. The modes of such parts have eigenvalues of 1e-6 to
// 1e-10. The float32 levels cannot represent them, and conjugate gradients meet them last, when the
// residual of all other modes is already small. But these modes are known in advance: alpha is one
// on an island and zero elsewhere. They are the columns of E, divided by Stencil::scale like all
// vectors of the scaled system. All directions of conjugate gradients
// are kept A-orthogonal to E, so that these modes cost no iterations (deflation: Saad, Yeung,
// Erhel, Guyomarc'h, SIAM J. Sci. Comput. 21, 2000, Algorithm 3.5).
#pragma once

#include <Eigen/SparseCholesky>
#include <memory>
#include <vector>

#include "solve/multigrid/loose_parts.hpp"

namespace trimatte {

class Islands {
public:
    // Returns null if there are no islands.
    static std::unique_ptr<Islands> find(const Stencil& stencil, const Context& context);

    std::int64_t count() const { return static_cast<std::int64_t>(start_.size()) - 1; }
    // Computes v += sign E (E^T A E)^-1 E^T u.
    template <class T>
    void correct(const double* u, double sign, T* v) const;
    std::size_t bytes() const;

private:
    using Matrix = Eigen::SparseMatrix<double>;

    Islands(const Stencil& stencil, const LooseParts& parts, const Context& context);
    Matrix coupling(const LooseParts& parts) const;

    const Stencil& stencil_;
    Context context_;
    std::vector<std::int64_t> start_;  // slot_[start_[c]] is the first slot of island c
    std::vector<std::int64_t> slot_;
    Eigen::VectorXd scale_;  // scales E^T A E to unit diagonal
    Eigen::SimplicialLDLT<Matrix> factor_;
};

}  // namespace trimatte
