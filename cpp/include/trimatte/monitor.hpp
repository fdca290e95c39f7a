// What a caller may watch while a call runs: its phases, their seconds, progress, and the wish to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace trimatte {

class Monitor {
public:
    virtual ~Monitor() = default;

    // Ends the phase before and starts this one. The thread that calls it is the one that reports.
    void phase(const char* name);
    // Ends the last phase.
    void finish();
    // The part of the phase that is done, in [0, 1]. Any thread may set it.
    void set_fraction(double fraction) { fraction_.store(fraction, std::memory_order_relaxed); }
    // Call often, from any thread: throws Cancelled once the caller wants to stop. Asks the caller about every
    // 50 ms, from the reporting thread only.
    void poll();

    // Seconds of the phases so far, in order; a phase that came twice has one entry.
    const std::vector<std::pair<std::string, double>>& seconds() const { return seconds_; }

protected:
    // Returns false to stop the call.
    virtual bool report(const std::string& /*phase*/, double /*fraction*/) { return true; }

private:
    using Clock = std::chrono::steady_clock;

    void end_phase();
    void report_or_throw();

    std::atomic<double> fraction_{0};
    std::atomic<bool> stopped_{false};
    std::thread::id reporter_;
    std::string phase_;
    Clock::time_point phase_start_;
    Clock::time_point last_report_;
    std::vector<std::pair<std::string, double>> seconds_;
};

}  // namespace trimatte
