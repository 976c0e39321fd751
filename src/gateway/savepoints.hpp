// The savepoints of a transaction block, as far as DuckDB's flat transactions allow them.
//
// A savepoint is a mark: how much had been written when it was set. Going back to it is right as long as nothing was
// written since, and that is all this class decides; transaction.cpp does the rest. Belongs to one session, one thread
// at a time. Bounded: kSavepointsMax, because drivers set one before each statement and never release it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/query_error.hpp"
#include "gateway/session_settings.hpp"

namespace boathouse::gateway {

inline constexpr std::size_t kSavepointsMax = 100'000;

// The state of a transaction that ROLLBACK TO returns to.
struct SavepointMark {
    std::uint64_t writes = 0;  // statements that may have written, so far
    std::uint64_t portals = 0;
    std::shared_ptr<const SettingValues> settings;
};

class Savepoints {
  public:
    bool empty() const { return stack_.empty(); }
    void clear() { stack_.clear(); }

    // Errors: 53400 too many.
    engine::Outcome<void> define(const std::string& name, SavepointMark mark);
    // The newest of that name and all newer ones go. Errors: 3B001 no such savepoint.
    engine::Outcome<void> release(const std::string& name);
    // The newest of that name. Errors: 3B001 no such savepoint.
    engine::Outcome<SavepointMark> find(const std::string& name) const;
    // All newer ones go, it stays. Errors: 3B001 no such savepoint.
    engine::Outcome<void> roll_back_to(const std::string& name);
    // Whether any of them can be returned to when `writes` statements may have written.
    bool reachable(std::uint64_t writes) const;

  private:
    struct Entry {
        std::string name;
        SavepointMark mark;
    };
    engine::Outcome<std::size_t> index_of(const std::string& name) const;

    std::vector<Entry> stack_;
};

}  // namespace boathouse::gateway
