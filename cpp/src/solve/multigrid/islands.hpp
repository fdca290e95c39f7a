// Islands: parts of the unknown region that hardly touch the others or what is known. Private to this folder.
//
// Where flat colours meet at a hard edge (drawings, palettes, text), the windows across it hold two colours, so that
// any alpha that is constant on either side is an affine function of colour: only epsilon couples the sides. The modes
// of such parts have eigenvalues of 1e-6 to 1e-10, of which the levels' float32 knows nothing, and conjugate gradients
// meet them last, when all else seems to have ended. But they are known: alpha one on an island, zero elsewhere. All
// directions are kept A-orthogonal to these, the columns of E, which then cost no iterations (deflation: Saad, Yeung,
// Erhel, Guyomarc'h, SIAM J. Sci. Comput. 21, 2000, Algorithm 3.5).
#pragma once

#include <Eigen/SparseCholesky>
#include <memory>
#include <vector>

#include "solve/multigrid/loose_parts.hpp"

namespace trimatte {

class Islands {
public:
    // Null if there are none.
    static std::unique_ptr<Islands> find(const Stencil& stencil, const Context& context);

    std::int64_t count() const { return static_cast<std::int64_t>(start_.size()) - 1; }
    // v += sign E (E^T A E)^-1 E^T u
    template <class T>
    void correct(const double* u, double sign, T* v) const;
    std::size_t bytes() const;

private:
    using Matrix = Eigen::SparseMatrix<double>;

    Islands(const Stencil& stencil, const LooseParts& parts, const Context& context);
    Matrix coupling(const LooseParts& parts) const;

    const Stencil& stencil_;
    Context context_;
    std::vector<std::int64_t> start_;  // of each island in slot_
    std::vector<std::int64_t> slot_;
    Eigen::VectorXd scale_;  // of E^T A E, to unit diagonal
    Eigen::SimplicialLDLT<Matrix> factor_;
};

}  // namespace trimatte
