#include "trimatte/affinity.hpp"

namespace trimatte {

std::unique_ptr<StencilRows> Affinity::stencil_rows(const Wanted&, Monitor&) const { return nullptr; }

}  // namespace trimatte
