#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> held{0}, peak{0};
constexpr std::size_t header = alignof(std::max_align_t);  // the header of a block holds its size

void* take(std::size_t size) noexcept {
    auto* memory = static_cast<char*>(std::malloc(size + header));
    if (memory == nullptr) {
        return nullptr;
    }
    *reinterpret_cast<std::size_t*>(memory) = size;
    const std::size_t now = held += size;
    for (std::size_t before = peak; before < now && !peak.compare_exchange_weak(before, now);) {
    }
    return memory + header;
}

void give(void* memory) noexcept {
    if (memory != nullptr) {
        char* const begin = static_cast<char*>(memory) - header;
        held -= *reinterpret_cast<std::size_t*>(begin);
        std::free(begin);
    }
}

}  // namespace

void* operator new(std::size_t size) {
    if (void* memory = take(size)) {
        return memory;
    }
    throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* memory) noexcept { give(memory); }
void operator delete[](void* memory) noexcept { give(memory); }
void operator delete(void* memory, std::size_t) noexcept { give(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give(memory); }

namespace trimatte::test {

std::size_t bytes_held() { return held; }
std::size_t peak_bytes_held() { return peak; }
void reset_peak() { peak = held.load(); }

}  // namespace trimatte::test
