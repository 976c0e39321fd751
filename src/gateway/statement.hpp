// One statement of a client, as the session sees it: what the session answers itself, and what goes to DuckDB as it is.
//
// classify() reads one statement. Only texts that begin with a word of the session's own statements are parsed by
// libpg_query; what it does not parse goes to DuckDB, which says what is wrong with it. A statement that holds another
// (PREPARE … AS, DECLARE … FOR, COPY (…)) keeps its text, which may be in DuckDB's grammar. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/session.hpp"
#include "pgwire/copy_format.hpp"

namespace boathouse::gateway {

struct EngineStatement {};  // DuckDB's

// (name, value) pairs such as transaction_isolation, as BEGIN and SET TRANSACTION have them.
using TransactionOptions = std::vector<std::pair<std::string, std::string>>;

struct BeginStatement {
    TransactionOptions options;
    std::string tag = "BEGIN";  // or "START TRANSACTION"
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
// SET TRANSACTION, SET SESSION CHARACTERISTICS.
struct SetTransactionStatement {
    TransactionOptions options;
    bool for_session = false;
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
// A statement inside another one: its text and where it lies in the outer text, in bytes.
struct InnerText {
    std::string text;
    std::size_t offset = 0;
};
struct PrepareStatement {
    std::string name;
    std::vector<std::string> types;  // of the parameters, as they are written
    InnerText query;
};
struct ExecuteStatement {
    std::string name;
    InnerText arguments;  // expressions between the parentheses; empty: none
};
struct DeallocateStatement {
    std::string name;  // empty: ALL
};
struct DeclareStatement {
    std::string name;
    bool binary = false;
    bool scroll = false;
    bool hold = false;
    InnerText query;
};
enum class FetchDirection { forward, backward, absolute, relative };
// FETCH and MOVE.
struct FetchStatement {
    std::string name;
    FetchDirection direction = FetchDirection::forward;
    std::int64_t count = 1;  // kFetchAll: ALL
    bool move = false;
};
inline constexpr std::int64_t kFetchAll = INT64_MAX;
struct CloseStatement {
    std::string name;  // empty: ALL
};
// COPY between the lake and the client's own stream.
struct CopyStatement {
    bool from = false;
    engine::CopyTarget target;  // FROM
    InnerText query;            // TO: what is copied; its offset counts if the client wrote it
    bool is_table = false;      // TO: the query is ours, of the table that the client named
    engine::CopyOptions options;
};
struct ListenStatement {
    std::string channel;
};
struct UnlistenStatement {};  // of whichever channel: there is one
// The session's own, but not to be had: why.
struct RefusedStatement {
    std::string sqlstate;
    std::string message;
    std::string hint = {};
};
// Taken and answered without effect: LOCK.
struct IgnoredStatement {
    std::string tag;
    std::string notice;  // empty: silently
};

using Statement =
    std::variant<EngineStatement, BeginStatement, CommitStatement, RollbackStatement, SavepointStatement, SetStatement,
                 SetTransactionStatement, ShowStatement, ResetStatement, DiscardStatement, PrepareStatement,
                 ExecuteStatement, DeallocateStatement, DeclareStatement, FetchStatement, CloseStatement, CopyStatement,
                 ListenStatement, UnlistenStatement, RefusedStatement, IgnoredStatement>;

Statement classify(std::string_view text);

// copy_statement.cpp. `text` begins with COPY.
Statement classify_copy(std::string_view text);

}  // namespace boathouse::gateway
