// Compiled once for each level, with TRIMATTE_LEVEL = baseline, v3 or v4.
#include "kernels.hpp"

#include <math.h>

namespace trimatte::simd::TRIMATTE_LEVEL {
namespace {

#include "kernels_closed_form.inl"
#include "kernels_multilevel.inl"

}  // namespace

extern const Kernels kernels;
const Kernels kernels{whiten, add_entries, weigh, normalise, update, make_exact};

}  // namespace trimatte::simd::TRIMATTE_LEVEL
