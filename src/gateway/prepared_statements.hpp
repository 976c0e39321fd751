// A session's prepared statements: those of Parse and those of PREPARE, in one namespace as in PostgreSQL.
//
// Belongs to one session, one thread at a time. Bounded: kPreparedStatementsMax. The unnamed statement is "". Each is
// shared with the portals bound to it, because Close may drop the statement first. A plan must not outlive the engine's
// session.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/session.hpp"
#include "gateway/statement.hpp"
#include "pgwire/backend.hpp"
#include "relay/relay.hpp"

namespace boathouse::gateway {

inline constexpr std::size_t kPreparedStatementsMax = 10'000;

// A statement as Parse or PREPARE left it.
struct PreparedStatement {
    Statement statement;
    std::string text;                       // of an EngineStatement
    std::vector<std::uint32_t> said_types;  // of its parameters, by the client
    // Of an EngineStatement, and of what DECLARE … FOR holds. Null where only its description was needed so far; or
    std::shared_ptr<engine::Prepared> plan;
    std::shared_ptr<relay::RelayedStatement> relayed;  // where PostgreSQL answers it
    std::vector<std::uint32_t> parameter_types;
    std::vector<pgwire::ColumnDescription> columns;
    bool empty = false;  // no statement in the text
};

class PreparedStatements {
  public:
    // Replaces the unnamed one. Errors: 42P05 a named one exists already, 53400 too many.
    engine::Outcome<void> check_new(const std::string& name) const;
    void add(const std::string& name, std::shared_ptr<PreparedStatement> statement);
    // Errors: 26000 no such statement.
    engine::Outcome<std::shared_ptr<PreparedStatement>> find(const std::string& name) const;
    // False: there was none.
    bool erase(const std::string& name) { return by_name_.erase(name) > 0; }
    void clear() { by_name_.clear(); }

  private:
    std::map<std::string, std::shared_ptr<PreparedStatement>> by_name_;
};

}  // namespace boathouse::gateway
