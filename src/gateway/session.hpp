// One client's session: the protocol's state machine behind a connection, from the start-up packet to Terminate.
//
// Its connection owns it and calls it from one executor thread at a time: handle() with each message in turn, and
// while busy(), resume() instead, until the answer is complete. Both block as long as DuckDB or the catalog needs and
// append to `out`; a result stops at kOutputBytes so that the connection can wait for a slow client without a thread.
// cancel() alone may be called from any thread. One handler a message: log_in.cpp, simple_query.cpp,
// extended_query.cpp, session_statements.cpp, transaction.cpp. What fails is told to the client as ErrorResponse;
// closed() says that the conversation is over.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/lake.hpp"
#include "engine/session.hpp"
#include "gateway/cancel_registry.hpp"
#include "gateway/roles.hpp"
#include "gateway/session_settings.hpp"
#include "gateway/statement.hpp"
#include "pgwire/backend.hpp"
#include "pgwire/buffer.hpp"
#include "pgwire/frontend.hpp"
#include "pgwire/scram.hpp"

namespace boathouse::gateway {

// A result is encoded up to this many bytes before the client has to take some.
inline constexpr std::size_t kOutputBytes = std::size_t{512} * 1024;
inline constexpr std::size_t kPreparedStatementsMax = 10'000;
inline constexpr std::size_t kPortalsMax = 1'000;

// What all sessions share; outlives them.
struct SessionServices {
    engine::Lake& lake;
    Roles& roles;
    CancelRegistry& cancels;
    std::vector<std::string> database_names;  // that a client may name
    std::string invented_salt_secret;
};

// Who is at the other end.
struct Peer {
    std::string address;
    bool encrypted = false;
    std::string certificate_hash;  // of ours, for channel binding; empty without TLS
    std::function<void()> cancel;  // interrupts this very session
};

class Session {
  public:
    Session(SessionServices& services, Peer peer);
    ~Session();

    // `sync_follows`: the next message is here already and is Sync, so that a statement may commit by itself.
    void handle(const pgwire::Frame& frame, bool sync_follows, pgwire::Buffer& out);
    bool busy() const { return (script_.has_value() && !copy_in_) || executing_.has_value(); }
    void resume(pgwire::Buffer& out);

    bool closed() const { return closed_; }
    bool logged_in() const { return phase_ == Phase::ready; }
    // How long the connection holds the last answer back: failed log-ins are slow.
    std::chrono::milliseconds last_answer_delay() const { return last_answer_delay_; }

    // The running statement fails with 57014. Any thread.
    void cancel();

  private:
    enum class Phase { start, scram_first, scram_final, ready };
    // As ReadyForQuery tells it, and `implicit` for statements that only share a message or a pipeline.
    enum class Transaction { none, implicit, block, failed };

    // A statement as Parse left it.
    struct PreparedStatement {
        Statement statement;
        std::unique_ptr<engine::Prepared> plan;  // of an EngineStatement
        std::vector<std::uint32_t> parameter_types;
        std::vector<pgwire::ColumnDescription> columns;
        bool empty = false;  // no statement in the text
    };
    struct Portal {
        std::shared_ptr<PreparedStatement> statement;  // shared: Close may drop the statement before its portal
        std::vector<std::int16_t> parameter_formats;
        std::vector<std::optional<std::string>> parameters;
        std::vector<std::int16_t> result_formats;
        std::unique_ptr<engine::ResultStream> stream;  // once executed
        bool done = false;
    };
    // A Query message on its way.
    struct Script {
        struct Part {
            Statement statement;
            std::optional<engine::Parsed> parsed;
            std::size_t offset = 0;
        };
        std::string text;
        std::vector<Part> parts;
        std::size_t next = 0;
        std::unique_ptr<engine::ResultStream> stream;
    };

    // log_in.cpp
    void start(const pgwire::Frame& frame, pgwire::Buffer& out);
    bool accept_startup(const pgwire::Startup& startup, pgwire::Buffer& out);
    void scram_first(const pgwire::Frame& frame, pgwire::Buffer& out);
    void scram_final(const pgwire::Frame& frame, pgwire::Buffer& out);
    void welcome(pgwire::Buffer& out);
    void refuse(pgwire::Buffer& out, const std::string& sqlstate, const std::string& message, const std::string& hint,
                const std::string& reason_for_log);

    // simple_query.cpp
    void query(const pgwire::Frame& frame, pgwire::Buffer& out);
    bool prepare_script(Script& script, pgwire::Buffer& out);
    void resume_script(pgwire::Buffer& out);
    engine::Outcome<bool> run_part(Script& script, Script::Part& part, pgwire::Buffer& out);
    void end_script(pgwire::Buffer& out);

