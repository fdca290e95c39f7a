// A loop over unknowns, with the same bits for any number of threads.
#pragma once

#include <cstdint>

#include "trimatte/parallel.hpp"

namespace trimatte {

// Calls body(0) ... body(size - 1), in parallel. With one thread the calls come in this order.
template <class Body>
void each(std::int64_t size, const Context& context, const Body& body) {
    parallel_ranges(size, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            body(i);
        }
    });
}

}  // namespace trimatte
