// The exceptions that the core throws besides std::invalid_argument and std::bad_alloc.
#pragma once

#include <stdexcept>

namespace trimatte {

// The caller's monitor asked to stop.
struct Cancelled : std::exception {
    const char* what() const noexcept override { return "cancelled"; }
};

// Sparse Cholesky met a pivot that is not positive, or a factor too large for its index type.
struct FactorizationError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace trimatte
