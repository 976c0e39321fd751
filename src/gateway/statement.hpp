// One statement of a client, as the session sees it: what the session answers itself, by PostgreSQL's parse tree, and
// what goes to DuckDB as it is.
//
// split_script() cuts a Query message into statements by PostgreSQL's lexical rules; classify() reads one. Only texts
// that begin with a word of the session's own statements are parsed by libpg_query; what it does not parse goes to
// DuckDB, which says what is wrong with it. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/session.hpp"
#include "pgwire/copy_format.hpp"

namespace boathouse::gateway {

struct ScriptPart {
    std::string_view text;
    std::size_t offset = 0;  // of the text in the message, in bytes
};

// Without parts that hold nothing but space and comments.
std::vector<ScriptPart> split_script(std::string_view script);

struct EngineStatement {};  // DuckDB's

struct BeginStatement {
    bool read_only = false;
};
struct CommitStatement {
    bool chain = false;
};
struct RollbackStatement {
    bool chain = false;
};
enum class SavepointAction { define, release, rollback_to };
struct SavepointStatement {
    SavepointAction action = SavepointAction::define;
    std::string name;
};
struct SetStatement {
    std::string name;                 // as PostgreSQL's parser has it: "timezone" for SET TIME ZONE
    std::vector<std::string> values;  // empty: DEFAULT
    bool local = false;
};
// SET TRANSACTION, SET SESSION CHARACTERISTICS: (name, value) pairs such as transaction_isolation.
struct SetTransactionStatement {
    std::vector<std::pair<std::string, std::string>> options;
};
struct ShowStatement {
    std::string name;  // "all"
};
struct ResetStatement {
    std::string name;  // empty: ALL
};
enum class DiscardTarget { all, plans, sequences, temporary };
struct DiscardStatement {
    DiscardTarget target = DiscardTarget::all;
};
struct DeallocateStatement {
    std::string name;  // empty: ALL
};
// COPY between the lake and the client's own stream.
struct CopyStatement {
    bool from = false;
    engine::CopyTarget target;  // FROM
    std::string query;          // TO: what is copied
    engine::CopyOptions options;
};
// The session's own, but not to be had: why.
struct RefusedStatement {
    std::string sqlstate;
    std::string message;
};
// Taken and answered without effect: LISTEN, UNLISTEN, NOTIFY, LOCK.
struct IgnoredStatement {
    std::string tag;
    std::string notice;  // empty: silently
};

using Statement = std::variant<EngineStatement, BeginStatement, CommitStatement, RollbackStatement, SavepointStatement,
                               SetStatement, SetTransactionStatement, ShowStatement, ResetStatement, DiscardStatement,
                               DeallocateStatement, CopyStatement, RefusedStatement, IgnoredStatement>;

Statement classify(std::string_view text);

// copy_statement.cpp. `text` begins with COPY.
Statement classify_copy(std::string_view text);

}  // namespace boathouse::gateway
