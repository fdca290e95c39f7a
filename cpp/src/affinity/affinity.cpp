#include "trimatte/affinity.hpp"

namespace trimatte {

std::unique_ptr<Affinity> Affinity::prepared(const Wanted&, const Context&) const { return nullptr; }

std::unique_ptr<StencilRows> Affinity::stencil_rows(const Wanted&, Monitor&) const { return nullptr; }
std::unique_ptr<Operator> Affinity::make_operator(const Wanted&, const Context&) const { return nullptr; }

}  // namespace trimatte
