#include "trimatte/buffer.hpp"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace trimatte {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

void* allocate(std::size_t bytes) {
    const bool huge = bytes >= 2 * huge_page;
    const std::size_t alignment = huge ? huge_page : cache_line;
    // Always the same alignment class on release: operator delete takes it back, so it is part of the block.
    void* raw = ::operator new(bytes + alignment + sizeof(void*));
    const auto address = reinterpret_cast<std::uintptr_t>(raw) + sizeof(void*);
    auto* memory = reinterpret_cast<void*>((address + alignment - 1) / alignment * alignment);
    static_cast<void**>(memory)[-1] = raw;
#if defined(__linux__)
    if (huge) {
        madvise(memory, bytes / huge_page * huge_page, MADV_HUGEPAGE);
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
