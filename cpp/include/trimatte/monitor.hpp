// A monitor lets a caller watch a call while it runs (phases, their seconds, progress), and stop
// it.
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

    // Ends the phase before and starts this one. The calling thread becomes the one that reports.
    void phase(const char* name);
    // Ends the last phase.
    void finish();
    // Sets the part of the phase that is done, in [0, 1]. Any thread may call it.
    void set_fraction(double fraction) { fraction_.store(fraction, std::memory_order_relaxed); }
    // Throws Cancelled once the caller wants to stop. Any thread should call it often. The
    // reporting thread asks the caller about every 50 ms; all others look at a flag.
    void poll();

    // The seconds of the phases so far, in order. A phase that came twice has one entry.
    const std::vector<std::pair<std::string, double>>& seconds() const { return seconds_; }

protected:
    // An override returns false to stop the call.
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
