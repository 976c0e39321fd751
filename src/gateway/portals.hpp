// A session's portals: those of Bind and the cursors of DECLARE, in one namespace as in PostgreSQL.
//
// Belongs to one session, one thread at a time. Bounded: kPortalsMax. A portal ends with its transaction; a cursor WITH
// HOLD takes its rows into memory that spills when its transaction commits, and stays. Streams must not outlive the
// engine's session.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/session.hpp"
#include "gateway/prepared_statements.hpp"

namespace boathouse::gateway {

inline constexpr std::size_t kPortalsMax = 1'000;

// A query's rows, where they stand: shared by the portal that holds them and the answer that sends them.
struct Rows {
    std::unique_ptr<engine::ResultStream> stream;
    std::uint64_t taken = 0;
};

// The answer to one statement on its way to the client: some or all of a query's rows, then CommandComplete.
struct Answer {
    std::shared_ptr<Rows> rows;
    std::vector<std::int16_t> formats;
    std::uint64_t left = UINT64_MAX;  // rows that may still be sent
    std::uint64_t sent = 0;
    std::string tag{};     // "FETCH": counts this answer's rows; empty: the statement's own
    bool is_copy = false;  // CopyData, then CopyDone

    // Whether another Execute may ask for more: rows may come in parts, anything else is done once.
    bool may_go_on() const { return !is_copy && !rows->stream->columns().empty(); }
};

struct Portal {
    std::shared_ptr<PreparedStatement> statement;  // null: a cursor of DECLARE
    std::vector<std::int16_t> parameter_formats;
    std::vector<std::optional<std::string>> parameters;
    std::vector<std::int16_t> result_formats;
    bool started = false;          // an Execute message has come
    std::optional<Answer> answer;  // of a statement that answers with rows, or is the engine's
    std::shared_ptr<Rows> rows;    // a cursor's
    bool hold = false;             // WITH HOLD
    bool held = false;             // its transaction has committed: it lives by itself
    std::uint64_t number = 0;      // in the order of creation
};

class Portals {
  public:
    // Errors: 42P03 a named one exists already, 53400 too many.
    engine::Outcome<void> check_new(const std::string& name) const;
    Portal& add(const std::string& name, Portal portal);
    // nullptr: there is none.
    Portal* find(const std::string& name);
    // False: there was none.
    bool erase(const std::string& name) { return by_name_.erase(name) > 0; }
    void clear() { by_name_.clear(); }

    // Before a commit: takes the rows of cursors WITH HOLD into memory, and drops the rest.
    engine::Outcome<void> settle_held();
    // At the end of a transaction: all but what is held goes.
    void end_transaction(bool committed);
    // ROLLBACK TO: what was created since goes.
    std::uint64_t last_number() const { return next_number_; }
    void erase_since(std::uint64_t number);

  private:
    std::map<std::string, Portal> by_name_;
    std::uint64_t next_number_ = 0;
};

}  // namespace boathouse::gateway
