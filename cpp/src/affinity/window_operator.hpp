// The operator of closed-form matting for windows of any radius, given by its products. This header
// is private to this folder.
#pragma once

#include <memory>

#include "trimatte/affinity.hpp"
#include "trimatte/operator.hpp"

namespace trimatte {

// epsilon and radius are those of ClosedForm.
std::unique_ptr<Operator> make_window_operator(const Wanted& wanted, double epsilon, int radius,
                                               const Context& context);

}  // namespace trimatte
