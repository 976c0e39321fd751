// GET /healthz and GET /readyz.
//
// /healthz says that this process answers, and nothing of what it depends on: an orchestrator that restarts the box on
// it must not do so because a store is down. /readyz is 200 only when a query on the lake has succeeded within the last
// second or has just been made to; otherwise 503 with the reasons. Any number of callers share one query.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "http/router.hpp"
#include "http/shared_answer.hpp"

namespace boathouse::http {

class Health {
  public:
    struct Options {
        std::string version;         // of Boathouse
        std::string duckdb_version;  //
        std::chrono::milliseconds age_max{1'000};
        std::chrono::milliseconds patience{5'000};
    };

    // `newest_snapshot` asks the lake, blocking; called on one thread of this object's own.
    Health(Options options, std::function<Result<long long>()> newest_snapshot, const Clock& clock);

    void add_routes(Router& router);

    // From now on /readyz says that the box is stopping, so that a load balancer looks elsewhere.
    void set_stopping() { stopping_ = true; }

  private:
    Response healthz() const;
    Response readyz();

    Options options_;
    const Clock& clock_;
    std::chrono::steady_clock::time_point started_at_;
    std::atomic<bool> stopping_{false};
    SharedAnswer<Result<long long>> snapshot_;
};

}  // namespace boathouse::http
