// Arrays of zeros.
#pragma once

#include <algorithm>

#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// Returns `size` zeros. The thread that is likely to work on a range touches its memory first.
template <class T>
Buffer<T> zeros(std::int64_t size, const Context& context) {
    Buffer<T> buffer(size);
    parallel_ranges(size, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        std::fill(buffer.data() + begin, buffer.data() + end, T{0});
    });
    return buffer;
}

}  // namespace trimatte
