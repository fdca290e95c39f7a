// Counts the bytes that the program holds by operator new, for tests of memory.
#pragma once

#include <cstddef>

namespace trimatte::test {

// The bytes held now, and the most bytes that were held since reset_peak().
std::size_t bytes_held();
std::size_t peak_bytes_held();
void reset_peak();

}  // namespace trimatte::test
