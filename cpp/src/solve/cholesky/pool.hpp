// A pool holds objects that one thread after the other uses. It makes as many as threads ask for at
// the same time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace trimatte {

template <class T>
class Pool {
public:
    explicit Pool(std::function<std::unique_ptr<T>()> make) : make_(std::move(make)) {}

    std::unique_ptr<T> take() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!free_.empty()) {
                std::unique_ptr<T> object = std::move(free_.back());
                free_.pop_back();
                return object;
            }
        }
        return make_();
    }

    void give(std::unique_ptr<T> object) {
        const std::lock_guard<std::mutex> lock(mutex_);
        free_.push_back(std::move(object));
    }

private:
    const std::function<std::unique_ptr<T>()> make_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<T>> free_;
};

}  // namespace trimatte
