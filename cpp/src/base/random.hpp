// Random numbers that are the same for any number of threads and, but for the last bit of `normal`,
// on every platform. A stream is named by numbers and does not depend on the order of calls. This
// header is private to the core.
#pragma once

#include <cmath>
#include <cstdint>

namespace trimatte {

// The generator SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
class Random {
public:
    // Makes the stream with the number (a, b) of a seed.
    explicit Random(std::uint64_t seed, std::uint64_t a = 0, std::uint64_t b = 0)
        : state_(mix(mix(mix(seed) + a) + b)) {}

    std::uint64_t next() { return mix(state_ += step); }
    // Returns a number in [0, 1).
    float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }
    // Returns an integer in [0, n).
    std::int64_t below(std::int64_t n) {
        return static_cast<std::int64_t>((next() >> 32) * static_cast<std::uint64_t>(n) >> 32);
    }
    // Returns a normal number of mean 0 and variance 1, by the method of Box and Muller.
    double normal() {
        const double u = (static_cast<double>(next() >> 11) + 1) * 0x1p-53;
        const double angle = 2 * 3.14159265358979323846 * static_cast<double>(next() >> 11) * 0x1p-53;
        return std::sqrt(-2 * std::log(u)) * std::cos(angle);
    }

private:
    static constexpr std::uint64_t step = 0x9E3779B97F4A7C15u;
    static std::uint64_t mix(std::uint64_t z) {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    std::uint64_t state_;
};

}  // namespace trimatte
