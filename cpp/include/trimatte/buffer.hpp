// An array that is not cleared when it is made, so that the thread that fills a large array touches
// its memory first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace trimatte {

// Returns memory that is aligned to 64 bytes. From 512 KiB on, Linux is asked for huge pages, which
// reduces the cost of page faults to a fifth.
void* allocate(std::size_t bytes);
void deallocate(void* memory) noexcept;

template <typename T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(std::int64_t size)
        : size_(size), data_(static_cast<T*>(allocate(static_cast<std::size_t>(size) * sizeof(T)))) {}

    // Returns a buffer of numbers that another object owns, which must outlive it and is not changed
    // through a constant buffer.
    static Buffer borrowed(const T* data, std::int64_t size) {
        Buffer buffer;
        buffer.size_ = size;
        buffer.data_ = {const_cast<T*>(data), Free{false}};
        return buffer;
    }

    Buffer(Buffer&& other) noexcept : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        size_ = std::exchange(other.size_, 0);
        data_ = std::move(other.data_);
        return *this;
    }

    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    std::int64_t size() const { return size_; }
    std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
    T& operator[](std::int64_t i) { return data_[static_cast<std::size_t>(i)]; }
    const T& operator[](std::int64_t i) const { return data_[static_cast<std::size_t>(i)]; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }

private:
    struct Free {
        bool owns = true;
        void operator()(T* memory) const noexcept {
            if (owns) {
                deallocate(memory);
            }
        }
    };
    std::int64_t size_ = 0;
    std::unique_ptr<T[], Free> data_;
};

}  // namespace trimatte