    // copy.cpp
    engine::Outcome<std::unique_ptr<engine::ResultStream>> start_copy(const CopyStatement& statement,
                                                                      pgwire::Buffer& out);
    static void put_copy_header(const pgwire::CopyFormat& format, const std::vector<pgwire::ColumnDescription>& columns,
                                pgwire::Buffer& out);
    void copy_message(const pgwire::Frame& frame, pgwire::Buffer& out);
    void end_copy(pgwire::Buffer& out);
    void fail_copy(const engine::QueryError& error, pgwire::Buffer& out);

    // extended_query.cpp
    void parse(const pgwire::Frame& frame, pgwire::Buffer& out);
    void bind(const pgwire::Frame& frame, pgwire::Buffer& out);
    void describe(const pgwire::Frame& frame, pgwire::Buffer& out);
    void execute(const pgwire::Frame& frame, bool sync_follows, pgwire::Buffer& out);
    void resume_execute(pgwire::Buffer& out);
    void close(const pgwire::Frame& frame, pgwire::Buffer& out);
    void sync(pgwire::Buffer& out);
    engine::Outcome<std::unique_ptr<PreparedStatement>> prepare_statement(const pgwire::Parse& parse);
    engine::Outcome<void> start_portal(Portal& portal, bool sync_follows);
    engine::Outcome<void> start_copy_portal(Portal& portal, const CopyStatement& copy, bool sync_follows,
                                            pgwire::Buffer& out);
    void fail_extended(const engine::QueryError& error, pgwire::Buffer& out);

    // session_statements.cpp: everything but EngineStatement.
    engine::Outcome<void> run_session_statement(const Statement& statement, bool with_description, pgwire::Buffer& out);
    engine::Outcome<void> set(const SetStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> set_transaction(const SetTransactionStatement& statement);
    engine::Outcome<void> apply(const SettingChange& change, pgwire::Buffer& out);
    void take_back(const std::vector<SettingChange>& changes, pgwire::Buffer& out);
    engine::Outcome<void> set_search_path(const std::string& path);
    engine::Outcome<void> show(const ShowStatement& statement, bool with_description, pgwire::Buffer& out);
    engine::Outcome<void> discard(const DiscardStatement& statement, pgwire::Buffer& out);
    static std::vector<pgwire::ColumnDescription> show_columns(const ShowStatement& statement);

    // transaction.cpp
    engine::Outcome<void> begin_block(const BeginStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> begin_implicit();
    engine::Outcome<void> commit(const CommitStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> rollback(const RollbackStatement& statement, pgwire::Buffer& out);
    engine::Outcome<void> end_implicit(pgwire::Buffer& out);
    engine::Outcome<void> savepoint(const SavepointStatement& statement, pgwire::Buffer& out);
    void finish_transaction(bool committed, pgwire::Buffer& out);
    // After an error: an implicit transaction is over, a block is failed.
    void fail_transaction(pgwire::Buffer& out);
    bool refused_in_failed_block(const Statement& statement) const;
    char transaction_status() const;

    engine::Outcome<void> open_engine();
    void put_error(const engine::QueryError& error, pgwire::Buffer& out, std::string_view text = {},
                   std::size_t offset = 0);
    void put_notice(pgwire::Severity severity, const std::string& sqlstate, const std::string& message,
                    pgwire::Buffer& out);
    void protocol_error(const std::string& message, pgwire::Buffer& out);

    SessionServices& services_;
    const Peer peer_;
    Phase phase_ = Phase::start;
    bool closed_ = false;
    std::chrono::milliseconds last_answer_delay_{0};
    std::string user_;
    Role role_;
    std::optional<pgwire::ScramServer> scram_;
    std::optional<CancelKey> cancel_key_;
    std::optional<SessionSettings> settings_;

    // Opened at the first statement: an idle client costs no DuckDB connection.
    std::unique_ptr<engine::Session> engine_;
    std::mutex engine_mutex_;  // guards the pointer for cancel(), not its use

    Transaction transaction_ = Transaction::none;
    std::optional<Script> script_;
    // A COPY FROM STDIN of the script's present statement, or of an Execute.
    std::unique_ptr<engine::CopyIn> copy_in_;
    std::map<std::string, std::shared_ptr<PreparedStatement>> statements_;
    std::map<std::string, Portal> portals_;
    struct Executing {
        std::string portal;
        std::uint64_t rows_left = 0;
    };
    std::optional<Executing> executing_;  // an Execute message on its way
    bool skipping_to_sync_ = false;
};

}  // namespace boathouse::gateway
