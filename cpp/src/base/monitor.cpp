#include "trimatte/monitor.hpp"

#include <algorithm>

#include "trimatte/errors.hpp"

namespace trimatte {
namespace {

constexpr std::chrono::milliseconds report_interval{50};

}  // namespace

void Monitor::phase(const char* name) {
    end_phase();
    phase_ = name;
    stopped_ = false;  // a caller that was stopped in an earlier call may go on
    reporter_ = std::this_thread::get_id();
    fraction_ = 0;
    phase_start_ = Clock::now();
    report_or_throw();
}

void Monitor::finish() {
    if (phase_.empty()) {
        return;
    }
    fraction_ = 1;
    report_or_throw();
    end_phase();
    phase_.clear();
}

void Monitor::poll() {
    if (stopped_.load(std::memory_order_relaxed)) {
        throw Cancelled();
    }
    if (std::this_thread::get_id() == reporter_ && Clock::now() - last_report_ >= report_interval) {
        report_or_throw();
    }
}

void Monitor::end_phase() {
    if (phase_.empty()) {
        return;
    }
    const double spent = std::chrono::duration<double>(Clock::now() - phase_start_).count();
    const auto entry =
        std::find_if(seconds_.begin(), seconds_.end(), [this](const auto& item) { return item.first == phase_; });
    if (entry == seconds_.end()) {
        seconds_.emplace_back(phase_, spent);
    } else {
        entry->second += spent;
    }
}

void Monitor::report_or_throw() {
    last_report_ = Clock::now();
    if (!report(phase_, fraction_)) {
        stopped_ = true;
        throw Cancelled();
    }
}

}  // namespace trimatte
