// Counts what the program holds by operator new, for tests of how much memory something takes.
#pragma once

#include <cstddef>

namespace trimatte::test {

// Bytes held now, and the most that were held since reset_peak().
std::size_t bytes_held();
std::size_t peak_bytes_held();
void reset_peak();

}  // namespace trimatte::test
