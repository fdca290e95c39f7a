#include "trimatte/buffer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <utility>

using trimatte::Buffer;

TEST_CASE("memory is aligned to a cache line, small and large") {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{5} << 20}) {
        void* memory = trimatte::allocate(bytes);
        CHECK(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0);
        std::fill_n(static_cast<char*>(memory), bytes, '\1');
        trimatte::deallocate(memory);
    }
    trimatte::deallocate(nullptr);
}

TEST_CASE("a buffer holds what was put into it") {
    Buffer<int> buffer(1000);
    std::iota(buffer.begin(), buffer.end(), 0);
    CHECK(buffer.size() == 1000);
    CHECK(buffer.bytes() == 1000 * sizeof(int));
    CHECK(buffer[999] == 999);
    CHECK(std::accumulate(std::as_const(buffer).begin(), std::as_const(buffer).end(), 0) == 499500);
}

TEST_CASE("moving hands the memory over") {
    Buffer<double> from(10);
    from[3] = 4;
    const double* data = from.data();
    const Buffer<double> to = std::move(from);
    CHECK(to.data() == data);
    CHECK(to[3] == 4);
}

TEST_CASE("a buffer that was never sized is empty") {
    const Buffer<float> none;
    CHECK(none.size() == 0);
    CHECK(none.bytes() == 0);
    CHECK(none.begin() == none.end());
}
