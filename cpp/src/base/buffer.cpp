#include "trimatte/buffer.hpp"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace trimatte {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;
// Smaller arrays would waste more memory than they save time.
constexpr std::size_t huge_from = huge_page / 4;

}  // namespace

void* allocate(std::size_t bytes) {
    const bool huge = bytes >= huge_from;
    const std::size_t alignment = huge ? huge_page : cache_line;
    const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
    // The address that operator new returned is kept before the block, so that every block is
    // released in the same way.
    void* raw = ::operator new(size + alignment + sizeof(void*));
    const auto address = reinterpret_cast<std::uintptr_t>(raw) + sizeof(void*);
    auto* memory = reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
    static_cast<void**>(memory)[-1] = raw;
#if defined(__linux__)
    if (huge) {
        madvise(memory, size, MADV_HUGEPAGE);
    }
#endif
    return memory;
}

void deallocate(void* memory) noexcept {
    if (memory != nullptr) {
        ::operator delete(static_cast<void**>(memory)[-1]);
    }
}

}  // namespace trimatte
