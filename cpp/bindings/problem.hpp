// Converts the parts of a matting problem that Python passes to what the core takes.
#pragma once

#include <optional>
#include <utility>

#include "arrays.hpp"
#include "trimatte/assemble.hpp"
#include "trimatte/solve.hpp"

namespace trimatte::bindings {

// A prior from Python: (alpha, confidence), or None.
using OptionalPrior = std::optional<std::pair<Array<float>, Array<float>>>;

// Returns what is known about the pixels. known_weight: 0 for the hard system. The arrays must
// outlive the result.
inline Known known_of(const ImageView& image, const Array<std::uint8_t>& labels, const OptionalPrior& prior,
                      double known_weight) {
    Known known{reinterpret_cast<const Label*>(plane(labels, image, "labels")), known_weight};
    if (prior) {
        known.prior = {plane(prior->first, image, "prior"), plane(prior->second, image, "confidence")};
    }
    return known;
}

// What every solve tells.
inline py::dict record_of(const SolveInfo& info) {
    py::dict result;
    result["converged"] = info.converged;
    result["iterations"] = info.iterations;
    result["relative_residual"] = info.relative_residual;
    result["error_estimate"] = info.error_estimate;
    result["peak_bytes"] = info.peak_bytes;
    result["operator_complexity"] = info.operator_complexity;
    return result;
}

}  // namespace trimatte::bindings
