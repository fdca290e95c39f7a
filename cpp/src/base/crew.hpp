// The helper threads of one calling thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace trimatte {

// A crew is a number of threads that help one leader. They are started once and sleep while there
// is nothing to do. The leader hands out one job after the other. All that take part call the same
// job, which divides the work among them (Chunks in parallel.cpp). At the end of a job the leader
// waits only for helpers that have begun on it, because on a busy machine a thread with nothing to
// do may need 10 ms to find that out.
class Crew {
public:
    using Job = std::function<void()>;

    // Starts threads until there are `helpers` of them, or fewer if the system allows no more.
    static void grow(const std::shared_ptr<Crew>& crew, int helpers);

    // The leader calls this: it and at most `helpers` helpers call the job at the same time. The
    // job must not throw. When run() returns, every thread that called the job has returned from
    // it. calm: no other process seems to use the cores, so the helpers may stay awake for up to a
    // millisecond and wait for the next job.
    void run(const Job& job, int helpers, bool calm = false);

    // The leader calls this: the helpers end, each as soon as it notices.
    void dismiss();

private:
    void help();
    void await_helpers();

    std::atomic<const Job*> job_{nullptr};  // null while no helper may begin
    std::atomic<std::int64_t> jobs_{0};     // number of jobs that the leader has handed out
    std::atomic<int> places_{0};            // helpers that may still begin on the job
    std::atomic<int> active_{0};            // helpers that may have begun on the job
    std::atomic<int> sleeping_{0};          // helpers that sleep
    std::atomic<bool> leader_sleeps_{false};
    std::atomic<bool> calm_{false};
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::condition_variable wake_;  // signals that a job has come, or the end of the crew
    std::condition_variable done_;  // signals that no helper is active
    int size_ = 0;                  // number of helpers; only the leader reads and writes it
};

}  // namespace trimatte
