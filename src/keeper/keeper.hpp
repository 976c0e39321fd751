// The keeper: a thread that looks now and then at what has changed in the lake, and takes the steps that the plan says,
// one after the other, each a commit of its own.
//
// One keeper works on a catalog, however many boxes there are: it holds an advisory lock of the lake's database on its
// connection, and another box's takes over when that connection ends. It steps back: it waits while statements run, it
// rests between its steps, nine times as long as it has worked, while others read or write the lake, and the catalog
// refuses its commits where they would harm somebody's (catalog/give_way.hpp). A step that fails is tried again later
// and later, told once, and left until its table has changed or a day has passed; others go on.
//
// start() and stop() are called by the engine's main thread; look() by the keeper's thread, or by a test in its place.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "keeper/plan.hpp"

namespace boathouse::keeper {

// Who takes the steps: DuckDB, with bounds of its own. Used by the keeper's thread, but for interrupt().
class Worker {
  public:
    virtual ~Worker() = default;
    // How many files, rows or snapshots it was about; 0: there was nothing to do. Errors: conflict (it gave way).
    virtual Result<long long> take(const Step& step) = 0;
    // There is nothing to do for a while: memory may go.
    virtual void rest() = 0;
    // Makes the step that runs, and those to come, fail. Any thread.
    virtual void interrupt() = 0;
};

class Keeper {
  public:
    // `worker` and `clock` must outlive the keeper.
    Keeper(config::Settings settings, Worker& worker, const Clock& clock);
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    void start();
    void stop();

    // One look: connects, takes the lock, and works off what is due; `wished`: at any hour, and also what had failed.
    // What has given way is left for the next. How many steps were taken. Errors: unavailable; conflict (another box is
    // the keeper).
    Result<long long> look(bool wished);

  private:
    struct Memory {  // of a job on a table
        int failures = 0;
        double again_unix = 0;                // not before
        bool gave_way = false;                // in this look: the next one tries it again
        std::optional<long long> vain_since;  // nothing came of it while the table was as of then
    };

    void run();
    Status connect();
    Status hold_lock();
    Status turn();
    Result<bool> is_due();
    Result<std::vector<Step>> plan();
    Result<long long> work_off(bool wished);
    bool may_go_on(bool wished);
    bool others_are_at_work();
    Result<bool> rest(std::chrono::steady_clock::duration worked, bool wished, const Activity& activity);
    bool is_runnable(const Step& step) const;
    Status take(const Step& step);
    Status take_now(const Step& step);
    void remember(const Step& step, const Result<long long>& outcome);
    void remember_failure(const Step& step, Memory& memory, const Error& error);
    void wait_for_statements(bool wished);
    bool wait(std::chrono::milliseconds duration);  // true: it is to stop
    double now_unix() const;

    const config::Settings settings_;
    Worker& worker_;
    const Clock& clock_;
    std::optional<catalog::Connection> lake_;  // holds the lock
    std::optional<catalog::Connection> box_;
    std::map<std::pair<Job, long long>, Memory> memory_;
    std::optional<long long> seen_snapshot_;
    double looked_unix_ = 0;
    double planned_unix_ = 0;
    std::string told_;  // the failure of look() that was told last

    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable stopping_;
    bool stop_asked_ = false;  // under mutex_
};

}  // namespace boathouse::keeper
